/** The statistics of paired gains: one list of per-sample differences for each thing compared, all resampled together. */
import { expectFiniteNumbers } from '../base/finite.js';
import type { Random } from '../base/random.js';
import type { Dependence } from './dependence.js';
import { cohensD, mean, median, standardDeviation } from './describe.js';
import { analyticDInterval, type Interval, wilsonInterval } from './interval.js';
import {
  effectiveSamples,
  equivalenceOfMean,
  inferMeans,
  intervalOfMean,
  type MeanInference,
  pOfMean,
  standardErrorOfMean,
} from './mean-inference.js';
import { type RatioShape, ratioOfMeans } from './ratio.js';
import { RESAMPLES, Resamples } from './resamples.js';
import { percentilesOf, type RobustReplicates, resampledRobust, robust, topShare } from './robust.js';
import { benjaminiHochberg, bonferroni, holm, signFlipTest, tTest, wilcoxon } from './significance.js';

/** A number with its 95% interval. A value or an end is null where it is undefined. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** A summary of differences in nats per token. They are positive where the treatment is better. */
export interface GainSummary {
  /** The mean. Its interval belongs to the test that gives `p.mean`; its ends are null with fewer than six clusters. */
  readonly mean: Estimate;
  readonly median: number;
  /** The mean without the lowest and the highest fifth, with a percentile interval over clusters. */
  readonly trimmedMean: Estimate;
  /** The robust d: .642 times the trimmed mean over the winsorised standard deviation, with a percentile interval over clusters. */
  readonly robustD: Estimate;
  /** Cohen's d of the samples. Its interval holds for independent normal data, and no decision rests on it. */
  readonly d: Estimate;
  /** The share of samples above 0, with Wilson's interval at the effective number of samples. */
  readonly win: Estimate;
  /** The share of samples at 0. */
  readonly ties: number;
  /** The share of the whole gain that the 25 largest gains make up; null where there are no more samples than these. */
  readonly topShare: number | null;
  /** The number of independent samples that would determine the mean as precisely. */
  readonly effectiveSamples: number;
  /** Two-sided p-values, uncorrected. */
  readonly p: {
    /** The p-value of a mean of 0, by clusters; null with fewer than six clusters. */
    readonly mean: number | null;
    /** The p-value of the t-test, which takes no account of clusters. */
    readonly t: number | null;
    /** The p-value of Wilcoxon's signed ranks, with zeros dropped. It takes no account of clusters. */
    readonly wilcoxon: number;
    /** The p-value of random signs, which asks whether the two arms are exchangeable. It takes no account of clusters. */
    readonly signFlip: number;
  };
}

export interface Gains {
  readonly summaries: readonly GainSummary[];
  readonly inferences: readonly MeanInference[];
  /** For each list, the trimmed mean and the robust d of each resample. The lists share resamples. */
  readonly replicates: readonly RobustReplicates[];
  readonly dependence: Dependence;
  readonly resamples: Resamples;
}

/** Samples that depend on each other, and resamples of them for all that is computed of these samples. */
export interface Sampling {
  readonly dependence: Dependence;
  readonly resamples: Resamples;
}

export function samplingOf(dependence: Dependence, random: Random): Sampling {
  return { dependence, resamples: new Resamples(dependence.clusters, random) };
}

/**
 * @param random for random signs
 * @throws RangeError for a difference that is not finite
 */
export function summarizeGains(
  lists: readonly (readonly number[])[],
  { dependence, resamples }: Sampling,
  random: Random,
): Gains {
  for (const list of lists) expectFiniteNumbers(list, 'gains');
  const inferences = inferMeans(lists, dependence, resamples);
  const wins = lists.map((list) => list.map((value) => Number(value > 0)));
  const winShares = wins.map((list) => winShare(list, dependence));
  const replicates = resampledRobust(lists, resamples);
  const summaries = lists.map((list, l): GainSummary => {
    const inference = inferences[l]!;
    const { trimmedMean, robustD } = list.length > 0 ? robust(list) : { trimmedMean: Number.NaN, robustD: Number.NaN };
    const d = cohensD(list);
    return {
      mean: estimate(inference.mean, intervalOfMean(inference)),
      median: median(list),
      trimmedMean: estimate(trimmedMean, percentilesOf(replicates[l]!.trimmedMean, resamples)),
      robustD: estimate(robustD, Number.isNaN(robustD) ? undefined : percentilesOf(replicates[l]!.robustD, resamples)),
      d: estimate(d, Number.isNaN(d) ? undefined : analyticDInterval(d, list.length)),
      win: winShares[l]!,
      ties: list.filter((value) => value === 0).length / list.length,
      topShare: topShare(list) ?? null,
      effectiveSamples: effectiveSamples(list, inference.standardError),
      p: {
        mean: pOfMean(inference) ?? null,
        t: tTest(list) ?? null,
        wilcoxon: wilcoxon(list),
        signFlip: signFlipTest(list, RESAMPLES, random),
      },
    };
  });
  return { summaries, inferences, replicates, dependence, resamples };
}

