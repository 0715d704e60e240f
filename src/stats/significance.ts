/** Significance tests of paired differences, and corrections for a family of them. */
import tCdf from '@stdlib/stats-base-dists-t-cdf';
import padjust from '@stdlib/stats-padjust';
import ttest from '@stdlib/stats-ttest';
import wilcoxonTest from '@stdlib/stats-wilcoxon';
import { expectFiniteNumbers } from '../base/finite.js';
import type { Random } from '../base/random.js';
import { mean, standardDeviation } from './describe.js';

/**
 * p of the two-sided one-sample t-test of mean 0; undefined where the test is: fewer than two values, or all of them 0.
 */
export function tTest(differences: readonly number[]): number | undefined {
  expectFiniteNumbers(differences, 'differences');
  if (differences.length < 2) return undefined;
  const { pValue } = ttest([...differences]);
  return Number.isNaN(pValue) ? undefined : pValue;
}

/** Below so many differences other than 0 the research calls Wilcoxon's p 1. */
const FEWEST_FOR_WILCOXON = 10;

/**
 * p of Wilcoxon's two-sided signed-rank test. Zero differences are dropped, ties share their mean rank; exact up to 50 differences without
 * ties, else the normal approximation with tie correction and without continuity correction.
 */
export function wilcoxon(differences: readonly number[]): number {
  expectFiniteNumbers(differences, 'differences');
  const changes = differences.filter((difference) => difference !== 0);
  if (changes.length < FEWEST_FOR_WILCOXON) return 1;
  return wilcoxonTest(changes, { correction: false }).pValue;
}

/**
 * p of the two-sided sign-flip permutation test of mean 0: how often random signs give a mean as far from 0. The observed signs count as one
 * of the permutations, so p is never 0.
 */
export function signFlipTest(differences: readonly number[], permutations: number, random: Random): number {
  expectFiniteNumbers(differences, 'differences');
  const total = differences.reduce((sum, value) => sum + value, 0);
  // Sums in another order differ in their last bits.
  const enough = Math.abs(total) * (1 - 1e-12);
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

/**
 * p of the equivalence test (two one-sided t-tests): small when the mean is shown to lie within `margin` standard deviations of 0.
 * @param margin in units of Cohen's d
 */
export function equivalenceTest(differences: readonly number[], margin: number): number | undefined {
  expectFiniteNumbers(differences, 'differences');
  const deviation = standardDeviation(differences);
  if (!(deviation > 0)) return undefined;
  const root = Math.sqrt(differences.length);
  const d = mean(differences) / deviation;
  const freedom = differences.length - 1;
  return Math.max(tCdf((d - margin) * root, freedom), tCdf(-(d + margin) * root, freedom));
}

/** Bonferroni's correction for a family of `comparisons` tests. */
export function bonferroni(p: number, comparisons: number): number {
  return Math.min(1, p * comparisons);
}

/** Holm's correction: controls the chance of any false finding in the family. In the order of `ps`. */
export function holm(ps: readonly number[]): number[] {
  return padjust([...ps], 'holm');
}

/** Benjamini and Hochberg's correction: controls the expected share of false findings. In the order of `ps`. */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  return padjust([...ps], 'bh');
}
