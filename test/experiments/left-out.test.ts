/** A run with a model whose inputs have no BOS: what is left out is told, recorded and reported, and the run goes on as any other. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { writeReports } from '../../src/report/report.js';
import { describeLeftOut } from '../../src/runs/left-out.js';
import { readSummary } from '../../src/runs/run-folder.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const EXPERIMENT = defineExperiment({
  id: 'partly',
  title: 'Partly',
  question: 'What is left?',
  conditions: [
    { name: 'bare', visibility: 'exact' },
    { name: 'primed', surrogate: 'doc_kw', visibility: 'exact' },
    { name: 'with BOS', surrogate: 'doc_kw', visibility: ['bos', 'document'] },
  ],
  comparisons: [
    { treatment: 'primed', baseline: 'bare' },
    { treatment: 'with BOS', baseline: 'bare' },
  ],
});
const DATA = datasetOf(
  { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
  ['lamp', 'desk', 'chair'].map((thing, i) => ({
    id: thing,
    document: `The ${thing} costs ${i + 3} euros.`,
    query: `How much is the ${thing}?`,
    answer: `${i + 3} euros`,
  })),
);
const SENTENCE = 'Left out, because inputs of this model have no BOS: with BOS.';

let loaded: Model;
let model: Model;
beforeAll(async () => {
  loaded = await loadModel(referenceFixture('text'), { batchTokens: 256 });
  const { tokenizer } = loaded;
  // The same words, framed by nothing.
  model = {
    ...loaded,
    tokenizer: { ...tokenizer, frame: { before: [], after: [] }, encodeFramed: (text) => tokenizer.encode(text) },
  };
});
afterAll(() => loaded.close());

it('names what is left out to the user, in its records and in its report', async () => {
  const directory = await temporaryFolder();
  const notices: string[] = [];
  const options = { directory, resume: true, maxTokens: 512, onNotice: (notice: string) => notices.push(notice) };
  const summary = await runExperiment(EXPERIMENT, DATA, model, options);
  expect(notices).toEqual([SENTENCE]);
  expect(summary.conditions.map(({ name }) => name)).toEqual(['bare', 'primed']);
  expect(summary.configuration.left_out).toEqual([
    { condition: 'with BOS', reason: 'inputs of this model have no BOS' },
  ]);
  expect(summary.configuration.model.segments).toEqual(['prefix', 'separator', 'document']);
  const read = await readSummary(directory);
  expect(read.summary).toEqual(summary);
  expect(read.record.configuration).toEqual(summary.configuration);
  await writeReports(directory, summary, { formats: ['md'] });
  expect(await readFile(path.join(directory, 'report.md'), 'utf8')).toContain(SENTENCE);
  // It goes on as it began.
  expect(await runExperiment(EXPERIMENT, DATA, model, options)).toEqual(summary);
});

it('is refused before its folder is made where its own question cannot be asked', async () => {
  const directory = path.join(await temporaryFolder(), 'none');
  const primary = { treatment: 'with BOS', baseline: 'bare' };
  const run = runExperiment({ ...EXPERIMENT, primary }, DATA, model, { directory, resume: true, maxTokens: 512 });
  await expect(run).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('no BOS') });
  await expect(readSummary(directory)).rejects.toThrow('is not a run folder');
});

it('is told in few names where there are many, which the report has all of', () => {
  const leftOut = Array.from({ length: 7 }, (_, i) => ({ condition: `c${i}`, reason: 'why' }));
  expect(describeLeftOut(leftOut, 5)).toEqual(['Left out, because why: c0, c1, c2, c3, c4, and 2 more.']);
  expect(describeLeftOut(leftOut)).toEqual(['Left out, because why: c0, c1, c2, c3, c4, c5, c6.']);
});
