/** Interval estimates: bootstrap (BCa, percentile) and Wilson's. All at 95% unless said otherwise. */
import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import tQuantile from '@stdlib/stats-base-dists-t-quantile';
import type { Random } from '../base/random.js';
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

/**
 * The same where cases are not independent: whole clusters are drawn, as many as there are, so that a resample's size varies.
 * @param clusters the indices of each cluster's cases
 */
export function clusteredBootstrap(
  clusters: readonly (readonly number[])[],
  statistics: (indices: Int32Array) => readonly number[],
  resamples: number,
  random: Random,
): Float64Array[] {
  const widest = Math.max(...clusters.map(({ length }) => length));
  const cases = new Int32Array(widest * clusters.length);
  return bootstrap(
    clusters.length,
    (drawn) => {
      let size = 0;
      for (const cluster of drawn) for (const index of clusters[cluster]!) cases[size++] = index;
      return statistics(cases.subarray(0, size));
    },
    resamples,
    random,
  );
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

/** Interval of Cohen's d of paired differences by its large-sample standard error, sqrt(1/n + d^2/2n) (Hedges and Olkin 1985). */
export function analyticDInterval(d: number, samples: number): Interval {
  const half = normalQuantile((1 + LEVEL) / 2, 0, 1) * Math.sqrt(1 / samples + d ** 2 / (2 * samples));
  return { low: d - half, high: d + half };
}

/**
 * Fieller's interval for the ratio of two paired means, numerator over denominator (Fieller 1954).
 * @returns undefined where the denominator's mean is not distinguishable from 0: the ratio is then not bounded
 */
export function fiellerInterval(numerator: readonly number[], denominator: readonly number[]): Interval | undefined {
  const n = numerator.length;
  const [top, bottom] = [mean(numerator), mean(denominator)];
  let [varianceTop, varianceBottom, covariance] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [dt, db] = [numerator[i]! - top, denominator[i]! - bottom];
    varianceTop += dt * dt;
    varianceBottom += db * db;
    covariance += dt * db;
  }
  // t^2 over n times the (n - 1) of the variances.
  const scale = tQuantile((1 + LEVEL) / 2, n - 1) ** 2 / (n * (n - 1));
  const a = bottom ** 2 - scale * varianceBottom;
  const b = top * bottom - scale * covariance;
  const c = top ** 2 - scale * varianceTop;
  if (!(a > 0)) return undefined;
  const root = Math.sqrt(Math.max(0, b * b - a * c));
  return { low: (b - root) / a, high: (b + root) / a };
}
