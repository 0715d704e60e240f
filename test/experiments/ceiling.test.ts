/** Data that leaves no room for help: the built-in model on answers that it gives almost surely, with the query in the decoder. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset } from '../../src/datasets/open.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { isTrial } from '../../src/runs/schema/entry.js';
import { type Dataset, datasetOf } from '../../src/samples/dataset.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';

const EXPERIMENT = defineExperiment({
  id: 'ceiling',
  title: 'Answers known without help',
  question: 'Is there room for a prefix to help?',
  prompt: 'query',
  protocol: { samples: 30 },
  conditions: [
    { name: 'bare', visibility: 'full' },
    { name: 'oracle', surrogate: 'oracle', visibility: 'full' },
  ],
  comparisons: [{ treatment: 'oracle', baseline: 'bare', family: 'all' }],
  primary: { treatment: 'oracle', baseline: 'bare' },
});

let model: Model;
let drawn: Dataset;
/** Of each drawn sample: the answer's mean NLL from the bare document. */
let nlls: number[];

beforeAll(async () => {
  model = await loadModel();
  drawn = await openDataset('adworld', { count: 150, seed: 42 });
  const items = drawn.samples.map(({ document, query, answer: target }) => ({ document, query, target }));
  const scores = await scoreTexts(
    model,
    items.map((item) => ({ ...item, visibility: 'full' as const })),
    { maxTokens: 512 },
  );
  nlls = scores.map((score) => (score as { nll: number }).nll);
}, 120_000);
afterAll(() => model.close());

/** 20 samples, so many of which are answered below the limit of 0.05 nats. */
function withAnswered(count: number): Dataset {
  const known = drawn.samples.filter((_, i) => nlls[i]! < 0.049).slice(0, count);
  const open = drawn.samples.filter((_, i) => nlls[i]! > 0.051).slice(0, 20 - count);
  expect([known.length, open.length]).toEqual([count, 20 - count]);
  return datasetOf(drawn, [...open, ...known]);
}

it('stops after 20 samples when the model needs no help for more than 30% of them', async () => {
  const directory = await temporaryFolder();
  const options = { directory, resume: false, maxTokens: 512 };
  const run = runExperiment(EXPERIMENT, withAnswered(7), model, options);
  await expect(run).rejects.toMatchObject({
    code: 'CEILING_REACHED',
    message: expect.stringContaining('7 of the first 20 answers below 0.05 nats'),
  });
  const kept = (await entriesIn(directory)).filter(isTrial);
  expect(kept).toHaveLength(40);

  const summary = await runExperiment(EXPERIMENT, withAnswered(7), model, {
    ...options,
    resume: true,
    ignoreCeiling: true,
  });
  expect(summary.samples.scored).toBe(20);
});

it('goes on at 30%', async () => {
  const directory = await temporaryFolder();
  const summary = await runExperiment(EXPERIMENT, withAnswered(6), model, { directory, resume: false, maxTokens: 512 });
  expect(summary.samples.scored).toBe(20);
});
