/** The statistics of paired gains: one list of per-sample differences for each thing compared, all resampled together. */
import { expectFiniteNumbers } from '../base/finite.js';
import type { Random } from '../base/random.js';
import { mean, median, trimmedMean } from './describe.js';
import {
  analyticDInterval,
  bcaInterval,
  bootstrap,
  clusteredBootstrap,
  fiellerInterval,
  type Interval,
  percentileInterval,
  wilsonInterval,
} from './interval.js';
import { benjaminiHochberg, bonferroni, holm, signFlipTest, tTest, wilcoxon } from './significance.js';

export const RESAMPLES = 10_000;

/** A number with its 95% interval; null where it is undefined. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Of differences in nats per token: positive when the treatment is better. */
export interface GainSummary {
  readonly mean: Estimate;
  readonly median: number;
  /** Without the lowest and highest fifth. */
  readonly trimmedMean: number;
  readonly d: Estimate;
  /** The interval of d by its large-sample standard error, which knows no clusters. */
  readonly dAnalytic: Estimate;
  /** Share of samples above 0; Wilson's interval. */
  readonly win: Estimate;
  /** Two-sided, uncorrected: t-test, Wilcoxon's signed ranks (zeros dropped), random signs. */
  readonly p: { readonly t: number | null; readonly wilcoxon: number; readonly signFlip: number };
}

export interface Gains {
  readonly summaries: readonly GainSummary[];
  /** Per list the mean and the d of each resample; the lists share resamples. */
  readonly means: readonly Float64Array[];
  readonly ds: readonly Float64Array[];
}

/**
 * @param clusters the indices of samples that belong together
 * @throws RangeError for a difference that is not finite
 */
export function summarizeGains(
  lists: readonly (readonly number[])[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Gains {
  for (const list of lists) expectFiniteNumbers(list, 'gains');
  // Differences from the list's own mean: sums of squares then lose no digits.
  const centers = lists.map(mean);
  const centered = lists.map((list, l) => Float64Array.from(list, (value) => value - centers[l]!));
  const replicates = clusteredBootstrap(
    clusters,
    (indices) =>
      centered.flatMap((list, l) => {
        let [sum, squares] = [0, 0];
        for (const index of indices) {
          const value = list[index]!;
          sum += value;
          squares += value * value;
        }
        return momentsOf(sum, squares, indices.length, centers[l]!);
      }),
    RESAMPLES,
    random,
  );
  const means = lists.map((_, l) => replicates[2 * l]!);
  const ds = lists.map((_, l) => replicates[2 * l + 1]!);
  const summaries = lists.map((list, l): GainSummary => {
    const [, d] = momentsOf(
      0,
      centered[l]!.reduce((sum, value) => sum + value * value, 0),
      list.length,
      centers[l]!,
    );
    const without = jackknife(centered[l]!, centers[l]!, clusters);
    const wins = list.filter((value) => value > 0).length;
    return {
      mean: estimate(centers[l]!, bcaInterval(means[l]!, centers[l]!, without.means)),
      median: median(list),
      trimmedMean: trimmedMean(list, 0.2),
      d: estimate(d, bcaInterval(ds[l]!, d, without.ds)),
      dAnalytic: estimate(d, Number.isNaN(d) ? undefined : analyticDInterval(d, list.length)),
      win: estimate(wins / list.length, wilsonInterval(wins, list.length)),
      p: { t: tTest(list) ?? null, wilcoxon: wilcoxon(list), signFlip: signFlipTest(list, RESAMPLES, random) },
    };
  });
  return { summaries, means, ds };
}

/** A share of one mean gain in another. */
export interface Share {
  /** Ratio of means; interval by joint resampling. Null where the whole is not distinguishable from 0. */
  readonly share: Estimate;
  /** The same with Fieller's interval. */
  readonly shareFieller: Estimate;
}

/** @param part, whole places in the lists that `gains` was made of */
export function shareOf(gains: Gains, lists: readonly (readonly number[])[], part: number, whole: number): Share {
  const none = { value: null, low: null, high: null };
  const { low, high } = gains.summaries[whole]!.mean;
  if (low === null || high === null || (low <= 0 && high >= 0)) return { share: none, shareFieller: none };
  const ratio = mean(lists[part]!) / mean(lists[whole]!);
  const ratios = gains.means[part]!.map((value, i) => value / gains.means[whole]![i]!);
  return {
    share: estimate(ratio, percentileInterval(ratios)),
    shareFieller: estimate(ratio, fiellerInterval(lists[part]!, lists[whole]!)),
  };
}

/** A mean over samples or pools, with the bootstrap's percentile interval; undefined without any. */
export function meanEstimate(values: readonly number[], random: Random, resamples = RESAMPLES): Estimate {
  expectFiniteNumbers(values, 'values of a mean');
  if (values.length === 0) return estimate(Number.NaN);
  const [replicates] = bootstrap(
    values.length,
    (indices) => {
      let sum = 0;
      for (const index of indices) sum += values[index]!;
      return [sum / indices.length];
    },
    resamples,
    random,
  );
  return estimate(mean(values), percentileInterval(replicates!));
}

/** P-values corrected over a family. */
export interface Corrected {
  /** How many the family has. */
  readonly familySize: number;
  readonly bonferroni: number | null;
  readonly holm: number | null;
  /** Benjamini and Hochberg. */
  readonly bh: number | null;
}

/** @param families the name of each p's family; null is no test, and not one of the family */
export function correctFamilies(families: readonly string[], ps: readonly (number | null)[]): Corrected[] {
  const corrected: Corrected[] = families.map(() => ({ familySize: 0, bonferroni: null, holm: null, bh: null }));
  for (const family of new Set(families)) {
    const members = [...ps.keys()].filter((i) => families[i] === family && ps[i] !== null);
    if (members.length === 0) continue;
    const values = members.map((i) => ps[i]!);
    const [holms, bhs] = [holm(values), benjaminiHochberg(values)];
    for (const [m, i] of members.entries()) {
      corrected[i] = {
        familySize: members.length,
        bonferroni: bonferroni(values[m]!, members.length),
        holm: holms[m]!,
        bh: bhs[m]!,
      };
    }
  }
  return corrected;
}

/** Mean and Cohen's d from the sums of values and squares around `center`. */
function momentsOf(sum: number, squares: number, size: number, center: number): [number, number] {
  const deviation = Math.sqrt((squares - sum ** 2 / size) / (size - 1));
  const mean = center + sum / size;
  return [mean, deviation > 0 ? mean / deviation : Number.NaN];
}

/** Mean and d without each cluster in turn. */
function jackknife(
  centered: Float64Array,
  center: number,
  clusters: readonly (readonly number[])[],
): { means: number[]; ds: number[] } {
  const squares = centered.reduce((sum, value) => sum + value * value, 0);
  const left = clusters.map((cluster) => {
    let [sum, square] = [0, 0];
    for (const index of cluster) {
      sum += centered[index]!;
      square += centered[index]! ** 2;
    }
    return momentsOf(-sum, squares - square, centered.length - cluster.length, center);
  });
  return { means: left.map(([mean]) => mean), ds: left.map(([, d]) => d) };
}

export function estimate(value: number, interval?: Interval): Estimate {
  return { value: finite(value), low: finite(interval?.low), high: finite(interval?.high) };
}

/** JSON has no NaN: undefined statistics are null. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
