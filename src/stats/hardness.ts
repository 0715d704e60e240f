/**
 * Does a condition help more where the baseline finds it hard?
 *
 * Plotting gain against the baseline's NLL makes a gradient out of nothing, because the same noisy number stands in both axes. So
 * hardness is taken from half of an answer's tokens and the gain from the other half, and then the other way round. That says something only where the halves
 * agree on what is hard (`splitReliability`). Oldham's axis, the mean of both arms, takes the coupling out where the arms vary alike. The axis of
 * the research, baseline NLL of all tokens on both sides, is kept beside them as the coupled one.
 */
import { expectFiniteNumbers } from '../base/finite.js';
import { isConstant, mean, pearson, quantile, ROUNDED, spearman } from './describe.js';
import type { Resamples } from './resamples.js';

/** NLLs per token of one sample under the baseline and under a treatment; equally many. */
export interface TokenPair {
  readonly baseline: readonly number[];
  readonly treatment: readonly number[];
}

export interface HardnessPoint {
  /** The baseline's NLL per token. */
  readonly hardness: number;
  /** The baseline's NLL minus the treatment's, per token. */
  readonly gain: number;
}

export interface Gradient {
  /** Mean hardness and gain in each fifth by hardness, easiest first; a fifth may be empty when values tie. */
  readonly quintiles: readonly { readonly n: number; readonly hardness: number; readonly gain: number }[];
  /** Pearson's r of hardness and gain; NaN when undefined. */
  readonly r: number;
}

/** Points with hardness and gain from the same tokens. */
export function coupledPoints(pairs: readonly TokenPair[]): HardnessPoint[] {
  return pairs.map((pair) =>
    point(
      pair,
      () => true,
      () => true,
    ),
  );
}

/**
 * Hardness from the odd tokens (first, third, ...) and gain from the even ones, and swapped: two points for each sample. Samples
 * with a single token have no halves and give none.
 */
export function splitPoints(pairs: readonly TokenPair[]): {
  odd: HardnessPoint[];
  even: HardnessPoint[];
  excluded: number;
} {
  const usable = pairs.filter(hasHalves);
  const odd = (_: number, i: number) => i % 2 === 0;
  const even = (_: number, i: number) => i % 2 === 1;
  return {
    odd: usable.map((pair) => point(pair, odd, even)),
    even: usable.map((pair) => point(pair, even, odd)),
    excluded: pairs.length - usable.length,
  };
}

/**
 * Hardness as the mean of both arms' NLL, gain as their difference (Oldham 1962): noise that both arms have alike makes no correlation of the two.
 */
export function oldhamPoints(pairs: readonly TokenPair[]): HardnessPoint[] {
  return coupledPoints(pairs).map(({ hardness, gain }) => ({ hardness: hardness - gain / 2, gain }));
}

/**
 * The reliability of the split: whether the two halves of the tokens agree on which samples are hard. It is Spearman's correlation of the
 * baseline's mean NLLs; NaN when undefined.
 */
export function splitReliability(pairs: readonly TokenPair[]): number {
  const { odd, even } = splitPoints(pairs);
  return odd.length < 2
    ? Number.NaN
    : spearman(
        odd.map(({ hardness }) => hardness),
        even.map(({ hardness }) => hardness),
      );
}

/** Tells whether the sample has more than one token. */
export function hasHalves({ baseline }: TokenPair): boolean {
  return baseline.length >= 2;
}

type Keep = (value: number, index: number) => boolean;

function point({ baseline, treatment }: TokenPair, forHardness: Keep, forGain: Keep): HardnessPoint {
  return {
    hardness: mean(baseline.filter(forHardness)),
    gain: mean(baseline.filter(forGain)) - mean(treatment.filter(forGain)),
  };
}

/** The gradient in fifths by hardness. Bounds are the 20, 40, 60 and 80% quantiles, the lower bound included. */
export function gradient(points: readonly HardnessPoint[]): Gradient {
  const hardness = points.map((p) => p.hardness);
  expectFiniteNumbers(hardness, 'hardness');
  const bounds = [0.2, 0.4, 0.6, 0.8].map((q) => quantile(hardness, q));
  const quintiles = [0, 1, 2, 3, 4].map((fifth) => {
    const members = points.filter((p) => bounds.filter((bound) => p.hardness >= bound).length === fifth);
    return {
      n: members.length,
      hardness: members.length > 0 ? mean(members.map((p) => p.hardness)) : Number.NaN,
      gain: members.length > 0 ? mean(members.map((p) => p.gain)) : Number.NaN,
    };
  });
  return {
    quintiles,
    r: pearson(
      hardness,
      points.map((p) => p.gain),
    ),
  };
}

/** The gradients of both splits, averaged fifth by fifth (weighted by their members). */
export function averageGradients(a: Gradient, b: Gradient): Gradient {
  const quintiles = a.quintiles.map((first, i) => {
    const second = b.quintiles[i]!;
    const n = first.n + second.n;
    const weighted = (x: number, y: number) =>
      (first.n > 0 ? first.n * x : 0) / n + (second.n > 0 ? second.n * y : 0) / n;
    return { n, hardness: weighted(first.hardness, second.hardness), gain: weighted(first.gain, second.gain) };
  });
  return { quintiles, r: (a.r + b.r) / 2 };
}

/**
 * Pearson's r of hardness and gain in every resample of whole clusters; NaN in those whose points have one hardness or one gain.
 * @param points of each sample; undefined for one that has none
 */
export function resampledCorrelation(
  points: readonly (HardnessPoint | undefined)[],
  resamples: Resamples,
): Float64Array {
  const there = points.filter((point) => point !== undefined);
  const [hardness, gains] = [there.map((point) => point.hardness), there.map(({ gain }) => gain)];
  if (isConstant(hardness) || isConstant(gains)) return new Float64Array(resamples.draws).fill(Number.NaN);
  const [centerX, centerY] = [mean(hardness), mean(gains)];
  // Of each cluster the number of points, and sums of x, y, their squares and products, around the means.
  const sums = resamples.clusters.map((cluster) => {
    const found = [0, 0, 0, 0, 0, 0];
    for (const index of cluster) {
      const point = points[index];
      if (!point) continue;
      const [x, y] = [point.hardness - centerX, point.gain - centerY];
      for (const [term, value] of [1, x, y, x * x, y * y, x * y].entries()) found[term]! += value;
    }
    return found;
  });
  const table = Float64Array.from(sums.flat());
  const replicates = new Float64Array(resamples.draws);
  resamples.forEach((counts, draw) => {
    let [n, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
    for (let g = 0, at = 0; g < counts.length; g++, at += 6) {
      const count = counts[g]!;
      if (count === 0) continue;
      n += count * table[at]!;
      x += count * table[at + 1]!;
      y += count * table[at + 2]!;
      xx += count * table[at + 3]!;
      yy += count * table[at + 4]!;
      xy += count * table[at + 5]!;
    }
    const [varianceX, varianceY] = [xx - (x * x) / n, yy - (y * y) / n];
    const product = varianceX * varianceY;
    const varies = varianceX > ROUNDED * xx && varianceY > ROUNDED * yy;
    replicates[draw] = varies ? (xy - (x * y) / n) / Math.sqrt(product) : Number.NaN;
  });
  return replicates;
}
