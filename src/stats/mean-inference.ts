/**
 * Inference on means of samples that come in clusters. A mean's t is the mean over its cluster-robust standard error; interval and p come from one reference
 * distribution of |t|, so that they cannot disagree: p is at most .05 exactly where the interval does not hold 0.
 *
 * - From 20 clusters on: the symmetric studentised cluster bootstrap (Hall 1988; Cameron, Gelbach and Miller 2008): whole clusters are drawn, and each
 *   resample gives a |t*| around the sample's mean with its own CR1 standard error.
 * - From 6 to 19: Student's t with Satterthwaite's degrees of freedom, and CR2 for the standard error.
 * - Below 6: neither interval nor p.
 *
 * For the bootstrap clusters of unequal sizes count as fewer (`effectiveClusters`): where one holds most samples, few degrees of freedom make a wide interval.
 */
import {
  correctionFor,
  covariances,
  effectiveClusters,
  FEWEST_FOR_BOOTSTRAP,
  satterthwaite,
  sumsOf,
} from './cluster-variance.js';
import type { Dependence, Partition } from './dependence.js';
import { mean, standardDeviation } from './describe.js';
import { tQuantile, tTail } from './distributions.js';
import type { Interval } from './interval.js';
import type { Resamples } from './resamples.js';

/** The number of clusters below which there is neither interval nor p. */
export const FEWEST_FOR_TEST = 6;

/** Tells whether there are enough clusters for an interval. */
export function areEnough(clusters: Partition): boolean {
  return clusters.length >= FEWEST_FOR_TEST;
}

const LEVEL = 0.95;

/** |t| above this is significant at 5% where the clusters are too few for a bootstrap. */
export function criticalOfStudent(clusters: Partition): number {
  return tQuantile((1 + LEVEL) / 2, satterthwaite(clusters));
}

/** |t| is significant at 5% where no more of the draws than these have a |t*| as large: 499 of 9,999. */
export function mostBeyond(draws: number): number {
  return draws - Math.ceil(LEVEL * (draws + 1));
}

/** The distribution that |t| is compared with. */
interface Reference {
  /** The critical value: a greater |t| is significant at 5%. */
  readonly critical: number;
  /** The two-sided p: the probability of so large a |t|. */
  tail(t: number): number;
}

/** A mean with what is known of its error. */
export interface MeanInference {
  readonly mean: number;
  /** The cluster-robust standard error; NaN for a single cluster. */
  readonly standardError: number;
  /** The reference distribution; undefined with too few clusters. */
  readonly reference: Reference | undefined;
}

/**
 * @param lists each of as many values as there are samples
 * @param resamples of the dependence's clusters
 */
export function inferMeans(
  lists: readonly ArrayLike<number>[],
  dependence: Dependence,
  resamples: Resamples,
): MeanInference[] {
  const means = lists.map(mean);
  const deviations = lists.map((list, l) => Float64Array.from(list, (value) => value - means[l]!));
  const references = referencesOf(deviations, dependence, resamples);
  return lists.map((_, l) => ({
    mean: means[l]!,
    standardError: errorOf(deviations[l]!, dependence),
    reference: references[l],
  }));
}

/** Cluster-robust standard error of a mean; NaN for a single cluster. */
export function standardErrorOfMean(list: readonly number[], dependence: Dependence): number {
  const center = mean(list);
  return errorOf(
    Float64Array.from(list, (value) => value - center),
    dependence,
  );
}

function errorOf(deviations: Float64Array, dependence: Dependence): number {
  const { clusters } = dependence;
  const estimators = covariances(dependence, deviations.length, correctionFor(clusters));
  return Math.sqrt(Math.max(...estimators.map((covariance) => covariance(deviations, deviations))));
}

/** The two-sided p of a mean of 0; 1 where all values are 0. */
export function pOfMean({ mean, standardError, reference }: MeanInference): number | undefined {
  return mean === 0 ? reference && 1 : reference?.tail(Math.abs(mean) / standardError);
}

/** The 95% interval of the mean. */
export function intervalOfMean({ mean, standardError, reference }: MeanInference): Interval | undefined {
  if (!reference) return undefined;
  const half = reference.critical * standardError;
  return { low: mean - half, high: mean + half };
}

/**
 * The p of the equivalence test (two one-sided tests): small where the mean is shown to lie within the margin around 0.
 * @param margin in the unit of the values
 */
export function equivalenceOfMean(
  { mean, standardError, reference }: MeanInference,
  margin: number,
): number | undefined {
  if (!reference || !(standardError > 0)) return undefined;
  // The distribution is symmetric: half of both tails.
  const above = (t: number) => (t >= 0 ? reference.tail(t) / 2 : 1 - reference.tail(-t) / 2);
  return Math.max(above((margin + mean) / standardError), above((margin - mean) / standardError));
}

