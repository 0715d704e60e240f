/** Interval estimates: bootstrap (BCa, percentile) and Wilson's. All at 95% unless said otherwise. */
import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import type { Random } from '../random.js';
import { mean, sortedQuantile } from './describe.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const LEVEL = 0.95;

/**
 * Resamples `size` cases with replacement and computes some statistics of each resample; the statistics share resamples, so
 * their replicates may be combined (a ratio of two means, say).
 * @param statistics from the indices of a resample to one number per statistic
 * @returns one list of replicates per statistic, in the order of the resamples
 */
export function bootstrap(
  size: number,
  statistics: (indices: Int32Array) => readonly number[],
  resamples: number,
  random: Random,
): Float64Array[] {
  const indices = new Int32Array(size);
  let replicates: Float64Array[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < size; i++) indices[i] = random.below(size);
    const values = statistics(indices);
    if (resample === 0) replicates = values.map(() => new Float64Array(resamples));
    for (const [i, value] of values.entries()) replicates[i]![resample] = value;
  }
  return replicates;
}

/** The middle 95% of the replicates. NaN replicates are left out; undefined when they are more than a tenth. */
export function percentileInterval(replicates: Float64Array): Interval | undefined {
  const usable = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (usable.length < 0.9 * replicates.length) return undefined;
  return { low: sortedQuantile(usable, (1 - LEVEL) / 2), high: sortedQuantile(usable, (1 + LEVEL) / 2) };
}

/**
 * Bias-corrected and accelerated bootstrap interval (Efron 1987), or the percentile interval where the correction is undefined
 * (all replicates on one side, or no variation among the jackknife values).
 * @param estimate the statistic of the whole sample
 * @param jackknife the statistic of the sample without case i, for every i
 */
export function bcaInterval(
  replicates: Float64Array,
  estimate: number,
  jackknife: readonly number[],
): Interval | undefined {
  const usable = replicates.filter((value) => !Number.isNaN(value)).sort();
  const below =
    usable.filter((value) => value < estimate).length + usable.filter((value) => value === estimate).length / 2;
  const bias = normalQuantile(below / usable.length, 0, 1);
  const center = mean(jackknife);
  const cubes = jackknife.reduce((sum, value) => sum + (center - value) ** 3, 0);
  const squares = jackknife.reduce((sum, value) => sum + (center - value) ** 2, 0);
  const acceleration = cubes / (6 * squares ** 1.5);
  if (!Number.isFinite(bias) || !Number.isFinite(acceleration) || usable.length < 0.9 * replicates.length) {
    return percentileInterval(replicates);
  }
  const corrected = (q: number) => {
    const z = bias + normalQuantile(q, 0, 1);
    return sortedQuantile(usable, normalCdf(bias + z / (1 - acceleration * z), 0, 1));
  };
  return { low: corrected((1 - LEVEL) / 2), high: corrected((1 + LEVEL) / 2) };
}

/** Wilson's interval for a share of `successes` among `trials`. */
export function wilsonInterval(successes: number, trials: number): Interval {
  const z = normalQuantile((1 + LEVEL) / 2, 0, 1);
  const share = successes / trials;
  const center = (share + z ** 2 / (2 * trials)) / (1 + z ** 2 / trials);
  const half = (z / (1 + z ** 2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) };
}
