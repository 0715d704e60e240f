/** A mechanism that is planted in every encode: what is the same by construction stays the same, and cells that are scored for many plants at once are those of a run. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { splitWords } from '../../src/base/words.js';
import { openDataset } from '../../src/datasets/open.js';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { restricted } from '../../src/experiments/plan/conditions.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { readRun } from '../../src/runs/run-folder.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { scoreCells, stepsOf, totalOf } from '../../tools/planted/cells.js';
import { planted } from '../../tools/planted/engine.js';
import { foundOn, poolOf } from '../../tools/planted/judge.js';
import { bisected } from '../../tools/planted/mechanisms.js';
import { nuisanceOf, spreadOf } from '../../tools/planted/nuisance.js';
import { BASE, disturbance, type Plant } from '../../tools/planted/plant.js';
import { sourceOf } from '../../tools/planted/samples.js';
import { temporaryFolder } from '../support/fixtures.js';

const SAMPLES = 2;

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

/** The conditions that steps and identities of one prefix are made of. */
const asked = new Set([
  ...Object.values(stepsOf('oracle')).flatMap(Object.keys),
  ...hiddenBos.identities.filter(({ name }) => name.startsWith('oracle')).flatMap(({ left, right }) => [left, right]),
  ...[hiddenBos.primary!.treatment, hiddenBos.primary!.baseline],
]);

async function run(plant: Plant) {
  const data = await openDataset('adworld', { seed: 42, count: SAMPLES, rule: 'standard', padding: 0, columns: [] });
  const known = data.samples.flatMap(({ document, query }) => [
    { document, query },
    { document: splitWords(document).slice(0, 8).join(' '), query },
  ]);
  const experiment = restricted(hiddenBos, (name) => asked.has(name));
  const directory = path.join(await temporaryFolder(), 'run');
  const summary = await runExperiment(experiment, data, planted(model, plant, known), {
    directory,
    maxTokens: 2048,
    resume: false,
  });
  const { trials } = await readRun(directory);
  return {
    summary,
    nll: (sample: string, condition: string) =>
      trials.find((one) => one.sample === sample && one.condition === condition)!.nll,
  };
}

const PLANTS: Record<string, Plant> = {
  base: BASE,
  all: {
    bos: 8,
    line: 0,
    primed: 0.3,
    structural: 0.1,
    leak: 0.2,
    lineEncoded: 0.1,
    lineShown: 0.1,
    noise: { mean: 0, spread: 0.1, tail: 2 },
  },
};

it('leaves identities as they are, and its cells are those of a run', async () => {
  const source = await sourceOf(model, SAMPLES);
  const tables = await scoreCells(model.engine, await source.prepared([0, 1]), PLANTS);
  const ids = source.samples.map(({ id }) => id);
  for (const [name, plant] of Object.entries(PLANTS)) {
    const { summary, nll } = await run(plant);
    expect(summary.identities.map(({ holds, samples }) => [holds, samples])).toEqual(Array(3).fill([true, SAMPLES]));
    for (const cell of Object.values(stepsOf('oracle')).flatMap(Object.keys)) {
      for (const [i, id] of ids.entries())
        expect(tables[i]![name]![cell], `${name}: ${cell}`).toBeCloseTo(nll(id, cell), 4);
    }
  }
  // Nothing is left of the model's own effects where rows are made the same.
  const base = tables[0]!.base!;
  expect(new Set(['E0:D', 'E1:D', 'oracle E2:D', 'doc_kw E2:D'].map((cell) => base[cell])).size).toBe(1);
  expect(tables[0]!.all!['oracle E2:D']).not.toBe(tables[0]!.all!['E1:D']);
});

it('finds strengths by halving, and says where there is none', async () => {
  const square = async (x: number) => x * x;
  expect(await bisected([0, 4], 4, square)).toBeCloseTo(2, 2);
  expect(await bisected([1, 1024], 100, square)).toBeCloseTo(10, 1);
  expect(await bisected([4, 1], -4, async (x) => -(x * x))).toBeCloseTo(2, 2);
  await expect(bisected([0, 1], 4, square)).rejects.toThrow('not by 4');
});

it('draws noise that varies as recorded and does nothing on average', async () => {
  const random = new Random('normal numbers');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
  const samples = Array.from({ length: 1000 }, () => ({
    // Two nats for rows that are moved by as much as they may be.
    curve: [-2, -1, -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.5, 1, 2],
    chance: normal(),
  }));
  const recorded = { deviation: 0.3, kurtosis: 12 };
  const { noise } = await nuisanceOf(samples, recorded);
  const values = samples.map(({ chance }) => disturbance(noise, chance));
  const found = spreadOf(values);
  expect(found.deviation / recorded.deviation).toBeCloseTo(1, 1);
  expect(found.kurtosis / recorded.kurtosis).toBeCloseTo(1, 1);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 3);
});

it('judges what is drawn by the steps of the pool, of which some are nothing and some the same', () => {
  const random = new Random('pool');
  const cells = [...new Set([...Object.values(stepsOf('oracle')), totalOf('oracle')].flatMap(Object.keys))];
  const others = cells.flatMap((cell) => ['doc_kw', 'random_matched'].map((name) => cell.replace('oracle', name)));
  const tables = Array.from({ length: 300 }, () => {
    const bare = 2 + random.float();
    const primed = bare - 0.3 - 0.2 * random.float();
    return Object.fromEntries([
      ...others.map((cell) => [cell, bare] as const),
      ...cells.map((cell) => [cell, /oracle/.test(cell) ? primed : bare] as const),
    ]);
  });
  const pool = poolOf(tables);
  // P0, P* and S are one list; nothing else is there.
  expect(pool.lists).toHaveLength(1);
  expect(pool.judged.filter(({ at }) => at === 0).map(({ step }) => step)).toEqual(['P0', 'P*', 'S']);
  expect(pool.truths[0]!.mean).toBeCloseTo(0.4, 1);
  const found = foundOn(pool, { size: 100, draws: 199, margin: 0.08 }, new Random('one draw'));
  expect(found).toEqual({ verdict: 'primed', holds: { means: true, trimmed: true } });
});
