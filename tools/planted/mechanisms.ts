/** The mechanisms that are planted, how strong each is to be, and how its strength is found on samples that are held out. */
import { mean } from '../../src/stats/describe.js';
import type { Step, VerdictName } from '../../src/stats/mechanism.js';
import { type CellTable, gainOf, stepsOf, type Terms } from './cells.js';
import { BASE, type Plant } from './plant.js';

/** The prefix whose verdict is judged. */
export const JUDGED = 'oracle';

export interface Mechanism {
  readonly name: string;
  /** What its verdict should be. */
  readonly expected: VerdictName;
  /** The size that a step is brought to, in nats a token; undefined where nothing is planted. */
  readonly wanted?: { readonly step: Step; readonly value: number };
  /** Between which strengths to look for it; the step grows from the first to the second. */
  readonly between?: readonly [number, number];
  readonly plant: (strength: number) => Plant;
}

const EFFECTS = [0.025, 0.05, 0.1, 0.3, 1];

const nats = (value: number) => `${value} nats`;

/**
 * BOS's row turned round and made larger. Made larger alone it helps nearly as many answers as it harms until it is very large, so that no 1,000 samples tell a tenth of a nat
 * from 0.
 */
const sink = (strength: number): Plant => ({ ...BASE, bos: -strength });

export const MECHANISMS: readonly Mechanism[] = [
  { name: 'nothing', expected: 'no effect', plant: () => BASE },
  ...EFFECTS.map(
    (value): Mechanism => ({
      name: `sink, ${nats(value)}`,
      expected: 'hidden BOS',
      wanted: { step: 'H', value },
      between: [1, 1024],
      plant: sink,
    }),
  ),
  ...EFFECTS.map(
    (value): Mechanism => ({
      name: `priming, ${nats(value)}`,
      expected: 'primed',
      wanted: { step: 'P0', value },
      between: [0, 2],
      plant: (primed) => ({ ...BASE, primed }),
    }),
  ),
  {
    name: `any prefix, ${nats(0.3)}`,
    expected: 'structural',
    wanted: { step: 'P0', value: 0.3 },
    between: [0, 2],
    plant: (structural) => ({ ...BASE, structural }),
  },
  {
    name: `leak, ${nats(0.1)}`,
    expected: 'leak',
    wanted: { step: 'L', value: 0.1 },
    between: [0, 0.7],
    plant: (leak) => ({ ...BASE, leak }),
  },
  {
    name: 'sink over priming',
    expected: 'unmasked',
    // Made larger and not turned round BOS's row covers the priming sooner: at this H less than half a margin is left of it, and without BOS it is more than two.
    wanted: { step: 'H', value: 1.4 },
    between: [8, 1024],
    plant: (bos) => ({ ...BASE, bos, primed: 1 }),
  },
  {
    name: `line break encoded, ${nats(0.3)}`,
    expected: 'line break',
    wanted: { step: 'W', value: 0.3 },
    between: [0, 2],
    plant: (lineEncoded) => ({ ...BASE, lineEncoded }),
  },
  {
    name: `line break shown, ${nats(0.1)}`,
    expected: 'line break',
    wanted: { step: 'V', value: 0.1 },
    between: [0, 0.7],
    plant: (lineShown) => ({ ...BASE, lineShown }),
  },
];

/** Samples of two mechanisms together: so large a share of the first. */
export const MIXTURES = [0.7, 0.5, 0.3].map((share) => ({
  name: `${Math.round(100 * share)}% sink, ${Math.round(100 - 100 * share)}% priming, ${nats(1)} each`,
  share,
  parts: [`sink, ${nats(1)}`, `priming, ${nats(1)}`] as const,
}));

/** What scores a plant on the samples that are held out. */
export type Score = (plant: Plant, cells: readonly string[]) => Promise<readonly CellTable[string][]>;

const TRIES = 16;

/** So near to a value is near enough, as a share of it. */
const NEAR = 0.01;

/**
 * The strength at which `measure` is `value`, which grows from one end to the other: by halving, and in between where a line through both ends has it.
 * @throws Error where it is not below the value at the first end and above it at the second
 */
export async function bisected(
  [from, to]: readonly [number, number],
  value: number,
  measure: (strength: number) => number | Promise<number>,
): Promise<number> {
  // Ratios tell strengths apart where neither end is 0.
  const [warp, unwarp] = Math.min(from, to) > 0 ? [Math.log, Math.exp] : [(x: number) => x, (x: number) => x];
  let [low, high] = [warp(from), warp(to)];
  let [least, most] = [await measure(from), await measure(to)];
  if (!(least <= value && value <= most)) {
    throw new Error(`between ${from} and ${to} the step goes from ${least} to ${most}, and not by ${value}`);
  }
  for (let tried = 0; tried < TRIES; tried++) {
    const share = tried % 2 === 0 ? 0.5 : (value - least) / (most - least);
    const at = low + share * (high - low);
    const found = await measure(unwarp(at));
    if (Math.abs(found - value) <= NEAR * Math.abs(value)) return unwarp(at);
    if (found < value) [low, least] = [at, found];
    else [high, most] = [at, found];
  }
  return unwarp((low + high) / 2);
}

/** The mean of what cells come to on the samples that are held out. */
export async function heldMean(score: Score, plant: Plant, terms: Terms): Promise<number> {
  const tables = await score(plant, Object.keys(terms));
  return mean(tables.map((table) => gainOf(table, terms)));
}

export async function calibrated({ plant, wanted, between }: Mechanism, score: Score): Promise<Plant> {
  if (!wanted || !between) return plant(0);
  const terms = stepsOf(JUDGED)[wanted.step]!;
  return plant(await bisected(between, wanted.value, (strength) => heldMean(score, plant(strength), terms)));
}
