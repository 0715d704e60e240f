/**
 * Plants mechanisms in the built-in model's encodes and counts what the verdicts on them are: the table of docs/protocol.md.
 *
 *     npx tsx tools/planted/make.ts [--samples 2000] [--held 200] [--resamples 500] [--repeats 10000] [--draws 999] [--only scores] [--work .work/planted] [--write]
 *
 * Strengths are found on samples that are held out; then every sample is encoded once and scored under all plants; then samples are drawn from the scores, 200
 * and 1,000 at a time. What was interrupted goes on when this is started again. `--only scores` ends before anything is drawn. With `--write` the table goes into
 * docs/protocol.md.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { replaceSection, table } from '../../bench/sections.js';
import { Random } from '../../src/base/random.js';
import { readRun } from '../../src/runs/run-folder.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { marginOf, type VerdictName } from '../../src/stats/mechanism.js';
import { type CellTable, type Prepared, scoreCells } from './cells.js';
import { holdsAll, type Pool, poolOf, verdictOn } from './judge.js';
import {
  calibrated,
  calibratedNuisance,
  MECHANISMS,
  MIXTURES,
  NUISANCE,
  type Score,
  type Spread,
  spreadOf,
  stepValues,
} from './mechanisms.js';
import type { Plant } from './plant.js';
import { sourceOf } from './samples.js';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '2000' },
    held: { type: 'string', default: '200' },
    resamples: { type: 'string', default: '500' },
    repeats: { type: 'string', default: '10000' },
    draws: { type: 'string', default: '999' },
    only: { type: 'string' },
    work: { type: 'string', default: '.work/planted' },
    write: { type: 'boolean', default: false },
  },
});
const [SAMPLES, HELD, DRAWS] = [Number(options.samples), Number(options.held), Number(options.draws)];
const [RESAMPLES, REPEATS] = [Number(options.resamples), Number(options.repeats)];
const SIZES = [200, 1000];
/** Samples that are encoded together, and draws of a line in the file. */
const [CHUNK, BLOCK] = [20, 100];

const WORK = path.resolve(options.work, `${SAMPLES}-${HELD}`);
mkdirSync(WORK, { recursive: true });
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What stands in a file, a line each; a line that was cut off is made again. */
function linesOf<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, 'utf8').replace(/[^\n]*$/, '');
  writeFileSync(file, whole);
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

interface Calibration {
  readonly plants: Readonly<Record<string, Plant>>;
  /** On the samples that are held out. */
  readonly totals: Readonly<Record<string, number>>;
  /** Standard deviation and kurtosis of P* as recorded, and as planted. */
  readonly nuisance: Readonly<Record<'recorded' | 'planted', Spread>>;
}

/** P* of random words in the committed run. */
async function recordedGains(): Promise<number[]> {
  const { trials } = await readRun(path.resolve(import.meta.dirname, '../../results/built-in/bos'));
  const of = (name: string) =>
    new Map(trials.flatMap(({ condition, sample, nll }) => (condition === name ? [[sample, nll] as const] : [])));
  const primed = of('random_matched {B0,D2}');
  return [...of('E0:BD')].map(([sample, nll]) => nll - primed.get(sample)!);
}

