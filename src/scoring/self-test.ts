/**
 * Does this machine compute what the reference computed? NLLs of a few texts under the built-in model, as transformers found them when
 * the model was made (`models/tiny/self-test.json`), against ours.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { visibilitySchema } from '../priming/input.js';
import { DRIFT_REFUSAL } from './drift.js';
import { scoreTexts } from './inputs.js';
import { BUILT_IN_MODEL, type LoadOptions, loadModel } from './load-model.js';

const caseSchema = z.object({
  document: z.string(),
  prefix: z.string().optional(),
  visibility: visibilitySchema,
  query: z.string().optional(),
  target: z.string(),
  token_nlls: z.array(z.number()),
});

/** The tolerance in nats, for any token, as for every comparison with the reference. */
const TOLERANCE = 1e-4;

/**
 * The largest distance from the reference NLLs, and the distance allowed, in nats: for float32 as everywhere, at other precisions as far as a model
 * may drift.
 */
export interface SelfTest {
  readonly largest: number;
  readonly tolerance: number;
}

/** @param options how the model is loaded @throws DkvError what `loadModel` and scoring throw */
export async function runSelfTest(options: LoadOptions = {}, directory = BUILT_IN_MODEL): Promise<SelfTest> {
  const tolerance = (options.precision ?? 'float32') === 'float32' ? TOLERANCE : DRIFT_REFUSAL;
  const text = await readFile(path.join(directory, 'self-test.json'), 'utf8');
  const cases = z.array(caseSchema).parse(JSON.parse(text));
  const model = await loadModel(directory, options);
  try {
    const scores = await scoreTexts(model, cases, { maxTokens: 2048 });
    let largest = 0;
    for (const [i, score] of scores.entries()) {
      if (score instanceof DkvError) throw score;
      const wanted = cases[i]!.token_nlls;
      if (score.tokenNlls.length !== wanted.length) return { largest: Number.POSITIVE_INFINITY, tolerance };
      for (const [t, nll] of wanted.entries()) largest = Math.max(largest, Math.abs(score.tokenNlls[t]! - nll));
    }
    return { largest, tolerance };
  } finally {
    await model.close();
  }
}
