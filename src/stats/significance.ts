/** Significance tests of paired differences, and corrections for a family of them. */
import { expectFiniteNumbers } from '../base/finite.js';
import type { Random } from '../base/random.js';
import { mean, ranks, roundingOfSum, spearman, standardDeviation } from './describe.js';
import { normalTail, tTail } from './distributions.js';

/**
 * p of the two-sided one-sample t-test of mean 0, which knows no clusters: the research's; undefined where the test is: fewer than two values, or all of them 0.
 */
export function tTest(differences: readonly number[]): number | undefined {
  expectFiniteNumbers(differences, 'differences');
  if (differences.length < 2) return undefined;
  const [center, spread] = [mean(differences), standardDeviation(differences)];
  if (center === 0 && spread === 0) return undefined;
  return 2 * tTail((Math.abs(center) / spread) * Math.sqrt(differences.length), differences.length - 1);
}

/** The number of differences other than 0 below which the research calls Wilcoxon's p 1. */
const FEWEST_FOR_WILCOXON = 10;

/** The largest number of differences without ties for which Wilcoxon's p is exact. */
const MOST_FOR_EXACT_WILCOXON = 50;

/**
 * p of Wilcoxon's two-sided signed-rank test. Zero differences are dropped, ties share their mean rank; exact up to 50 differences without
 * ties, else the normal approximation with tie correction and without continuity correction (scipy's `wilcoxon(correction=False)`). The tail is computed as a
 * tail, not as what is missing to 1: 5.6e-18 is not 0.
 */
export function wilcoxon(differences: readonly number[]): number {
  expectFiniteNumbers(differences, 'differences');
  const changes = differences.filter((difference) => difference !== 0);
  const n = changes.length;
  if (n < FEWEST_FOR_WILCOXON) return 1;
  const sizes = changes.map(Math.abs);
  const places = ranks(sizes);
  const positive = changes.reduce((sum, change, i) => sum + (change > 0 ? places[i]! : 0), 0);
  const all = (n * (n + 1)) / 2;
  const smaller = Math.min(positive, all - positive);
  const tied = tieGroups(sizes);
  if (tied.length === 0 && n <= MOST_FOR_EXACT_WILCOXON) return Math.min(1, 2 * signedRankTail(n, smaller));
  const ties = tied.reduce((sum, size) => sum + size ** 3 - size, 0);
  const variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
  return 2 * normalTail(Math.abs(smaller - all / 2) / Math.sqrt(variance));
}

/** Sizes of the groups of equal values. */
function tieGroups(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1);
}

/** Chance that the ranks 1 to n with random signs have positive ones that sum to `most` or less. */
function signedRankTail(n: number, most: number): number {
  const chances = new Float64Array(most + 1);
  chances[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = most; sum >= 0; sum--) {
      chances[sum] = (chances[sum]! + (sum >= rank ? chances[sum - rank]! : 0)) / 2;
    }
  }
  return chances.reduce((sum, chance) => sum + chance, 0);
}

/**
 * p of the two-sided sign-flip permutation test: how often random signs give a mean as far from 0. It asks whether the two arms are exchangeable, sample by
 * sample, which is more than that their means are equal. The observed signs count as one of the permutations, so p is never 0.
 */
export function signFlipTest(differences: readonly number[], permutations: number, random: Random): number {
  expectFiniteNumbers(differences, 'differences');
  const total = differences.reduce((sum, value) => sum + value, 0);
  const enough = Math.abs(total) - roundingOfSum(differences);
  const values = Float64Array.from(differences);
  let as = 1;
  for (let permutation = 0; permutation < permutations; permutation++) {
    let flipped = 0;
    for (let at = 0; at < values.length; at += 32) {
      const end = Math.min(at + 32, values.length);
      // Every bit is a coin: multiplied by it, not branched on.
      for (let i = at, bits = random.bits(); i < end; i++, bits >>>= 1) flipped += values[i]! * (bits & 1);
    }
    if (Math.abs(total - 2 * flipped) >= enough) as++;
  }
  return as / (permutations + 1);
}

/** The largest number of values for which Spearman's p is exact, because all orders are tried. */
const MOST_FOR_EXACT_SPEARMAN = 9;

/**
 * p of Spearman's rank correlation, two-sided, over the pairs of values: the share of all orders of one side with a correlation as far from 0; of more than nine pairs
 * by Student's t (scipy's `spearmanr`). Undefined where the correlation is, or for fewer than three pairs.
 */
export function spearmanTest(x: readonly number[], y: readonly number[]): number | undefined {
  const rho = spearman(x, y);
  const n = x.length;
  if (n < 3 || Number.isNaN(rho)) return undefined;
  if (n > MOST_FOR_EXACT_SPEARMAN) {
    const t = Math.abs(rho) * Math.sqrt((n - 2) / Math.max(0, 1 - rho * rho));
    return t === Number.POSITIVE_INFINITY ? 0 : 2 * tTail(t, n - 2);
  }
  const [a, b] = [ranks(x), ranks(y)];
  const center = n * ((n + 1) / 2) ** 2;
  const productOf = () => a.reduce((sum, rank, i) => sum + rank * b[i]!, -center);
  // Ranks are halves: their products are exact.
  const enough = Math.abs(productOf());
  let [as, all] = [0, 0];
  const permute = (size: number) => {
    if (size === 1) {
      all++;
      if (Math.abs(productOf()) >= enough) as++;
      return;
    }
    for (let i = 0; i < size; i++) {
      permute(size - 1);
      const other = size % 2 === 0 ? i : 0;
      [b[other], b[size - 1]] = [b[size - 1]!, b[other]!];
    }
  };
  permute(n);
  return as / all;
}

/** Bonferroni's correction for a family of `comparisons` tests. */
export function bonferroni(p: number, comparisons: number): number {
  return Math.min(1, p * comparisons);
}

/** Holm's correction: controls the chance of any false finding in the family. In the order of `ps`. */
export function holm(ps: readonly number[]): number[] {
  const corrected = new Array<number>(ps.length);
  let bound = 0;
  for (const [smaller, at] of ascending(ps).entries()) {
    bound = Math.max(bound, bonferroni(ps[at]!, ps.length - smaller));
    corrected[at] = bound;
  }
  return corrected;
}

/** Benjamini and Hochberg's correction: controls the expected share of false findings. In the order of `ps`. */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  const corrected = new Array<number>(ps.length);
  let bound = 1;
  for (const [larger, at] of ascending(ps).reverse().entries()) {
    bound = Math.min(bound, (ps[at]! * ps.length) / (ps.length - larger));
    corrected[at] = bound;
  }
  return corrected;
}

/** The places of the values, the smallest first. */
function ascending(values: readonly number[]): number[] {
  return values.map((_, at) => at).sort((a, b) => values[a]! - values[b]!);
}
