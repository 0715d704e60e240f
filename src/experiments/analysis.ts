/**
 * From the trials of a run to its summary: a pure function of the configuration and the journal's content, without times, so that an
 * interrupted and resumed run ends in the same bytes as an undisturbed one.
 */
import { Random } from '../random.js';
import { cohensD, mean, median, pearson, trimmedMean } from '../stats/describe.js';
import {
  averageGradients,
  coupledPoints,
  type Gradient,
  gradient,
  type HardnessPoint,
  splitPoints,
  type TokenPair,
} from '../stats/hardness.js';
import { bcaInterval, bootstrap, type Interval, percentileInterval, wilsonInterval } from '../stats/interval.js';
import { bonferroni, tTest } from '../stats/significance.js';
import type { Comparison } from './experiment.js';
import { type Entry, isTrial, type Rejection, type Trial } from './journal.js';
import type { Configuration } from './record.js';

const RESAMPLES = 10_000;

/** A number with its 95% interval; null where it is undefined. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface ConditionSummary {
  readonly name: string;
  /** Mean over samples of the mean NLL per answer token, in nats. */
  readonly nll: number;
  readonly prefix_tokens: number;
  readonly document_tokens: number;
}

export interface GradientSummary {
  readonly quintiles: readonly { readonly n: number; readonly hardness: number | null; readonly gain: number | null }[];
  readonly r: Estimate;
}

export interface ComparisonSummary extends Comparison {
  /** Baseline minus treatment, in nats per answer token: positive when the treatment is better. */
  readonly gain: {
    readonly mean: Estimate;
    readonly median: number;
    /** Without the lowest and highest fifth. */
    readonly trimmed_mean: number;
  };
  readonly d: Estimate;
  /** Share of samples with a gain above 0; Wilson's interval. */
  readonly win: Estimate;
  readonly p: number | null;
  readonly p_bonferroni: number | null;
  /** Mean gain as a share of the oracle's; null when the oracle's own gain is not distinguishable from 0. */
  readonly share_of_oracle: Estimate;
  /** The research's ratio of the two d. */
  readonly authors_share_of_oracle: number | null;
  readonly hardness: {
    readonly split: GradientSummary & { readonly excluded_samples: number };
    readonly coupled: GradientSummary;
  };
}

export interface Summary {
  readonly format: 1;
  readonly configuration: Configuration;
  /** Fewer samples than the protocol asks for: nothing may be concluded. */
  readonly smoke_run: boolean;
  readonly samples: {
    readonly scored: number;
    readonly rejected: readonly Rejection[];
    /** Samples with a document cut to the maximum length. */
    readonly cut: number;
    /** Samples whose token ids change when prefix and document are tokenised as one string. */
    readonly joint_differs: number;
  };
  readonly resamples: number;
  readonly conditions: readonly ConditionSummary[];
  readonly comparisons: readonly ComparisonSummary[];
}

export function summarize(configuration: Configuration, entries: readonly Entry[]): Summary {
  const { conditions, comparisons, protocol_samples } = configuration.experiment;
  const trials = entries.filter(isTrial);
  const rejected = entries.filter((entry) => !isTrial(entry)) as Rejection[];
  const samples = [...new Set(trials.map(({ sample }) => sample))].sort();
  const table = new Map<string, Map<string, Trial>>(conditions.map(({ name }) => [name, new Map()]));
  for (const trial of trials) table.get(trial.condition)?.set(trial.sample, trial);
  const column = (condition: string) => samples.map((sample) => table.get(condition)!.get(sample)!);
  const countSamples = (test: (trial: Trial) => boolean) => new Set(trials.filter(test).map((t) => t.sample)).size;
  return {
    format: 1,
    configuration,
    smoke_run: samples.length < protocol_samples,
    samples: {
      scored: samples.length,
      rejected: rejected.sort((a, b) => (a.sample < b.sample ? -1 : 1)),
      cut: countSamples(({ cut }) => cut),
      joint_differs: countSamples(({ joint_differs }) => joint_differs === true),
    },
    resamples: RESAMPLES,
    conditions: conditions.map(({ name }) => ({
      name,
      nll: mean(column(name).map(({ nll }) => nll)),
      prefix_tokens: mean(column(name).map((trial) => trial.prefix_tokens)),
      document_tokens: mean(column(name).map((trial) => trial.document_tokens)),
    })),
    comparisons: summarizeComparisons(comparisons, column, configuration.seed),
  };
}

