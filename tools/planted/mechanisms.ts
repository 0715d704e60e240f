/** The mechanisms that are planted, how strong each is to be, and how its strength is found on samples that are held out. */
import { mean, standardDeviation } from '../../src/stats/describe.js';
import type { Step, VerdictName } from '../../src/stats/mechanism.js';
import { type CellTable, gainOf, stepsOf } from './cells.js';
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

export const MECHANISMS: readonly Mechanism[] = [
  { name: 'nothing', expected: 'no effect', plant: () => BASE },
  ...EFFECTS.map(
    (value): Mechanism => ({
      name: `sink, ${nats(value)}`,
      expected: 'hidden BOS',
      wanted: { step: 'H', value },
      between: [2, 1024],
      plant: (bos) => ({ ...BASE, bos }),
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
    // So strong a sink that it leaves as little as this of the priming.
    wanted: { step: 'P*', value: 0.2 },
    between: [1024, 4],
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

/** Random changes of document rows that do nothing on average. */
export const NUISANCE = 'nuisance';

const noisy = (noise: Plant['noise']): Plant => ({ ...BASE, noise });

const TAILS = [1, 1.5, 2, 2.5, 3, 4];

/** Standard deviation, and the fourth moment over the square of the second: 3 for normal data. */
export interface Spread {
  readonly deviation: number;
  readonly kurtosis: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const center = mean(values);
  const moment = (power: number) => mean(values.map((value) => (value - center) ** power));
  return { deviation: standardDeviation(values), kurtosis: moment(4) / moment(2) ** 2 };
}

/** Samples of two mechanisms together: so large a share of the first. */
export const MIXTURES = [0.7, 0.5, 0.3].map((share) => ({
  name: `${Math.round(100 * share)}% sink, ${Math.round(100 - 100 * share)}% priming, ${nats(1)} each`,
  share,
  parts: [`sink, ${nats(1)}`, `priming, ${nats(1)}`] as const,
}));

/** What scores a plant on the samples that are held out. */
export type Score = (plant: Plant, cells: readonly string[]) => Promise<readonly CellTable[string][]>;

const HALVINGS = 12;

/** The strength at which `measure` is `value`, which grows (or falls) from one end to the other. @throws Error where it does not hold it */
export async function bisected(
  [from, to]: readonly [number, number],
  value: number,
  measure: (strength: number) => Promise<number>,
): Promise<number> {
  // Ratios tell strengths apart where neither end is 0.
  const [warp, unwarp] = Math.min(from, to) > 0 ? [Math.log, Math.exp] : [(x: number) => x, (x: number) => x];
  let [low, high] = [warp(from), warp(to)];
  const [least, most] = [await measure(from), await measure(to)];
  if (!(least <= value && value <= most)) {
    throw new Error(`between ${from} and ${to} the step goes from ${least} to ${most}, and not by ${value}`);
  }
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if ((await measure(unwarp(middle))) < value) low = middle;
    else high = middle;
  }
  return unwarp((low + high) / 2);
}

/** The values of a step, a sample each. */
export async function stepValues(score: Score, plant: Plant, step: Step): Promise<number[]> {
  const terms = stepsOf(JUDGED)[step]!;
  const tables = await score(plant, Object.keys(terms));
  return tables.map((table) => gainOf(table, terms));
}

export async function calibrated({ plant, wanted, between }: Mechanism, score: Score): Promise<Plant> {
  if (!wanted || !between) return plant(0);
  const measure = async (strength: number) => mean(await stepValues(score, plant(strength), wanted.step));
  return plant(await bisected(between, wanted.value, measure));
}

/** Random changes that vary as a recorded step does, as near as one of the tails comes to its kurtosis, and do nothing on average. */
export async function calibratedNuisance(recorded: Spread, score: Score): Promise<Plant> {
  const values = (noise: Plant['noise']) => stepValues(score, noisy(noise), 'P*');
  let nearest = { apart: Number.POSITIVE_INFINITY, noise: BASE.noise };
  for (const tail of TAILS) {
    const of = (spread: number) => values({ mean: 0, spread, tail });
    const spread = await bisected([0, 1], recorded.deviation, async (one) => standardDeviation(await of(one)));
    const { kurtosis } = spreadOf(await of(spread));
    const apart = Math.abs(Math.log(kurtosis / recorded.kurtosis));
    if (apart < nearest.apart) nearest = { apart, noise: { mean: 0, spread, tail } };
  }
  const { noise } = nearest;
  const average = await bisected([-0.2, 0.2], 0, async (one) => mean(await values({ ...noise, mean: one })));
  return noisy({ ...noise, mean: average });
}
