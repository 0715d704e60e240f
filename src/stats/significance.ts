/** Significance tests and corrections for several of them. */
import ttest from '@stdlib/stats-ttest';

/**
 * p of the two-sided one-sample t-test of mean 0; undefined where the test is (fewer than two values, or all equal).
 */
export function tTest(differences: readonly number[]): number | undefined {
  if (differences.length < 2) return undefined;
  const { pValue } = ttest([...differences]);
  return Number.isNaN(pValue) ? undefined : pValue;
}

/** Bonferroni's correction for a family of `comparisons` tests. */
export function bonferroni(p: number, comparisons: number): number {
  return Math.min(1, p * comparisons);
}
