/** Do gains go with hardness? Gradients of all comparisons, with intervals from resamples that they share. */
import type { ComparisonSummary, GradientSummary } from '../../runs/schema/summary.js';
import { estimate, finite } from '../../stats/gains.js';
import {
  averageGradients,
  coupledPoints,
  type Gradient,
  gradient,
  type HardnessPoint,
  hasHalves,
  oldhamPoints,
  resampledCorrelation,
  splitPoints,
  splitReliability,
  type TokenPair,
} from '../../stats/hardness.js';
import type { Resamples } from '../../stats/resamples.js';
import { percentilesOf } from '../../stats/robust.js';

/** How the gain of a comparison goes with hardness. @param pairs of all samples */
export function summarizeHardness(pairs: readonly TokenPair[], resamples: Resamples): ComparisonSummary['hardness'] {
  return {
    split: splitGradient(pairs, resamples),
    coupled: gradientOf(coupledPoints(pairs), resamples),
    oldham: gradientOf(oldhamPoints(pairs), resamples),
  };
}

function gradientOf(points: readonly HardnessPoint[], resamples: Resamples): GradientSummary {
  return withInterval(gradient(points), resampledCorrelation(points, resamples), resamples);
}

/** The gradient on split tokens. Both halves of a sample are resampled together, and their correlations are averaged. */
function splitGradient(pairs: readonly TokenPair[], resamples: Resamples): ComparisonSummary['hardness']['split'] {
  const { odd, even, excluded } = splitPoints(pairs);
  const reliability = finite(splitReliability(pairs));
  if (odd.length < 2) return { quintiles: [], r: estimate(Number.NaN), excluded_samples: excluded, reliability };
  const [a, b] = [odd, even].map((points) => resampledCorrelation(spread(points, pairs), resamples));
  const replicates = a!.map((r, draw) => (r + b![draw]!) / 2);
  const halves = withInterval(averageGradients(gradient(odd), gradient(even)), replicates, resamples);
  return { ...halves, excluded_samples: excluded, reliability };
}

/** Points of the samples that have halves, at the places of all samples. */
function spread(points: readonly HardnessPoint[], pairs: readonly TokenPair[]): (HardnessPoint | undefined)[] {
  let next = 0;
  return pairs.map((pair) => (hasHalves(pair) ? points[next++] : undefined));
}

function withInterval({ quintiles, r }: Gradient, replicates: Float64Array, resamples: Resamples): GradientSummary {
  return {
    quintiles: quintiles.map(({ n, hardness, gain }) => ({ n, hardness: finite(hardness), gain: finite(gain) })),
    r: estimate(r, percentilesOf(replicates, resamples)),
  };
}
