/** Margins of verdicts from an earlier run: what it has to be, and what a run makes of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { hiddenBos } from '../../src/experiments/catalogue/hidden-bos.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { marginFrom } from '../../src/experiments/run/margin-from.js';
import { goOnCommand } from '../../src/runs/go-on.js';
import { readRecord } from '../../src/runs/record.js';
import { decisive } from '../../src/runs/schema/configuration.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import { marginOf } from '../../src/stats/mechanism.js';
import { madeRun, madeTrials, writeRun } from '../report/made-run.js';

/** The verdicts' contrasts alone: statistics of all others take time. */
const judged = hiddenBos.contrasts.filter(({ verdict }) => verdict === 'query not in the decoder');
const used = new Set(judged.flatMap(({ contrasts }) => contrasts.flatMap(({ terms }) => Object.keys(terms))));
const asked: Experiment = {
  ...hiddenBos,
  contrasts: judged,
  conditions: hiddenBos.conditions.filter(({ name }) => used.has(name)),
  comparisons: [],
  primary: undefined,
  curves: [],
  orders: [],
  selections: [],
  identities: [],
} as unknown as Experiment;

const model = { name: 'some/model', fingerprint: 'f'.repeat(64), formerly: [] };
const texts = (name: string) => ({ document: name, query: 'q', answer: 'a', target: ['a'] });
const units = (...names: string[]) =>
  names.map((name, index) => ({ sample: { id: `s000${index}`, document: name, query: 'q', answer: 'a' }, index }));

let folder: string;
const earlier = () => path.join(folder, 'earlier');
const of = (experiment = asked, own = model, samples = units('another')) =>
  marginFrom(earlier(), path.join(folder, 'now'), experiment, own, samples);

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-test-'));
  await writeRun(earlier(), madeRun(asked, { samples: 12, texts: texts('a document') }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('margins from an earlier run', () => {
  it('are of the totals over all its samples, and say whose they are', async () => {
    const margins = await of();
    const record = (await readRecord(earlier()))!;
    expect(margins).toMatchObject({ run: '../earlier', started_at: record.started_at, samples: 12 });
    const { trials } = madeTrials(asked, { samples: 12 });
    const meanOf = (condition: string) => {
      const own = trials.filter((trial) => trial.condition === condition);
      return own.reduce((sum, { nll }) => sum + nll, 0) / own.length;
    };
    const { title, total } = margins.totals[0]!;
    expect(title).toBe('oracle');
    expect(total).toBeCloseTo(meanOf('E0:BD') - meanOf('oracle E2:ND'), 10);
  });

  it('leave all samples to the intervals', async () => {
    const margins = await of();
    const { configuration, trials, samples } = madeTrials(asked, { samples: 12, draw: 2 });
    const passes = { encoder: 1, decoder: 1, naive_encoder: 1 };
    const { verdicts } = summarize({ ...configuration, margin_from: margins }, trials, samples, passes);
    const split = summarize(configuration, trials, samples, passes).verdicts!;
    expect(verdicts!.map(({ title, total }) => ({ title, total }))).toEqual(margins.totals);
    for (const [at, verdict] of verdicts!.entries()) {
      expect(verdict.margin).toBe(marginOf(margins.totals[at]!.total));
      expect(verdict.samples).toBe(12);
      expect(split[at]!.samples).toBeLessThan(12);
      expect(split[at]!.total).not.toBe(verdict.total);
    }
  });

  it('are asked for again when a run goes on, wherever both lie by then', async () => {
    const record = (await readRecord(earlier()))!;
    const configuration = { ...record.configuration, margin_from: await of() };
    expect(goOnCommand({ ...record, configuration }, 'all/now')).toContain(' --margin-from all/earlier --out all/now');
    const moved = { ...configuration, margin_from: { ...configuration.margin_from, run: '../../elsewhere' } };
    expect(decisive(moved)).toEqual(decisive(configuration));
    expect(decisive(moved)).not.toEqual(decisive(record.configuration));
  });

  it('are refused of another experiment, another model, other conditions and none', async () => {
    const refusedAs = (message: string) =>
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) });
    await expect(of({ ...asked, id: 'mine' })).rejects.toEqual(refusedAs('a run of bos, not of mine'));
    await expect(of(truncation)).rejects.toEqual(refusedAs('exp01 has no verdicts'));
    await expect(of(asked, { ...model, fingerprint: 'e'.repeat(64) })).rejects.toEqual(
      refusedAs('with other numbers than some/model'),
    );
    await expect(of({ ...asked, prompt: 'query' })).rejects.toEqual(refusedAs('it measured something else, prompt:'));
    const summary = path.join(earlier(), 'summary.json');
    await expect(marginFrom(summary, folder, asked, model, [])).rejects.toEqual(
      refusedAs(`--margin-from ${summary}: it is a file. Give the run’s folder.`),
    );
    const none = path.join(folder, 'none');
    await expect(marginFrom(none, folder, asked, model, [])).rejects.toEqual(refusedAs('is not a run folder'));
  });

  it('are refused of a run without the total', async () => {
    const bare = path.join(folder, 'bare');
    const run = madeRun(asked, { samples: 12, texts: texts('a document') });
    await writeRun(bare, { ...run, summary: { ...run.summary, contrasts: run.summary.contrasts.slice(1) } });
    await expect(marginFrom(bare, folder, asked, model, units('another'))).rejects.toThrow('it has no total of oracle');
  });

  it('are refused of a run on the same samples, told by their texts, or by their ids where it keeps no texts', async () => {
    await expect(of(asked, model, units('another', 'a document'))).rejects.toThrow(
      "1 of its samples are this run's, s0001 first",
    );
    const untold = path.join(folder, 'without-texts');
    await writeRun(untold, madeRun(asked, { samples: 12 }));
    await expect(marginFrom(untold, folder, asked, model, units('another'))).rejects.toThrow('s0000 first');
  });
});
