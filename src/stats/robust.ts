/**
 * Statistics that a few samples cannot carry: the 20% trimmed mean, the effect size made of it, and how much of a gain outliers hold.
 */

import { labelsOf } from './dependence.js';
import { roundingOfSum } from './describe.js';
import { type Interval, percentileInterval } from './interval.js';
import { areEnough } from './mean-inference.js';
import type { Resamples } from './resamples.js';

/** The share of values left out at either end. */
const TRIMMED = 0.2;

/**
 * The standard deviation of a standard normal variable whose outer fifths are winsorised. It makes the effect size equal Cohen's d where data are
 * normal.
 */
const NORMAL_WINSORIZED = 0.642;

export interface Robust {
  /** The mean without the lowest and the highest fifth of the values, rounded down (scipy's `trim_mean`). */
  readonly trimmedMean: number;
  /** .642 times the trimmed mean over the winsorised standard deviation (Algina, Keselman and Penfield 2005); NaN where that is 0. */
  readonly robustD: number;
}

/** Values in ascending order, each with its cluster. */
interface Ordered {
  /** The number that was subtracted from the values, so that squares lose no digits: their median. */
  readonly center: number;
  readonly values: Float64Array;
  readonly squares: Float64Array;
  readonly labels: Int32Array;
}

/** The robust statistics of a list of one value or more. */
export function robust(list: ArrayLike<number>): Robust {
  const ones = new Uint8Array(list.length).fill(1);
  return weighted(ordered(list, Int32Array.from(ones.keys())), ones, list.length);
}

/** Trimmed means and robust d of every resample; percentile intervals are made of them. */
export interface RobustReplicates {
  readonly trimmedMean: Float64Array;
  readonly robustD: Float64Array;
}

/** @param lists each of as many values as there are samples */
export function resampledRobust(lists: readonly ArrayLike<number>[], resamples: Resamples): RobustReplicates[] {
  const { clusters, draws } = resamples;
  const found = lists.map(() => ({ trimmedMean: new Float64Array(draws), robustD: new Float64Array(draws) }));
  const sorted = lists.map((list) => ordered(list, labelsOf(clusters, list.length)));
  resamples.forEach((counts, draw) => {
    let samples = 0;
    for (let g = 0; g < counts.length; g++) samples += counts[g]! * clusters[g]!.length;
    for (let l = 0; l < lists.length; l++) {
      const { trimmedMean, robustD } = weighted(sorted[l]!, counts, samples);
      found[l]!.trimmedMean[draw] = trimmedMean;
      found[l]!.robustD[draw] = robustD;
    }
  });
  return found;
}

/** The middle 95% of the replicates; undefined for fewer than six clusters. */
export function percentilesOf(replicates: Float64Array, { clusters }: Resamples): Interval | undefined {
  return areEnough(clusters) ? percentileInterval(replicates) : undefined;
}

function ordered(list: ArrayLike<number>, clusters: Int32Array): Ordered {
  const order = Array.from({ length: list.length }, (_, index) => index).sort((a, b) => list[a]! - list[b]!);
  const center = list[order[order.length >> 1]!]!;
  const values = Float64Array.from(order, (index) => list[index]! - center);
  return {
    center,
    values,
    squares: values.map((value) => value * value),
    labels: Int32Array.from(order, (index) => clusters[index]!),
  };
}

/** @param counts how often the values of each cluster are there, `samples` in all, one or more */
function weighted({ center, values, squares, labels }: Ordered, counts: Uint8Array, samples: number): Robust {
  const cut = Math.floor(TRIMMED * samples);
  const end = samples - cut;
  let at = 0;
  // How many values stand before the one at `at`.
  let before = 0;
  for (let behind = counts[labels[0]!]!; behind <= cut; behind += counts[labels[++at]!]!) before = behind;
  const low = at;
  let [sum, square] = [0, 0];
  let from = cut;
  for (let behind = before + counts[labels[at]!]!; behind < end; behind += counts[labels[++at]!]!) {
    const count = behind - from;
    sum += count * values[at]!;
    square += count * squares[at]!;
    from = behind;
  }
  const rest = end - from;
  sum += rest * values[at]!;
  square += rest * squares[at]!;
  // Winsorised: what is cut off counts as the nearest value that is not.
  const winsorized = sum + cut * (values[low]! + values[at]!);
  const variance = (square + cut * (squares[low]! + squares[at]!) - winsorized ** 2 / samples) / (samples - 1);
  // Of equal values rounding is left, at most.
  const varies = values[at]! > values[low]!;
  const trimmedMean = center + sum / (end - cut);
  return { trimmedMean, robustD: varies ? (NORMAL_WINSORIZED * trimmedMean) / Math.sqrt(variance) : Number.NaN };
}

/** The number of largest gains that are looked at. */
export const TOP_SAMPLES = 25;

/** Share of the total gain in the 25 gains that are farthest from 0; undefined where there are no more than these, or the total is 0 up to its last bits. */
export function topShare(gains: readonly number[]): number | undefined {
  if (gains.length <= TOP_SAMPLES) return undefined;
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  if (Math.abs(total) <= roundingOfSum(gains)) return undefined;
  const largest = [...gains].sort((a, b) => Math.abs(b) - Math.abs(a)).slice(0, TOP_SAMPLES);
  return largest.reduce((sum, gain) => sum + gain, 0) / total;
}
