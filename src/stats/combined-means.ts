/**
 * Tests of all weighted sums of two paired means. Each is the test of the mean of as many weighted samples (`mean-inference.ts`), but resamples are gone through once and
 * not once for every pair of weights.
 */
import { correctionFor, covariances, effectiveClusters, FEWEST_FOR_BOOTSTRAP, sumsOf } from './cluster-variance.js';
import type { Dependence } from './dependence.js';
import { mean } from './describe.js';
import { areEnough, criticalOfStudent, mostBeyond } from './mean-inference.js';
import type { Resamples } from './resamples.js';

/** Variances of two numbers and their covariance. */
export interface Covariance2 {
  readonly first: number;
  readonly second: number;
  readonly both: number;
}

export interface CombinedMeans {
  /** The covariance of the two means. Where partitions cross, it is by the estimator whose variance of the first mean is the largest. */
  readonly covariance: Covariance2;
  /** Tells whether the mean of `a` times the first and `b` times the second list is told from 0, at 5%. */
  differs(a: number, b: number): boolean;
}

/**
 * @param resamples of the dependence's clusters
 * @returns undefined with too few clusters for a test
 */
export function combinedMeans(
  first: readonly number[],
  second: readonly number[],
  dependence: Dependence,
  resamples: Resamples,
): CombinedMeans | undefined {
  const { clusters } = dependence;
  if (!areEnough(clusters)) return undefined;
  const [one, other] = [mean(first), mean(second)];
  const ones = Float64Array.from(first, (value) => value - one);
  const others = Float64Array.from(second, (value) => value - other);
  const estimates = covariances(dependence, first.length, correctionFor(clusters)).map(
    (of): Covariance2 => ({ first: of(ones, ones), second: of(others, others), both: of(ones, others) }),
  );
  /** The squared t. */
  const squareT = (a: number, b: number): number =>
    (a * one + b * other) ** 2 / Math.max(...estimates.map((each) => varianceOf(each, a, b)));
  const isSmall = effectiveClusters(clusters) < FEWEST_FOR_BOOTSTRAP;
  const differs = isSmall
    ? (a: number, b: number) => squareT(a, b) > criticalOfStudent(clusters) ** 2
    : studentized([ones, others], resamples, squareT);
  return { covariance: estimates.reduce((a, b) => (b.first > a.first ? b : a)), differs };
}

function varianceOf({ first, second, both }: Covariance2, a: number, b: number): number {
  return a * a * first + 2 * a * b * both + b * b * second;
}

/** The sums of both lists in each draw, with what their variances and covariance are computed from. */
interface Draws {
  readonly firsts: Float64Array;
  readonly seconds: Float64Array;
  readonly variances: readonly [first: Float64Array, second: Float64Array, both: Float64Array];
}

/** The test by the symmetric studentised bootstrap. */
function studentized(
  deviations: readonly [Float64Array, Float64Array],
  resamples: Resamples,
  squareT: (a: number, b: number) => number,
): CombinedMeans['differs'] {
  const sums = deviations.map((list) => sumsOf(list, resamples.clusters)) as [Float64Array, Float64Array];
  const { firsts, seconds, variances } = drawsOf(sums, resamples);
  const [first, second, both] = variances;
  const most = mostBeyond(resamples.draws);
  return (a, b) => {
    const square = squareT(a, b);
    let largest = 0;
    for (let g = 0; g < sums[0].length; g++) largest = Math.max(largest, Math.abs(a * sums[0][g]! + b * sums[1][g]!));
    // As for the mean of a list: what is left of equal values is rounding.
    const least = (1e-12 * largest) ** 2;
    let beyond = 0;
    for (let draw = 0; draw < firsts.length; draw++) {
      const total = (a * firsts[draw]! + b * seconds[draw]!) ** 2;
      if (total <= least) continue;
      const variance = a * a * first[draw]! + 2 * a * b * both[draw]! + b * b * second[draw]!;
      if (!(variance > least) || total >= square * variance) beyond++;
    }
    return beyond <= most;
  };
}

function drawsOf([ones, others]: readonly [Float64Array, Float64Array], resamples: Resamples): Draws {
  const { clusters, draws } = resamples;
  const size = clusters.length;
  const factor = size / (size - 1);
  const sizes = Float64Array.from(clusters, ({ length }) => length);
  const [firsts, seconds, first, second, both] = Array.from({ length: 5 }, () => new Float64Array(draws)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  resamples.forEach((counts, draw) => {
    let [samples, sizeSquares, a, b, aa, bb, ab, an, bn] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let g = 0; g < size; g++) {
      const count = counts[g]!;
      if (count === 0) continue;
      const [n, x, y] = [count * sizes[g]!, count * ones[g]!, count * others[g]!];
      samples += n;
      sizeSquares += n * sizes[g]!;
      a += x;
      b += y;
      aa += x * ones[g]!;
      bb += y * others[g]!;
      ab += x * others[g]!;
      an += x * sizes[g]!;
      bn += y * sizes[g]!;
    }
    const [p, q] = [a / samples, b / samples];
    firsts[draw] = a;
    seconds[draw] = b;
    first[draw] = factor * (aa - 2 * p * an + p * p * sizeSquares);
    second[draw] = factor * (bb - 2 * q * bn + q * q * sizeSquares);
    both[draw] = factor * (ab - p * bn - q * an + p * q * sizeSquares);
  });
  return { firsts, seconds, variances: [first, second, both] };
}
