/** Runs that an earlier release made: they are read, reported, compared, listed and gone on with, with the numbers that they had, or refused. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { readExperiment } from '../../src/experiments/declaration/file.js';
import { readRun } from '../../src/runs/run-folder.js';
import { isTrial, type Trial } from '../../src/runs/schema/entry.js';
import type { GainRecord } from '../../src/runs/schema/gains.js';
import { parseSummary, type Summary } from '../../src/runs/schema/summary.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';
import { withEstimates } from '../support/older.js';

const RELEASE = path.resolve(import.meta.dirname, '../fixtures/runs/release-0.1.0');

/** How each was made, and what became of it. */
const RUNS = {
  contrasts: { args: ['experiments/contrasts.yaml', '--n', '4'], trials: 40 },
  pools: { args: ['experiments/pools.yaml', '--n', '2'], trials: 32 },
  probe: { args: ['experiments/probe.json', '--n', '2', '--seed', '7'], trials: 6 },
  'no-text': {
    args: 'experiments/keywords.yaml --dataset faq.jsonl --columns document=text query=question answer=reply --no-text --n 4'.split(
      ' ',
    ),
    trials: 20,
  },
  int8: { args: ['experiments/keywords.yaml', '--n', '3', '--precision', 'int8'], trials: 15 },
} as const;

const names = Object.keys(RUNS) as (keyof typeof RUNS)[];
const FILES = ['run.json', 'samples.jsonl', 'trials.jsonl'];

async function json(...file: string[]) {
  return JSON.parse(await readFile(path.join(...file), 'utf8'));
}

/** What later versions add to a summary of an old run's trials. */
const ADDED = new Set(['samples.literal', 'ranking.unranked', 'ranking.conditions.judged_means']);

/** Without what was added since, and with null for what JSON has no number for. */
function asThen(value: unknown, at = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => asThen(one, at));
  if (typeof value !== 'object' || value === null) return Number.isNaN(value) ? null : value;
  const members = Object.entries(value).map(([name, member]) => [at ? `${at}.${name}` : name, name, member] as const);
  const kept = members.filter(([place, , member]) => !ADDED.has(place) && member !== undefined);
  return Object.fromEntries(kept.map(([place, name, member]) => [name, asThen(member, place)]));
}

/** What no test and no interval is in. */
function pointsOf({ conditions, comparisons, contrasts, selections, identities, ranking, probe, samples }: Summary) {
  const { dependence, clusters, ...counts } = samples;
  const of = ({ mean, median, trimmed_mean, d, win, p }: GainRecord) => ({
    ...Object.fromEntries(
      // Sums in another order differ in their last bits.
      Object.entries({ mean: mean.value, median, trimmed: trimmed_mean.value, d: d.value, win: win.value, t: p.t }).map(
        ([name, value]) => [name, value === null || Number.isNaN(value) ? null : value.toPrecision(9)],
      ),
    ),
  });
  return {
    conditions,
    comparisons: comparisons.map(({ treatment, baseline, gain }) => [treatment, baseline, of(gain)]),
    contrasts: contrasts.map((group) => group.contrasts.map(({ name, gain }) => [name, of(gain)])),
    selections: selections.map(({ title, best }) => ({ title, best })),
    identities,
    rankings: ranking?.comparisons.map(({ differences }) => differences.map(of)),
    means: ranking?.conditions.map(({ means }) => means.map(({ value }) => value)),
    probe: probe?.conditions.map(({ measures }) => measures.map(({ by_layer }) => by_layer.map((one) => one?.value))),
    counts: { ...counts, literal: undefined },
  };
}

