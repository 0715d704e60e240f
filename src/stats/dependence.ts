/** Which samples are not independent of each other: partitions into clusters, and how two of them are taken together. */
import { isConstant, mean } from './describe.js';

/** The indices of the samples of each cluster; every sample is in one of them. */
export type Partition = readonly (readonly number[])[];

/** How samples depend on each other. */
export interface Dependence {
  /** The clusters that are resampled whole. Of two crossed partitions these are the one with fewer clusters. */
  readonly clusters: Partition;
  /** A second partition whose clusters cross those of the first; variances are then two-way. */
  readonly crossed?: Partition;
}

/** The dependence of samples that are all independent: every sample is a cluster. */
export function independent(samples: number): Dependence {
  return { clusters: Array.from({ length: samples }, (_, index) => [index]) };
}

/** Samples with the same key are one cluster; clusters stand in the order of their first samples. */
export function partitionBy(keys: readonly (string | number)[]): number[][] {
  const groups = new Map<string | number, number[]>();
  for (const [index, key] of keys.entries()) {
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  return [...groups.values()];
}

/** The share of the samples above which a connected component says little, since most samples would be connected through others. */
const LARGEST_COMPONENT = 0.05;

/**
 * Two partitions taken together: the connected components of both, or, where the largest of them is more than a twentieth of the samples, the two as crossed
 * ones (Cameron, Gelbach and Miller 2011). Where one partition lies within the other, that is the other one.
 */
export function together(a: Partition, b: Partition, samples: number): Dependence {
  const components = connected(a, b, samples);
  const nested = components.length === a.length || components.length === b.length;
  const largest = Math.max(0, ...components.map(({ length }) => length));
  if (nested || largest <= LARGEST_COMPONENT * samples) return { clusters: components };
  return a.length <= b.length ? { clusters: a, crossed: b } : { clusters: b, crossed: a };
}

/** The finest partition that both partitions lie within. */
export function connected(a: Partition, b: Partition, samples: number): number[][] {
  const parent = Int32Array.from({ length: samples }, (_, index) => index);
  const rootOf = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  for (const cluster of [...a, ...b]) {
    for (const index of cluster) parent[rootOf(index)] = rootOf(cluster[0]!);
  }
  return partitionBy(Array.from(parent, (_, index) => rootOf(index)));
}

/** The cluster of each sample. */
export function labelsOf(clusters: Partition, samples: number): Int32Array {
  const labels = new Int32Array(samples);
  for (const [label, cluster] of clusters.entries()) for (const index of cluster) labels[index] = label;
  return labels;
}

/**
 * Intraclass correlation of one-way random effects, by analysis of variance, for clusters of unequal sizes (Donner 1986): how alike samples of one cluster
 * are. 0 where they are no more alike than any others; it may be below 0.
 * @returns NaN where there is nothing to tell: fewer than two clusters, none of more than one sample, or no differences
 */
export function intraclassCorrelation(values: readonly number[], clusters: Partition): number {
  const [n, k] = [values.length, clusters.length];
  if (k < 2 || n === k || isConstant(values)) return Number.NaN;
  const center = mean(values);
  let [between, within, squares] = [0, 0, 0];
  for (const cluster of clusters) {
    const own = mean(cluster.map((index) => values[index]!));
    between += cluster.length * (own - center) ** 2;
    for (const index of cluster) within += (values[index]! - own) ** 2;
    squares += cluster.length ** 2;
  }
  const meanBetween = between / (k - 1);
  const meanWithin = within / (n - k);
  const size = (n - squares / n) / (k - 1);
  const total = meanBetween + (size - 1) * meanWithin;
  return total > 0 ? (meanBetween - meanWithin) / total : Number.NaN;
}