/**
 * The effective number of samples: the number of samples over the design effect, which is the clustered variance of the mean over that of
 * independent samples. It is never more than there are.
 */
export function effectiveSamples(list: readonly number[], standardError: number): number {
  const variance = standardDeviation(list) ** 2 / list.length;
  const effect = variance > 0 && Number.isFinite(standardError) ? standardError ** 2 / variance : 1;
  return list.length / Math.max(1, effect);
}

/** @param deviations of each list from its mean */
function referencesOf(
  deviations: readonly Float64Array[],
  { clusters }: Dependence,
  resamples: Resamples,
): (Reference | undefined)[] {
  if (!areEnough(clusters)) return deviations.map(() => undefined);
  if (effectiveClusters(clusters) < FEWEST_FOR_BOOTSTRAP) {
    const freedom = satterthwaite(clusters);
    const student: Reference = {
      critical: criticalOfStudent(clusters),
      tail: (t) => 2 * tTail(t, freedom),
    };
    return deviations.map(() => student);
  }
  return studentized(deviations, resamples).map((ts) => {
    ts.sort();
    // The 9,500th of 9,999: then p is at most .05 exactly where |t| is above it.
    const critical = ts[ts.length - mostBeyond(ts.length) - 1]!;
    return { critical, tail: (t) => (1 + countFrom(ts, t)) / (ts.length + 1) };
  });
}

/**
 * What |t| the means of all lists stay below together: the quantile of the largest |t*| of each resample. From too few clusters for the bootstrap Student's t,
 * by Bonferroni.
 * @param level of all intervals together, .99 say
 * @returns undefined with too few clusters
 */
export function criticalTogether(
  lists: readonly ArrayLike<number>[],
  { clusters }: Dependence,
  resamples: Resamples,
  level: number,
): number | undefined {
  if (!areEnough(clusters)) return undefined;
  if (effectiveClusters(clusters) < FEWEST_FOR_BOOTSTRAP) {
    return tQuantile(1 - (1 - level) / (2 * lists.length), satterthwaite(clusters));
  }
  const deviations = lists.map((list) => {
    const center = mean(list);
    return Float64Array.from(list, (value) => value - center);
  });
  return largestTogether(studentized(deviations, resamples), level);
}

/** The quantile over resamples of the largest value of each. @param found per list a value for every resample */
export function largestTogether(found: readonly Float64Array[], level: number): number {
  const largest = new Float64Array(found[0]!.length);
  // None of the values is below 0.
  for (const own of found)
    for (let draw = 0; draw < own.length; draw++) largest[draw] = Math.max(largest[draw]!, own[draw]!);
  largest.sort();
  return largest[Math.ceil(level * (largest.length + 1)) - 1]!;
}

/** The |t*| of every resample for each list, around a mean of 0. */
function studentized(deviations: readonly Float64Array[], resamples: Resamples): Float64Array[] {
  const { clusters, draws } = resamples;
  const size = clusters.length;
  const sizes = Float64Array.from(clusters, ({ length }) => length);
  const sums = deviations.map((list) => sumsOf(list, clusters));
  const found = deviations.map(() => new Float64Array(draws));
  const drawn = new Int32Array(size);
  const factor = size / (size - 1);
  // Of equal values the sums are rounding, and so is what they vary.
  const least = sums.map((own) => (1e-12 * Math.max(...own.map(Math.abs))) ** 2);
  resamples.forEach((counts, draw) => {
    let different = 0;
    let samples = 0;
    let sizeSquares = 0;
    for (let g = 0; g < size; g++) {
      const count = counts[g]!;
      if (count === 0) continue;
      drawn[different++] = g;
      const n = sizes[g]!;
      samples += count * n;
      sizeSquares += count * n * n;
    }
    for (let l = 0; l < sums.length; l++) {
      const own = sums[l]!;
      let total = 0;
      let squares = 0;
      let products = 0;
      for (let i = 0; i < different; i++) {
        const g = drawn[i]!;
        const count = counts[g]!;
        const sum = own[g]!;
        const weighted = count * sum;
        total += weighted;
        squares += weighted * sum;
        products += weighted * sizes[g]!;
      }
      const center = total / samples;
      const variance = factor * (squares - 2 * center * products + center * center * sizeSquares);
      // A resample of equal clusters does not vary: its mean is off by nothing or by infinitely many standard errors.
      const t = variance > least[l]! ? Math.abs(total) / Math.sqrt(variance) : Number.POSITIVE_INFINITY;
      found[l]![draw] = total * total <= least[l]! ? 0 : t;
    }
  });
  return found;
}

/** The number of ascending values that are at least `from`. */
function countFrom(ascending: Float64Array, from: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! >= from) high = middle;
    else low = middle + 1;
  }
  return ascending.length - low;
}