async function calibration(score: Score): Promise<Calibration> {
  const file = path.join(WORK, 'calibration.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Calibration;
  const found = path.join(WORK, 'plants.jsonl');
  const plants: Record<string, Plant> = Object.fromEntries(
    linesOf<{ name: string; plant: Plant }>(found).map(({ name, plant }) => [name, plant]),
  );
  const find = async (name: string, make: () => Promise<Plant>) => {
    const plant = plants[name] ?? (await make());
    if (!(name in plants)) appendFileSync(found, `${JSON.stringify({ name, plant })}\n`);
    plants[name] = plant;
    say(`${name}: ${JSON.stringify(plant)}`);
  };
  for (const mechanism of MECHANISMS) await find(mechanism.name, () => calibrated(mechanism, score));
  const recorded = spreadOf(await recordedGains());
  await find(NUISANCE, () => calibratedNuisance(recorded, score));
  const steps = ['H', 'W', 'P0', 'V'] as const;
  const totals: Record<string, number> = {};
  for (const [name, plant] of Object.entries(plants)) {
    let total = 0;
    for (const step of steps) total += mean(await stepValues(score, plant, step));
    totals[name] = total;
  }
  const planted = spreadOf(await stepValues(score, plants[NUISANCE]!, 'P*'));
  const made = { plants, totals, nuisance: { recorded, planted } };
  writeFileSync(file, `${JSON.stringify(made, null, 1)}\n`);
  return made;
}

interface Scored {
  readonly sample: string;
  readonly table: CellTable;
}

/** Calibrates and scores whatever is not there yet. */
async function scored(): Promise<{ calibration: Calibration; tables: CellTable[] }> {
  const file = path.join(WORK, 'scores.jsonl');
  const done = linesOf<Scored>(file);
  const calibrationFile = path.join(WORK, 'calibration.json');
  if (done.length >= SAMPLES && existsSync(calibrationFile)) {
    return {
      calibration: JSON.parse(readFileSync(calibrationFile, 'utf8')) as Calibration,
      tables: done.map(({ table }) => table),
    };
  }
  const model = await loadModel();
  try {
    const source = await sourceOf(model, SAMPLES + HELD);
    let held: Prepared[] | undefined;
    const score: Score = async (plant, cells) => {
      held ??= await source.prepared(Array.from({ length: HELD }, (_, at) => SAMPLES + at));
      return (await scoreCells(model.engine, held, { plant }, cells)).map(({ plant: own }) => own!);
    };
    const found = await calibration(score);
    held = undefined;
    const started = { at: Date.now(), cpu: process.cpuUsage(), from: done.length };
    for (let from = done.length; from < SAMPLES; from += CHUNK) {
      const places = Array.from({ length: Math.min(CHUNK, SAMPLES - from) }, (_, at) => from + at);
      const tables = await scoreCells(model.engine, await source.prepared(places), found.plants);
      const lines = tables.map((own, i): Scored => ({ sample: source.samples[places[i]!]!.id, table: own }));
      appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      done.push(...lines);
    }
    const { user, system } = process.cpuUsage(started.cpu);
    const count = done.length - started.from;
    say(
      `${count} samples under ${Object.keys(found.plants).length} plants: ${((user + system) / 1e6).toFixed(1)} s of CPU, ${((Date.now() - started.at) / 1000).toFixed(1)} s`,
    );
    return { calibration: found, tables: done.map(({ table }) => table) };
  } finally {
    await model.close();
  }
}

/** What is demanded of so many verdicts: right at N = 1,000 where the effect is twice the margin or more, and wrong at most. */
const DEMANDED = { size: 2, right: 0.968, wrong: 1 / 500 };

/** A pool that verdicts are made on. */
interface Case {
  readonly name: string;
  readonly expected: VerdictName;
  readonly margin: number;
  readonly pool: Pool;
  /** The planted effect in margins; undefined where there is none, or more than one. */
  readonly size: number | undefined;
  /** Is it demanded that verdicts are right? That they are not wrong always is. */
  readonly demanded: boolean;
}

function casesOf({ plants, totals }: Calibration, tables: readonly CellTable[]): Case[] {
  const of = (name: string) => tables.map((table) => table[name]!);
  const single = (name: string, expected: VerdictName, effect?: number): Case => {
    const margin = marginOf(totals[name]!);
    const size = effect === undefined ? undefined : effect / margin;
    return { name, expected, margin, pool: poolOf(of(name)), size, demanded: (size ?? DEMANDED.size) >= DEMANDED.size };
  };
  if (Object.keys(plants).some((name) => tables.some((table) => !table[name]))) {
    throw new Error(`${WORK}: scores are of other plants than calibration.json: remove both`);
  }
  return [
    ...MECHANISMS.map(({ name, expected, wanted }) =>
      // What is wanted of this one is how little is left beside BOS.
      single(name, expected, expected === 'unmasked' ? undefined : wanted?.value),
    ),
    { ...single(NUISANCE, 'no effect'), demanded: false },
    ...MIXTURES.map(({ name, share, parts: [a, b] }): Case => {
      const random = new Random('mixture', name);
      const margin = marginOf(share * totals[a]! + (1 - share) * totals[b]!);
      const mixed = tables.map((table) => table[random.float() < share ? a : b]!);
      const size = Math.min(share, 1 - share) / margin;
      return { name, expected: 'mixed', margin, pool: poolOf(mixed), size, demanded: size >= DEMANDED.size };
    }),
  ];
}

interface Line {
  readonly key: string;
  readonly count: number;
  readonly found: Readonly<Record<string, number>>;
}

/** Draws until there are so many, block by block. */
function tally(done: Line[], key: string, wanted: number, one: (random: Random) => string): Record<string, number> {
  const file = path.join(WORK, 'verdicts.jsonl');
  const sum: Record<string, number> = {};
  const add = (found: Line['found']) => {
    for (const [name, times] of Object.entries(found)) sum[name] = (sum[name] ?? 0) + times;
  };
  let count = 0;
  for (const line of done) {
    if (line.key !== key || count + line.count > wanted) continue;
    count += line.count;
    add(line.found);
  }
  while (count < wanted) {
    const found: Record<string, number> = {};
    const size = Math.min(BLOCK, wanted - count);
    for (let i = 0; i < size; i++) {
      const name = one(new Random('planted draw', key, count + i));
      found[name] = (found[name] ?? 0) + 1;
    }
    count += size;
    appendFileSync(file, `${JSON.stringify({ key, count: size, found } satisfies Line)}\n`);
    add(found);
  }
  return sum;
}

function judged(cases: readonly Case[], done: Line[]): string[][] {
  return cases.map(({ name, expected, margin, pool, size, demanded }) => {
    const small = size !== undefined && size < DEMANDED.size;
    const counts = SIZES.map((n) => {
      const found = tally(done, `${name} | ${n} | ${DRAWS}`, RESAMPLES, (random) =>
        verdictOn(pool, { size: n, draws: DRAWS, margin }, random),
      );
      const right = found[expected] ?? 0;
      const undecided = found.undecided ?? 0;
      // Of an effect that is no more than the margin it is true that there is none to speak of.
      const none = small ? (found['no effect'] ?? 0) : 0;
      return { right, undecided, none, wrong: RESAMPLES - right - undecided - none };
    });
    const last = counts.at(-1)!;
    const isRight = !demanded || last.right >= DEMANDED.right * RESAMPLES;
    const isSafe = counts.every(({ wrong }) => wrong <= DEMANDED.wrong * RESAMPLES);
    say(`${name}: ${JSON.stringify(counts)}`);
    return [
      name,
      expected,
      margin.toFixed(3),
      size === undefined ? '–' : size.toFixed(1),
      ...counts.flatMap(({ right, undecided, none, wrong }) => [right, none, undecided, wrong].map(String)),
      isRight && isSafe ? 'yes' : 'NO',
    ];
  });
}

function coverage(cases: readonly Case[], done: Line[]): string[][] {
  return cases
    .filter(({ name }) => name === 'nothing' || name === NUISANCE)
    .map(({ name, pool }) => [
      name,
      ...SIZES.map((n) => {
        const held = tally(done, `holds | ${name} | ${n} | ${DRAWS}`, REPEATS, (random) =>
          holdsAll(pool, { size: n, draws: DRAWS }, random) ? 'held' : 'missed',
        );
        return `${((100 * (held.held ?? 0)) / REPEATS).toFixed(2)}%`;
      }),
    ]);
}

const { calibration: found, tables } = await scored();
if (options.only !== 'scores') {
  const done = linesOf<Line>(path.join(WORK, 'verdicts.jsonl'));
  const cases = casesOf(found, tables);
  const n = (size: number) => size.toLocaleString('en');
  const perSize = SIZES.flatMap((size) =>
    ['right', 'no effect', 'undecided', 'wrong'].map((what) => `${n(size)}: ${what}`),
  );
  const { recorded, planted } = found.nuisance;
  const text = [
    `${n(SAMPLES)} samples of AdWorld, each a cluster; ${n(RESAMPLES)} draws of ${SIZES.map(n).join(' and ')} of them with ${n(DRAWS)} resamples each. Strengths, and the totals that margins are of, come from ${n(HELD)} other samples.`,
    '',
    ...table(['planted', 'verdict', 'margin', 'effect, margins', ...perSize, 'as demanded'], judged(cases, done)),
    '',
    `Random changes of document rows move P* by a standard deviation of ${planted.deviation.toFixed(2)} with kurtosis ${planted.kurtosis.toFixed(0)}; recorded are ${recorded.deviation.toFixed(2)} and ${recorded.kurtosis.toFixed(0)}.`,
    '',
    ...table([`all intervals hold the truth, of ${n(REPEATS)}`, ...SIZES.map(n)], coverage(cases, done)),
  ].join('\n');
  say(`\n${text}`);
  if (options.write) await replaceSection('protocol.md', 'planted', text);
}
