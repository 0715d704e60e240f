/** Do gains go with hardness? Gradients of all comparisons, with intervals from resamples that they share. */
import type { Random } from '../../base/random.js';
import type { ComparisonSummary, GradientSummary } from '../../runs/schema/summary.js';
import { mean, pearson } from '../../stats/describe.js';
import { estimate, finite } from '../../stats/gains.js';
import {
  averageGradients,
  coupledPoints,
  type Gradient,
  gradient,
  type HardnessPoint,
  splitPoints,
  type TokenPair,
} from '../../stats/hardness.js';
import { clusteredBootstrap, percentileInterval } from '../../stats/interval.js';

/** How the gain of each comparison goes with hardness. The comparisons share resamples. */
export function summarizeHardness(
  comparisons: readonly (readonly TokenPair[])[],
  clusters: readonly (readonly number[])[],
  random: Random,
): ComparisonSummary['hardness'][] {
  const coupled = comparisons.map((pairs) => [coupledPoints(pairs)]);
  const split = comparisons.map((pairs) => splitPoints(pairs));
  // Which samples have one target token only is the same in all comparisons.
  const usable = usableClusters(comparisons[0] ?? [], clusters);
  const coupledReplicates = correlations(coupled, clusters, random);
  const splitReplicates = correlations(
    split.map(({ odd, even }) => [odd, even]),
    usable,
    random,
  );
  return comparisons.map((_, c) => {
    const { odd, even, excluded } = split[c]!;
    const halves =
      odd.length > 1
        ? withInterval(averageGradients(gradient(odd), gradient(even)), splitReplicates[c]!)
        : { quintiles: [], r: estimate(Number.NaN) };
    return {
      split: { ...halves, excluded_samples: excluded },
      coupled: withInterval(gradient(coupled[c]![0]!), coupledReplicates[c]!),
    };
  });
}

/** The clusters of the samples with two target tokens or more, by their places among these. */
function usableClusters(pairs: readonly TokenPair[], clusters: readonly (readonly number[])[]): number[][] {
  let next = 0;
  const places = pairs.map(({ baseline }) => (baseline.length >= 2 ? next++ : -1));
  return clusters
    .map((cluster) => cluster.map((index) => places[index]!).filter((place) => place >= 0))
    .filter((cluster) => cluster.length > 0);
}

const HARDNESS_RESAMPLES = 2000;

/**
 * Resampled correlations of hardness and gain.
 * @param comparisons each the halves of its samples, whose correlations are averaged: a sample's halves go together
 */
function correlations(
  comparisons: readonly (readonly (readonly HardnessPoint[])[])[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Float64Array[] {
  if (clusters.length === 0) return comparisons.map(() => new Float64Array([Number.NaN]));
  const axes = comparisons.map((halves) =>
    halves.map((points) => ({
      hardness: Float64Array.from(points, (p) => p.hardness),
      gain: Float64Array.from(points, (p) => p.gain),
    })),
  );
  const size = Math.max(...clusters.map(({ length }) => length)) * clusters.length;
  const [x, y] = [new Float64Array(size), new Float64Array(size)];
  const correlate = (indices: Int32Array, { hardness, gain }: { hardness: Float64Array; gain: Float64Array }) => {
    for (let i = 0; i < indices.length; i++) {
      x[i] = hardness[indices[i]!]!;
      y[i] = gain[indices[i]!]!;
    }
    return pearson(x.subarray(0, indices.length), y.subarray(0, indices.length));
  };
  return clusteredBootstrap(
    clusters,
    (indices) => axes.map((halves) => mean(halves.map((half) => correlate(indices, half)))),
    HARDNESS_RESAMPLES,
    random,
  );
}

function withInterval({ quintiles, r }: Gradient, replicates: Float64Array): GradientSummary {
  return {
    quintiles: quintiles.map(({ n, hardness, gain }) => ({ n, hardness: finite(hardness), gain: finite(gain) })),
    r: estimate(r, percentileInterval(replicates)),
  };
}
