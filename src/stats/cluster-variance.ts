/** Variances and covariances of means of samples that come in clusters. */
import type { Dependence, Partition } from './dependence.js';
import { labelsOf, partitionBy } from './dependence.js';

/** Sums of deviations from the mean, cluster by cluster. */
export function sumsOf(deviations: ArrayLike<number>, clusters: Partition): Float64Array {
  return Float64Array.from(clusters, (cluster) => {
    let sum = 0;
    for (const index of cluster) sum += deviations[index]!;
    return sum;
  });
}

/** A function that estimates the covariance of two means. */
type Covariance = (a: ArrayLike<number>, b: ArrayLike<number>) => number;

/**
 * Cluster-robust covariance of two means with the factor G / (G - 1), CR1 (Liang and Zeger 1986; statsmodels' `cov_type='cluster'` of a regression on a
 * constant). With every sample a cluster it is the usual variance of a mean.
 * @param a, b deviations from the means
 */
function cr1({ length }: Partition, a: Float64Array, b: Float64Array, samples: number): number {
  let sum = 0;
  for (let g = 0; g < length; g++) sum += a[g]! * b[g]!;
  return ((length / (length - 1)) * sum) / samples ** 2;
}

/**
 * The covariance with the correction CR2 of Bell and McCaffrey (2002), which is unbiased where samples are independent. For a mean the matrix of a
 * cluster of n of N samples, (I - 1 1' / N) to the power -1/2, multiplies the cluster's sum by (1 - n / N) to that power.
 */
function cr2(clusters: Partition, a: Float64Array, b: Float64Array, samples: number): number {
  return cr2OfSums(a, b, sizesOf(clusters), samples);
}

/**
 * The same of clusters that are known by their sums of deviations and their sizes alone.
 * @param samples the sum of the sizes
 */
export function cr2OfSums(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  sizes: ArrayLike<number>,
  samples: number,
): number {
  let sum = 0;
  for (let g = 0; g < sizes.length; g++) sum += (a[g]! * b[g]!) / (1 - sizes[g]! / samples);
  return sum / samples ** 2;
}

function sizesOf(clusters: Partition): number[] {
  return clusters.map(({ length }) => length);
}

/**
 * Satterthwaite's degrees of freedom of the CR2 variance of a mean, with independent samples of one variance as the working model (Bell and McCaffrey 2002;
 * Pustejovsky and Tipton 2018): (trace of B)^2 / trace of B^2, where B holds the products of the clusters' weights. n - 1 for n clusters of one size.
 */
export function satterthwaite(clusters: Partition): number {
  return satterthwaiteOfSizes(sizesOf(clusters));
}

/** The same of clusters that are known by their sizes alone. */
export function satterthwaiteOfSizes(sizes: readonly number[]): number {
  const samples = sizes.reduce((sum, size) => sum + size, 0);
  const shares = sizes.map((size) => size / samples);
  // Of B: n_g / N on the diagonal, -n_g n_h / (N^2 sqrt((1 - n_g/N) (1 - n_h/N))) beside it.
  const weights = shares.map((share) => share ** 2 / (1 - share));
  const diagonal = shares.reduce((sum, share) => sum + share ** 2, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const beside = total ** 2 - weights.reduce((sum, weight) => sum + weight ** 2, 0);
  return 1 / (diagonal + beside);
}

/**
 * The number of clusters of one size that would be worth as much: Satterthwaite's degrees of freedom plus one. Clusters of one size are worth their
 * number. Where a single cluster holds most samples they are worth hardly more than one, since its deviation from a mean that it makes itself says
 * nothing.
 */
export function effectiveClusters(clusters: Partition): number {
  // Ten digits, so that equal clusters are as many as there are.
  return clusters.length < 2 ? clusters.length : Number((satterthwaite(clusters) + 1).toPrecision(10));
}

/**
 * The number of clusters from which the bootstrap says how large a |t| is usual, with CR1 standard errors. Fewer clusters have CR2 and Student's t.
 */
export const FEWEST_FOR_BOOTSTRAP = 20;

type Correction = 'CR1' | 'CR2';

/** The correction that the clusters ask for. */
export function correctionFor(clusters: Partition): Correction {
  return effectiveClusters(clusters) < FEWEST_FOR_BOOTSTRAP ? 'CR2' : 'CR1';
}

/**
 * The covariance matrices that are taken of means of dependent samples. With crossed partitions these are that of each partition and the two-way one, the sum of both
 * less that of their common cells (Cameron, Gelbach and Miller 2011); which one is used is the caller's choice, as the largest (MacKinnon, Nielsen and
 * Webb 2024: the two-way one alone may be too small, or below 0).
 * @returns functions of two lists of deviations from the mean
 */
export function covariances({ clusters, crossed }: Dependence, samples: number, correction: Correction): Covariance[] {
  const by =
    (partition: Partition, formula: typeof cr1): Covariance =>
    (a, b) =>
      formula(partition, sumsOf(a, partition), sumsOf(b, partition), samples);
  const first = by(clusters, correction === 'CR2' ? cr2 : cr1);
  if (!crossed) return [first];
  const labels = labelsOf(clusters, samples);
  const others = labelsOf(crossed, samples);
  const cells = partitionBy(Array.from(labels, (label, index) => label * crossed.length + others[index]!));
  const [second, common, plain] = [by(crossed, cr1), by(cells, cr1), by(clusters, cr1)];
  return [first, second, (a, b) => plain(a, b) + second(a, b) - common(a, b)];
}
