/** A mechanism that is planted in every encode: what is the same by construction stays the same, and cells that are scored for many plants at once are those of a run. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitWords } from '../../src/base/words.js';
import { openDataset } from '../../src/datasets/open.js';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { restricted } from '../../src/experiments/plan/conditions.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { readRun } from '../../src/runs/run-folder.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { scoreCells, stepsOf } from '../../tools/planted/cells.js';
import { planted } from '../../tools/planted/engine.js';
import { bisected } from '../../tools/planted/mechanisms.js';
import { BASE, type Plant } from '../../tools/planted/plant.js';
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