function summarizeComparisons(
  comparisons: readonly Comparison[],
  column: (condition: string) => Trial[],
  seed: number,
): ComparisonSummary[] {
  const gains = comparisons.map(({ treatment, baseline }) => {
    const treated = column(treatment);
    return column(baseline).map(({ nll }, i) => nll - treated[i]!.nll);
  });
  // One set of resamples for all comparisons, so that a ratio of two of them can be formed resample by resample.
  const random = new Random('bootstrap', seed);
  const resample = resampler(gains);
  const replicates = bootstrap(
    gains[0]!.length,
    (indices) => resample(indices).flatMap((sample) => [mean(sample), cohensD(sample)]),
    RESAMPLES,
    random,
  );
  const means = comparisons.map((_, c) => replicates[2 * c]!);
  const meanOf = gains.map((gain, c) =>
    estimate(mean(gain), bcaInterval(means[c]!, mean(gain), jackknife(gain, mean))),
  );
  return comparisons.map((comparison, c) => {
    const gain = gains[c]!;
    const d = cohensD(gain);
    const wins = gain.filter((value) => value > 0).length;
    const p = tTest(gain);
    const oracle = comparisons.findIndex(
      ({ treatment, baseline }) => treatment === comparison.oracle && baseline === comparison.baseline,
    );
    const tokens = column(comparison.treatment).map((trial, i) => ({
      baseline: column(comparison.baseline)[i]!.token_nlls,
      treatment: trial.token_nlls,
    }));
    return {
      ...comparison,
      gain: { mean: meanOf[c]!, median: median(gain), trimmed_mean: trimmedMean(gain, 0.2) },
      d: estimate(d, bcaInterval(replicates[2 * c + 1]!, d, jackknife(gain, cohensD))),
      win: estimate(wins / gain.length, wilsonInterval(wins, gain.length)),
      p: p ?? null,
      p_bonferroni: p === undefined ? null : bonferroni(p, comparisons.length),
      share_of_oracle: shareOfOracle(c, oracle, meanOf, means),
      authors_share_of_oracle: cohensD(gains[oracle]!) > 0 ? finite(d / cohensD(gains[oracle]!)) : null,
      hardness: summarizeHardness(tokens, random),
    };
  });
}

/** Ratio of mean gains; undefined unless the oracle's interval lies above 0: without a gap there is no share of it. */
function shareOfOracle(
  comparison: number,
  oracle: number,
  means: readonly Estimate[],
  replicates: readonly Float64Array[],
): Estimate {
  const { value, low } = means[oracle]!;
  if (value === null || low === null || low <= 0) return { value: null, low: null, high: null };
  const ratios = replicates[comparison]!.map((mean, i) => mean / replicates[oracle]![i]!);
  return estimate(means[comparison]!.value! / value, percentileInterval(ratios));
}

function summarizeHardness(pairs: readonly TokenPair[], random: Random): ComparisonSummary['hardness'] {
  const coupled = coupledPoints(pairs);
  const { odd, even, excluded } = splitPoints(pairs);
  return {
    split: {
      ...(odd.length > 1
        ? withInterval(averageGradients(gradient(odd), gradient(even)), [odd, even], random)
        : { quintiles: [], r: estimate(Number.NaN) }),
      excluded_samples: excluded,
    },
    coupled: withInterval(gradient(coupled), [coupled], random),
  };
}

/** The interval of r resamples samples; both halves of a split sample go together. */
function withInterval(
  { quintiles, r }: Gradient,
  halves: readonly (readonly HardnessPoint[])[],
  random: Random,
): GradientSummary {
  const resample = resampler(halves.flatMap((points) => [points.map((p) => p.hardness), points.map((p) => p.gain)]));
  const correlate = (indices: Int32Array) => {
    const axes = resample(indices);
    return mean(halves.map((_, half) => pearson(axes[2 * half]!, axes[2 * half + 1]!)));
  };
  const [replicates] = bootstrap(halves[0]!.length, (indices) => [correlate(indices)], RESAMPLES, random);
  return {
    quintiles: quintiles.map(({ n, hardness, gain }) => ({ n, hardness: finite(hardness), gain: finite(gain) })),
    r: estimate(r, percentileInterval(replicates!)),
  };
}

/** Takes the same cases from several lists; what it returns is overwritten by the next call. */
function resampler(lists: readonly (readonly number[])[]): (indices: Int32Array) => readonly Float64Array[] {
  const samples = lists.map((list) => new Float64Array(list.length));
  return (indices) => {
    for (const [l, sample] of samples.entries()) {
      const list = lists[l]!;
      for (let i = 0; i < indices.length; i++) sample[i] = list[indices[i]!]!;
    }
    return samples;
  };
}

/** The statistic of the list without its i-th value, for every i. */
function jackknife(values: readonly number[], statistic: (values: readonly number[]) => number): number[] {
  return values.map((_, left) => statistic(values.filter((_, i) => i !== left)));
}

function estimate(value: number, interval?: Interval): Estimate {
  return { value: finite(value), low: finite(interval?.low), high: finite(interval?.high) };
}

/** JSON has no NaN: undefined statistics are null. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
