/** Interval estimates: percentiles of a bootstrap, Wilson's, and the large-sample one of Cohen's d. All at 95%. */
import type { Random } from '../base/random.js';
import { sortedQuantile } from './describe.js';
import { normalQuantile, tQuantile } from './distributions.js';

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
 * Wilson's interval for a share of wins (Wilson 1927), at the effective number of samples, with Student's quantile for the number of clusters (Korn
 * and Graubard 1998 take both from the design).
 * @param samples effective number of samples; need not be a whole number
 * @param clusters two or more
 */
export function wilsonInterval(share: number, samples: number, clusters: number): Interval {
  const t = tQuantile((1 + LEVEL) / 2, clusters - 1);
  const center = (share + t ** 2 / (2 * samples)) / (1 + t ** 2 / samples);
  const half = (t / (1 + t ** 2 / samples)) * Math.sqrt((share * (1 - share)) / samples + t ** 2 / (4 * samples ** 2));
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) };
}

/** Interval of Cohen's d of paired differences by its large-sample standard error, sqrt(1/n + d^2/2n) (Hedges and Olkin 1985). */
export function analyticDInterval(d: number, samples: number): Interval {
  const half = normalQuantile((1 + LEVEL) / 2) * Math.sqrt(1 / samples + d ** 2 / (2 * samples));
  return { low: d - half, high: d + half };
}