describe.each(names)('the run %s of release 0.1.0', (name) => {
  const folder = path.join(RELEASE, name);

  it('is read as it was written', async () => {
    const { record, summary, trials, samples } = await readRun(folder);
    expect(record).toEqual(await json(folder, 'run.json'));
    expect(asThen(summary)).toEqual(withEstimates(await json(folder, 'summary.json')));
    const entries = await entriesIn(folder);
    expect(entries).toHaveLength(RUNS[name].trials);
    expect(trials).toEqual(entries.filter(isTrial));
    expect(samples.every(({ texts }) => (texts === undefined) === (name === 'no-text'))).toBe(true);
    // From its trials come the same numbers, to the last bit, but for tests and intervals, which know more of the samples.
    const again = summarize(summary.configuration, entries, samples, summary.passes);
    expect(pointsOf(again)).toEqual(pointsOf(summary));
    expect(again.samples.dependence).toBeDefined();
  });

  it('is reported with new statistics, which are written down, and the same conditions', async () => {
    const cwd = await temporaryFolder();
    await cp(folder, path.join(cwd, name), { recursive: true });
    const { exitCode, stderr } = await dkv(['report', name, '--format', 'md,html'], { cwd });
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('made again from the trials');
    const { summary } = await readRun(path.join(cwd, name));
    expect(summary.samples.dependence).toBeDefined();
    expect(pointsOf(summary)).toEqual(pointsOf((await readRun(folder)).summary));
    const rows = async (directory: string) =>
      (await readFile(path.join(directory, 'report.md'), 'utf8'))
        .split(/^## /m)
        .filter((section) => /^(Conditions|Identities|Origin|Inside the encoder)/.test(section))
        .flatMap((section) =>
          inOneOrder(
            section
              .split('\n')
              // That release did not say what the decoder reads, nor what holds the samples of its runs.
              .filter((line) => line.startsWith('|') && !/^\| (decoder reads|samples as they are shown)/.test(line)),
          ),
        )
        // Of what was measured inside the encoder it knew intervals without clusters, and it wrote 0.000 for what is smaller.
        .map((line) => line.replace(/ \[(–|-?[\d.]+, -?[\d.]+)\]/g, '').replace(/\d\.\de−\d+/g, '0.000'))
        // It called a line break by the name of its segment.
        .map((line) => line.replace('| separator, document |', '| line break and document |'));
    const then = await rows(folder);
    expect(then.length).toBeGreaterThan(8);
    expect(await rows(path.join(cwd, name))).toEqual(then);
  });
});

describe('runs of release 0.1.0', () => {
  it('are compared as they were', async () => {
    const { stdout } = await dkv(['compare', 'contrasts', 'no-text', 'int8', '--json'], { cwd: RELEASE });
    const { comparisons, differences, ...rest } = JSON.parse(stdout);
    const then = await json(RELEASE, 'compare.json');
    const known = new Set(then.differences.map(({ field }: { field: string }) => field));
    expect({
      ...rest,
      // That release did not name all that differs.
      differences: differences.filter(({ field }: { field: string }) => known.has(field)),
      comparisons: comparisons.map((one: { effects: (Record<string, unknown> | null)[] }) => ({
        ...one,
        effects: one.effects.map((effect) => {
          if (!effect) return effect;
          const { trimmed_mean, ...others } = effect;
          expect(trimmed_mean).toMatchObject({ low: null, high: null });
          return others;
        }),
      })),
    }).toEqual(then);
  });

  it('are listed as they were', async () => {
    const { stdout } = await dkv(['log', '.', '--json'], { cwd: RELEASE });
    const { runs, unread } = await json(RELEASE, 'log.json');
    expect(runs.map(({ folder }: { folder: string }) => folder)).toEqual(names.toSorted());
    // The trimmed mean and the number of samples that were scored are new, and d has no interval that decides anything.
    const withoutInterval = (run: { folder: string; samples: number; primary: { d: string } | null }) => ({
      ...run,
      scored: run.samples,
      // Which samples are some of another run's is new, too.
      ...(run.folder === 'int8' && { part_of: 'contrasts' }),
      primary: run.primary && { ...run.primary, d: run.primary.d.replace(/ \[.*/, ''), trimmed: expect.any(String) },
    });
    expect(JSON.parse(stdout)).toEqual({ runs: runs.map(withoutInterval), unread });
  });

  it('have experiment files that are read, in YAML and in JSON, to the same experiments', async () => {
    for (const name of names) {
      const file = path.join(RELEASE, RUNS[name].args[0]!);
      const { experiment, seed } = (await json(RELEASE, name, 'run.json')).configuration;
      expect({ ...(await readExperiment(file)), seed }).toEqual(experiment);
    }
  });
});

describe('resumed', () => {
  async function copied(): Promise<string> {
    const cwd = await temporaryFolder();
    await cp(RELEASE, cwd, { recursive: true });
    return cwd;
  }

  const resume = (cwd: string, name: keyof typeof RUNS, ...more: string[]) =>
    dkv(['run', ...RUNS[name].args, '--out', name, '--resume', ...more], { cwd });

  it.each([
    ['contrasts', []],
    ['pools', []],
    ['probe', []],
    ['no-text', ['--control-tokens', 'keep']],
  ] as const)('the finished run %s changes in nothing but its checksum', async (name, more) => {
    const cwd = await copied();
    const { exitCode, stderr } = await resume(cwd, name, ...more);
    expect(exitCode, stderr).toBe(0);
    for (const file of FILES) {
      const [then, now] = await Promise.all(
        [RELEASE, cwd].map((root) => readFile(path.join(root, name, file), 'utf8')),
      );
      expect(now, file).toBe(then);
    }
    const { crc32, ...summary } = await json(cwd, name, 'summary.json');
    expect(crc32).toMatch(/^[0-9a-f]{8}$/);
    const { summary: then } = await readRun(path.join(RELEASE, name));
    expect(pointsOf(parseSummary(JSON.stringify(summary)))).toEqual(pointsOf(then));
    expect(summary.samples.dependence).toBeDefined();
    // The model at hand says how many tokens it knows, which the old run does not.
    expect(summary.vocabulary).toBe(4096);
  });

  it('a run whose texts hold control tokens is refused unless they are kept, as they were', async () => {
    const { exitCode, stderr } = await resume(await copied(), 'no-text');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/RUN_MISMATCH.*--control-tokens: was keep, is not given/s);
  });

  it('a run of int8 is refused, by what gives other numbers since', async () => {
    const { exitCode, stderr } = await resume(await copied(), 'int8');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/RUN_MISMATCH.*release 0\.1\.0.*as int8; since then .*smoothed before they are rounded/);
  });

  it('an interrupted run goes on to the numbers that it would have had', async () => {
    const [cwd, name] = [await copied(), 'contrasts' as const];
    const file = path.join(cwd, name, 'trials.jsonl');
    const lines = (await readFile(path.join(RELEASE, name, 'trials.jsonl'), 'utf8')).split(/(?<=\n)/);
    // As a kill leaves it: the last line is torn.
    await writeFile(file, lines.slice(0, 17).join('') + lines[17]!.slice(0, 50));
    await rm(path.join(cwd, name, 'summary.json'));
    const { exitCode, stderr } = await resume(cwd, name);
    expect(exitCode, stderr).toBe(0);
    const [then, now] = await Promise.all([readRun(path.join(RELEASE, name)), readRun(path.join(cwd, name))]);
    const key = ({ sample, condition }: Trial) => `${sample} ${condition}`;
    const found = new Map(now.trials.map((trial) => [key(trial), trial]));
    expect(found.size).toBe(then.trials.length);
    for (const trial of then.trials) {
      // That release did not write down what stood before a document.
      const { nll, nll_sum, token_nlls, prefix: _, ...rest } = found.get(key(trial))!;
      expect(trial).toMatchObject(rest);
      // As for every comparison of numbers from different machines.
      expect(Math.abs(nll - trial.nll)).toBeLessThan(1e-4);
    }
  });
});

/** A table's lines with its columns in the order of their heads: releases differ in which they show first. */
function inOneOrder(lines: readonly string[]): string[] {
  const rows = lines.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
  const order = [...(rows[0] ?? []).keys()].sort((a, b) => (rows[0]![a]! < rows[0]![b]! ? -1 : 1));
  return rows.map((cells) => `| ${order.map((at) => cells[at]).join(' | ')} |`);
}
