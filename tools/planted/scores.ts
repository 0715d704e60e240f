/** All samples scored under all plants, whose strengths are found first. What stands in the files of the working folder is not made again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readRun } from '../../src/runs/run-folder.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { marginOf } from '../../src/stats/mechanism.js';
import { type CellTable, gainOf, type Known, type Prepared, scoreCells, stepsOf, totalOf } from './cells.js';
import { addLines, linesOf } from './lines.js';
import { calibrated, heldMean, JUDGED, MECHANISMS, type Score } from './mechanisms.js';
import { CURVES, curveOf, type Movable, NUISANCE, nuisanceOf, type Spread, spreadOf } from './nuisance.js';
import type { Plant } from './plant.js';
import { type Source, sourceOf } from './samples.js';

/** Samples that are encoded together, and those that one plant is scored with. */
const [CHUNK, BATCH] = [20, 100];

/** Of this share of the margin the mean of random changes is at most. */
const NOTHING = 0.25;

interface Calibration {
  readonly plants: Readonly<Record<string, Plant>>;
  /** T on the samples that are held out. */
  readonly totals: Readonly<Record<string, number>>;
}

export interface Scores extends Calibration {
  /** One a sample, by plant. */
  readonly tables: readonly CellTable[];
  /** P* of random words as recorded, and of random changes. */
  readonly nuisance: Readonly<Record<'recorded' | 'planted', Spread>>;
}

interface Sizes {
  readonly samples: number;
  readonly held: number;
}

/** P* of random words in the committed run. */
async function recordedGains(): Promise<number[]> {
  const { trials } = await readRun(path.resolve(import.meta.dirname, '../../results/built-in/bos'));
  const of = (name: string) =>
    new Map(trials.flatMap(({ condition, sample, nll }) => (condition === name ? [[sample, nll] as const] : [])));
  const primed = of('random_matched {B0,D2}');
  return [...of('E0:BD')].map(([sample, nll]) => nll - primed.get(sample)!);
}

/** @throws Error where the nuisance does something on average */
export async function scoresOf(sizes: Sizes, work: string, say: (line: string) => void): Promise<Scores> {
  const files = {
    calibration: path.join(work, 'calibration.json'),
    plants: path.join(work, 'plants.jsonl'),
    curves: path.join(work, 'curves.jsonl'),
    scores: path.join(work, 'scores.jsonl'),
  };
  const recorded = spreadOf(await recordedGains());
  const done = linesOf<{ table: CellTable }>(files.scores);
  const withNuisance = (found: Calibration): Scores => {
    const tables = linesOf<{ table: CellTable }>(files.scores).map(({ table }) => table);
    const values = tables.map((table) => gainOf(table[NUISANCE]!, stepsOf(JUDGED)['P*']!));
    const most = NOTHING * marginOf(found.totals[NUISANCE]!);
    if (!(Math.abs(mean(values)) <= most)) {
      throw new Error(`${NUISANCE}: P* is ${mean(values)} on average, and at most ${most} is no effect`);
    }
    return { ...found, tables, nuisance: { recorded, planted: spreadOf(values) } };
  };
  const read = () => JSON.parse(readFileSync(files.calibration, 'utf8')) as Calibration;
  if (done.length >= sizes.samples && existsSync(files.calibration)) return withNuisance(read());

  const model = await loadModel();
  try {
    const source = await sourceOf(model, sizes.samples + sizes.held);
    /** Every sample that has no line yet gets one. */
    const pass = async (
      file: string,
      one: (prepared: readonly Prepared[]) => Promise<readonly object[]>,
    ): Promise<void> => {
      const started = Date.now();
      const from = linesOf(file).length;
      for (let at = from; at < sizes.samples; at += CHUNK) {
        const places = Array.from({ length: Math.min(CHUNK, sizes.samples - at) }, (_, i) => at + i);
        const lines = await one(await source.prepared(places));
        addLines(
          file,
          lines.map((line, i) => ({ sample: source.samples[places[i]!]!.id, ...line })),
        );
      }
      say(`${path.basename(file)}: ${sizes.samples - from} samples in ${((Date.now() - started) / 1000).toFixed(0)} s`);
    };
    await pass(files.curves, async (prepared) => {
      const tables = await scoreCells(model.engine, prepared, CURVES.plants, CURVES.cells);
      return prepared.map((own, i): Movable => ({ curve: curveOf(tables[i]!), chance: own.prefixes[JUDGED].chance() }));
    });
    const found = existsSync(files.calibration)
      ? read()
      : await calibration(await heldOut(model.engine, source, sizes), files.plants, () =>
          nuisanceOf(linesOf<Movable>(files.curves), recorded),
        );
    writeFileSync(files.calibration, `${JSON.stringify(found, null, 1)}\n`);
    await pass(files.scores, async (prepared) =>
      (await scoreCells(model.engine, prepared, found.plants)).map((table) => ({ table })),
    );
    return withNuisance(found);
  } finally {
    await model.close();
  }
}

async function heldOut(
  engine: Parameters<typeof scoreCells>[0],
  source: Source,
  { samples, held }: Sizes,
): Promise<Score> {
  const prepared: Prepared[] = [];
  for (let at = 0; at < held; at += CHUNK) {
    const places = Array.from({ length: Math.min(CHUNK, held - at) }, (_, i) => samples + at + i);
    prepared.push(...(await source.prepared(places)));
  }
  const known = prepared.map((): Known => new Map());
  return async (plant, cells) => {
    const found: CellTable[string][] = [];
    for (let at = 0; at < held; at += BATCH) {
      const own = [at, at + BATCH] as const;
      const tables = await scoreCells(engine, prepared.slice(...own), { plant }, cells, known.slice(...own));
      found.push(...tables.map((table) => table.plant!));
    }
    return found;
  };
}

async function calibration(score: Score, file: string, nuisance: () => Promise<Plant>): Promise<Calibration> {
  const plants: Record<string, Plant> = Object.fromEntries(
    linesOf<{ name: string; plant: Plant }>(file).map(({ name, plant }) => [name, plant]),
  );
  const find = async (name: string, make: () => Promise<Plant>) => {
    if (name in plants) return;
    plants[name] = await make();
    addLines(file, [{ name, plant: plants[name] }]);
  };
  for (const mechanism of MECHANISMS) await find(mechanism.name, () => calibrated(mechanism, score));
  await find(NUISANCE, nuisance);
  const totals: Record<string, number> = {};
  for (const [name, plant] of Object.entries(plants)) {
    totals[name] = await heldMean(score, plant, totalOf(JUDGED));
  }
  return { plants, totals };
}
