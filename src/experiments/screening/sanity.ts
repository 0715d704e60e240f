/**
 * Can a model be trusted as an instrument? Checks that have a right answer, run on AdWorld's test advertisements, before any
 * experiment is believed: what must be exactly nothing, what must vanish, what must be there.
 *
 * `pass` and `fail` are for what has a right answer; `finding` is for what is worth knowing and has none.
 */
import { DkvError } from '../../base/errors.js';
import { tokensRead } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import type { SanityCheck, SanityOptions } from './check.js';
import { documents, queries, shuffledAnswers } from './help.js';
import { answersRight, attentionOnBos, randomWeights, sameTwice } from './instrument.js';
import { itemsOf } from './items.js';
import { asks, bare, type Known, meanNlls } from './nlls.js';
import { strangers } from './strangers.js';

export async function runSanity(model: Model, asked: SanityOptions): Promise<SanityCheck[]> {
  if (asked.samples < 8) throw new DkvError('INPUT_INVALID', `${asked.samples} samples are too few; take at least 8.`);
  const options = { ...asked, maxTokens: tokensRead(model, asked.maxTokens) };
  const items = itemsOf(options);
  const checks: SanityCheck[] = [];
  const known: Known = {
    bare: await meanNlls(model, items, options, bare),
    oracle: await meanNlls(model, items, options, asks('full')),
  };
  const steps = [
    () => sameTwice(model, items, options, known),
    () => answersRight(model, items, options),
    () => queries(model, items, options, known),
    () => documents(model, items, options, known),
    () => shuffledAnswers(model, items, options),
    () => randomWeights(items, options),
    () => strangers(items),
    () => attentionOnBos(model, items, options),
  ];
  for (const [i, step] of steps.entries()) {
    if (options.signal?.aborted) throw new DkvError('CANCELLED', 'The checks were stopped.');
    checks.push(...(await step()));
    options.onProgress?.(i + 1, steps.length);
  }
  return checks;
}
