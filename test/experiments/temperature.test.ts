/** The outcome `temperature` of a run: what its trials hold, what the summary and the report say of it, and that nothing else changes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { contentOf } from '../../src/report/content/content.js';
import { readRun } from '../../src/runs/run-folder.js';
import { isTrial, type Trial } from '../../src/runs/schema/entry.js';
import { afterHead, headLine } from '../../src/runs/schema/journal-head.js';
import { sealedLineAfter, unsealLines } from '../../src/runs/schema/sealed.js';
import type { Summary } from '../../src/runs/schema/summary.js';
import { headOf } from '../../src/runs/schema/trials.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { BARE_AND_ORACLE, lamps, priceOf } from '../support/lamps.js';

const data = lamps(priceOf);
const declaration = {
  id: 'tempered',
  title: 'Tempered',
  question: 'What is calibration?',
  ...BARE_AND_ORACLE,
};

let model: Model;
let root: string;
const folders = { plain: '', tempered: '' };
let summary: Summary;
let trials: readonly Trial[];
const run = (directory: string, outcomes?: ['temperature'], resume = false) =>
  runExperiment(defineExperiment({ ...declaration, outcomes }), data, model, { directory, resume, maxTokens: 512 });

beforeAll(async () => {
  model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
  root = await mkdtemp(path.join(os.tmpdir(), 'dkv-temperature-'));
  folders.plain = path.join(root, 'plain');
  folders.tempered = path.join(root, 'tempered');
  await run(folders.plain);
  summary = await run(folders.tempered, ['temperature']);
  trials = (await readRun(folders.tempered)).trials;
});
afterAll(async () => {
  await model.close();
  await rm(root, { recursive: true, force: true });
});

describe('trials of a run with the outcome temperature', () => {
  it('hold NLLs at ten inverse temperatures, and else what they hold without it', async () => {
    const plain = await readRun(folders.plain);
    expect(plain.summary.temperature).toBeUndefined();
    expect(trials.map(({ tempered_nlls, ...rest }) => rest)).toEqual(plain.trials);
    for (const { tempered_nlls, token_nlls } of trials) {
      expect(tempered_nlls!.map((own) => own[AT_ONE])).toEqual(token_nlls);
      for (const own of tempered_nlls!) {
        expect(own).toHaveLength(INVERSE_TEMPERATURES.length);
        // Convex in the inverse temperature.
        for (let b = 1; b < own.length - 1; b++) {
          const slope = (at: number) =>
            (own[at]! - own[at - 1]!) / (INVERSE_TEMPERATURES[at]! - INVERSE_TEMPERATURES[at - 1]!);
          expect(slope(b + 1)).toBeGreaterThan(slope(b) - 1e-4);
        }
      }
    }
  });

  it('are refused where they do not agree with themselves', async () => {
    const folder = await temporaryFolder();
    const file = (of: string, name: string) => path.join(of, name);
    for (const name of ['run.json', 'samples.jsonl', 'summary.json']) {
      await writeFile(file(folder, name), await readFile(file(folders.tempered, name)));
    }
    const bytes = await readFile(file(folders.tempered, 'trials.jsonl'));
    const { head, length } = headOf(bytes);
    const before = afterHead(head!);
    const lines = unsealLines('trials.jsonl', bytes.subarray(length), (value) => value as Trial, '', {
      before: [before],
    });
    const wrong = (change: (nlls: number[][]) => number[][]) => {
      const [first, ...rest] = lines;
      const changed = { ...first!, tempered_nlls: change(first!.tempered_nlls!) };
      return headLine(head!) + [changed, ...rest].map((line) => sealedLineAfter(before, line)).join('');
    };
    const cases: [string, (nlls: number[][]) => number[][]][] = [
      ['tempered_nlls are not ten', (nlls) => nlls.slice(1)],
      ['tempered_nlls are not ten', (nlls) => nlls.map((own) => own.slice(1))],
      ['those at 1', (nlls) => nlls.map((own) => own.toReversed())],
      ['of tempered_nlls is no float32', (nlls) => nlls.map(([first, ...own]) => [first! + 1e-12, ...own])],
    ];
    for (const [message, change] of cases) {
      await writeFile(file(folder, 'trials.jsonl'), wrong(change));
      await expect(readRun(folder)).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringContaining(message),
      });
    }
  });
});

describe('the summary of such a run', () => {
  it('tells trial by trial how far it is, since it takes long', async () => {
    const { summary: made, trials: all, samples } = await readRun(folders.tempered);
    const told: string[] = [];
    const { configuration, passes, vocabulary } = made;
    summarize(configuration, all, samples, passes, vocabulary, undefined, (done, total) =>
      told.push(`${done}/${total}`),
    );
    expect(told).toEqual(all.map((_, i) => `${i + 1}/${all.length}`));
  });

  it('divides each gain, and shows it in the report', async () => {
    const { comparisons } = summary.temperature!;
    expect(comparisons).toMatchObject([{ treatment: 'oracle', baseline: 'bare' }]);
    const [{ all, capped, apart }] = comparisons as [(typeof comparisons)[number]];
    expect(all.at_one.value).toBeCloseTo(summary.comparisons[0]!.gain.mean.value!, 12);
    expect(capped.at_one.value).toBeCloseTo(summary.comparisons[0]!.gain.capped!.value!, 7);
    for (const effect of [all, capped, apart!]) {
      expect(effect.calibration.value! + effect.remaining.value!).toBeCloseTo(effect.at_one.value!, 10);
    }
    expect([all.treatment.length, apart!.treatment.length]).toEqual([1, 2]);
    const section = contentOf(await readRun(folders.tempered)).find(({ title }) => title === 'Temperature');
    const [, shown] = section!.blocks;
    expect(shown).toMatchObject({ kind: 'table', name: 'temperature' });
    expect(shown?.kind === 'table' && shown.table.rows.map((row) => row.slice(0, 4))).toEqual([
      ['oracle', 'bare', 'gain', 'all'],
      ['oracle', 'bare', 'gain', 'capped'],
      ['oracle', 'bare', 'gain', 'apart'],
    ]);
  });

  it('is made again from what the folder holds, which no run without the outcome goes on with', async () => {
    const before = await readFile(path.join(folders.tempered, 'summary.json'), 'utf8');
    expect((await readRun(folders.tempered)).trials.every(isTrial)).toBe(true);
    await run(folders.tempered, ['temperature'], true);
    expect(await readFile(path.join(folders.tempered, 'summary.json'), 'utf8')).toBe(before);
    await expect(run(folders.tempered, undefined, true)).rejects.toMatchObject({ code: 'RUN_MISMATCH' });
  });

  it('is for samples alone', () => {
    const probe = { ...declaration, comparisons: [], unit: 'probe' as const, layers: { attention: [0], hidden: [0] } };
    expect(() => defineExperiment({ ...probe, outcomes: ['temperature'] })).toThrow(
      'the outcome "temperature" is of samples',
    );
  });
});