/** Means alone, with the intervals that the means of gains have. */
export function inferredMeans(lists: readonly (readonly number[])[], { dependence, resamples }: Sampling): Estimate[] {
  for (const list of lists) expectFiniteNumbers(list, 'values of a mean');
  const inferences = inferMeans(lists, dependence, resamples);
  return inferences.map((inference) => estimate(inference.mean, intervalOfMean(inference)));
}

/** Means of measures, which lie between 0 and 1, as do these and their intervals. */
export function inferredMeasures(lists: readonly (readonly number[])[], sampling: Sampling): Estimate[] {
  return inferredMeans(lists, sampling).map((one) => within(one, 0, 1));
}

/** Summaries of differences of measures, whose means lie between -1 and 1, as do the intervals of these. @param lists, random as those of `summarizeGains` */
export function summarizeMeasureDifferences(
  lists: readonly (readonly number[])[],
  sampling: Sampling,
  random: Random,
): GainSummary[] {
  return summarizeGains(lists, sampling, random).summaries.map((summary) => ({
    ...summary,
    mean: within(summary.mean, -1, 1),
  }));
}

/** The estimate of a number that cannot be below `least` or above `most`: its interval is cut there. It holds 0 as before where these have 0 between them. */
export function within({ value, low, high }: Estimate, least: number, most: number): Estimate {
  return {
    value,
    low: low === null ? null : Math.max(least, low),
    high: high === null ? null : Math.min(most, high),
  };
}

/**
 * The share of wins. Where all samples or none win the design effect is not known, and is taken to be as large as it can be: one sample for each
 * cluster.
 */
function winShare(wins: readonly number[], dependence: Dependence): Estimate {
  const share = mean(wins);
  const { clusters } = dependence;
  if (clusters.length < 2) return estimate(share);
  const alike = wins.length ** 2 / clusters.reduce((sum, { length }) => sum + length ** 2, 0);
  const effective = share > 0 && share < 1 ? effectiveSamples(wins, standardErrorOfMean(wins, dependence)) : alike;
  return estimate(share, wilsonInterval(share, effective, clusters.length));
}

/** The share that one gain has in another. */
export interface Share {
  /**
   * The ratio of the means, with Fieller's set of ratios. The value is null where the whole is 0; the ends are also null where there are too few
   * clusters.
   */
  readonly share: Estimate & { readonly shape: RatioShape };
  /**
   * The ratio of the trimmed means, with a percentile interval of joint resamples. It is null where the whole is not distinguishably above 0. In a resample whose whole is 0
   * or less the part is an unbounded share of its own sign, so that the interval holds 0 where the part's does.
   */
  readonly shareTrimmed: Estimate;
}

/** @param part, whole places in the lists that `gains` was made of */
export function shareOf(gains: Gains, lists: readonly (readonly number[])[], part: number, whole: number): Share {
  const ratio = ratioOfMeans(lists[part]!, lists[whole]!, gains.dependence, gains.resamples);
  const { value, low, high, shape } = ratio ?? { ...NO_RATIO, value: mean(lists[part]!) / mean(lists[whole]!) };
  const trimmed = [part, whole].map((at) => gains.summaries[at]!.trimmedMean) as [Estimate, Estimate];
  const isDefined = trimmed[0].value !== null && (trimmed[1].low ?? 0) > 0;
  const wholes = gains.replicates[whole]!.trimmedMean;
  const ratios = gains.replicates[part]!.trimmedMean.map((x, i) => (x === 0 ? 0 : x / Math.max(wholes[i]!, 0)));
  return {
    share: { ...estimate(value, { low, high }), shape },
    shareTrimmed: isDefined
      ? estimate(trimmed[0].value! / trimmed[1].value!, percentilesOf(ratios, gains.resamples))
      : estimate(Number.NaN),
  };
}

const NO_RATIO = { low: Number.NaN, high: Number.NaN, shape: 'interval' } as const;

/**
 * The p-value of the equivalence test: small where the mean is shown to lie within `margin` standard deviations of the samples (Cohen's d) of 0.
 */
export function equivalence(list: readonly number[], inference: MeanInference, margin: number): number | null {
  return equivalenceOfMean(inference, margin * standardDeviation(list)) ?? null;
}

/** P-values corrected over a family of tests. */
export interface Corrected {
  /** The number of tests in the family. */
  readonly familySize: number;
  readonly bonferroni: number | null;
  readonly holm: number | null;
  /** The p-value corrected by Benjamini and Hochberg. */
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

export function estimate(value: number, interval?: Interval): Estimate {
  return { value: finite(value), low: finite(interval?.low), high: finite(interval?.high) };
}

/** The number, or null for an undefined statistic, since JSON has no NaN. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
