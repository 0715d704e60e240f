/**
 * Random changes of document rows that do nothing on average: how they are drawn so that P* varies as it was recorded. P* of every sample is scored with its rows moved
 * by fixed amounts, and taken as linear between these; what a draw of amounts comes to is then known without the model.
 */
import { mean, standardDeviation } from '../../src/stats/describe.js';
import { type CellTable, gainOf, stepsOf } from './cells.js';
import { bisected, JUDGED } from './mechanisms.js';
import { BASE, disturbance, type Noise, type Plant, REACH } from './plant.js';

export const NUISANCE = 'nuisance';

/** What P* is made of. */
const TERMS = stepsOf(JUDGED)['P*']!;

/** Between which tails to look: a small one makes amounts nearly equal but for their sign. */
const TAILS = [0.25, 6] as const;

const AMOUNTS = [-REACH, -1, -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.5, 1, REACH];

/** By the names of plants that move every sample's rows by the same amount, the cells that are scored. */
export const CURVES = {
  cells: Object.keys(TERMS),
  plants: Object.fromEntries(AMOUNTS.map((amount): [string, Plant] => [`${amount}`, { ...BASE, structural: amount }])),
};

/** P* of one sample at each of the amounts. */
export function curveOf(table: CellTable): number[] {
  return AMOUNTS.map((amount) => gainOf(table[`${amount}`]!, TERMS));
}

function onCurve(curve: readonly number[], amount: number): number {
  const at = Math.max(
    1,
    AMOUNTS.findIndex((one) => one >= amount),
  );
  const [from, to] = [AMOUNTS[at - 1]!, AMOUNTS[at]!];
  const share = (amount - from) / (to - from);
  return (1 - share) * curve[at - 1]! + share * curve[at]!;
}

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

/** What a sample has, and the normal number that its noise is made of. */
export interface Movable {
  readonly curve: readonly number[];
  readonly chance: number;
}

/**
 * Noise with which P* has a mean of 0 and the recorded standard deviation and kurtosis.
 * @throws Error where the samples cannot vary so, as a few of them cannot
 */
export async function nuisanceOf(samples: readonly Movable[], recorded: Spread): Promise<Plant> {
  const values = (noise: Noise) => samples.map(({ curve, chance }) => onCurve(curve, disturbance(noise, chance)));
  const centered = async (noise: Omit<Noise, 'mean'>): Promise<Noise> => ({
    ...noise,
    mean: await bisected([-REACH, REACH], 0, (one) => mean(values({ ...noise, mean: one }))),
  });
  const spread = async (tail: number): Promise<Noise> => {
    const deviation = async (one: number) => standardDeviation(values(await centered({ tail, spread: one })));
    return centered({ tail, spread: await bisected([0.001, 0.5], recorded.deviation, deviation) });
  };
  const kurtosis = async (tail: number) => spreadOf(values(await spread(tail))).kurtosis;
  const tail = await bisected(TAILS, recorded.kurtosis, kurtosis);
  return { ...BASE, noise: await spread(tail) };
}
