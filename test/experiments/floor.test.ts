/** Candidates that the model cannot rank: the built-in model on pools of AdWorld whose grades are turned round, so that what it puts first is wrong. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPools } from '../../src/datasets/open.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { warnings } from '../../src/report/words/notes.js';
import { isTrial } from '../../src/runs/schema/entry.js';
import { type PoolSet, poolSetOf } from '../../src/samples/dataset.js';
import type { Grade } from '../../src/samples/sample.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';

const SCREENED = 4;

const EXPERIMENT = defineExperiment({
  id: 'floor',
  title: 'Candidates in the wrong order',
  question: 'Is there a ranking to improve?',
  unit: 'pool',
  target: 'query',
  protocol: { samples: 6 },
  conditions: [
    { name: 'bare', visibility: 'full' },
    { name: 'doc_kw', surrogate: 'doc_kw', visibility: 'full' },
  ],
  comparisons: [{ treatment: 'doc_kw', baseline: 'bare' }],
  measures: ['AUC'],
  screening: { measure: 'AUC', least: 0.55, pools: SCREENED },
});

let model: Model;
let drawn: PoolSet;

beforeAll(async () => {
  model = await loadModel();
  drawn = await openPools('adworld', { count: 6, seed: 42 });
}, 120_000);
afterAll(() => model.close());

/** What the model puts first is relevant, or irrelevant. */
const graded = (gradeOf: (grade: Grade) => Grade) =>
  poolSetOf(
    drawn,
    drawn.pools.map((pool) => ({
      ...pool,
      relevant: 2 as const,
      candidates: pool.candidates.map((candidate) => ({ ...candidate, grade: gradeOf(candidate.grade) })),
    })),
  );

it('stop a run after the pools that are screened, and let it go on when it is told to', async () => {
  const directory = await temporaryFolder();
  const options = { directory, resume: false, maxTokens: 512 };
  const turned = graded((grade) => (3 - grade) as Grade);
  await expect(runExperiment(EXPERIMENT, turned, model, options)).rejects.toMatchObject({
    code: 'FLOOR_REACHED',
    message: expect.stringMatching(
      /\(bare\), the first 4 pools have a mean AUC of 0\.\d{3}; at least 0\.55 .*--ignore-floor/,
    ),
  });
  const kept = (await entriesIn(directory)).filter(isTrial);
  const pools = new Set(kept.map(({ sample }) => sample.split('/')[0]));
  expect(pools.size).toBeGreaterThanOrEqual(SCREENED);

  const summary = await runExperiment(EXPERIMENT, turned, model, { ...options, resume: true, ignoreFloor: true });
  const { screening } = summary.ranking!;
  expect(screening).toMatchObject({ condition: 'bare', measure: 'AUC', least: 0.55, pools: SCREENED, passed: false });
  // By hand: of the first four pools, how often a relevant candidate is more likely than another one.
  const trials = (await entriesIn(directory)).filter(isTrial);
  const nllOf = (id: string) => trials.find(({ sample, condition }) => sample === id && condition === 'bare')!.nll;
  const byHand = turned.pools.slice(0, SCREENED).map(({ id, candidates }) => {
    const nlls = (wanted: boolean) =>
      candidates.filter(({ grade }) => grade >= 2 === wanted).map((candidate) => nllOf(`${id}/${candidate.id}`));
    return mean(nlls(true).flatMap((good) => nlls(false).map((other) => Number(good < other))));
  });
  expect(screening!.mean).toBeCloseTo(mean(byHand), 12);
  expect(warnings(summary).join('\n')).toMatch(
    /Screening of the first 4 pools: mean AUC of bare 0\.\d{3}, at least 0\.55 asked for: not passed/,
  );
}, 120_000);

it('are recorded where they are ranked well', async () => {
  const directory = await temporaryFolder();
  const summary = await runExperiment(
    EXPERIMENT,
    graded((grade) => grade),
    model,
    {
      directory,
      resume: false,
      maxTokens: 512,
    },
  );
  expect(summary.ranking!.screening).toMatchObject({ pools: SCREENED, passed: true });
  expect(warnings(summary).join('\n')).not.toContain('Screening');
}, 120_000);
