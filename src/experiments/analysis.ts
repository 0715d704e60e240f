/**
 * From the trials of a run to its summary: a pure function of the configuration and the journal's content, without times, so that an
 * interrupted and resumed run ends in the same bytes as an undisturbed one.
 */

import { Random } from '../base/random.js';
import { surrogate } from '../priming/surrogate.js';
import { type Comparison, type ContrastGroup, type Experiment, specificationsOf } from '../runs/experiment.js';
import {
  type Entry,
  expectFiniteEntry,
  isProbe,
  isRejection,
  isTrial,
  type Rejection,
  type Trial,
} from '../runs/journal.js';
import type { Configuration } from '../runs/record.js';
import type { SampleRecord } from '../runs/samples.js';
import { mean, pearson, spearman } from '../stats/describe.js';
import {
  type Corrected,
  correctFamilies,
  type Estimate,
  estimate,
  finite,
  type GainSummary,
  RESAMPLES,
  type Share,
  shareOf,
  summarizeGains,
} from '../stats/gains.js';
import {
  averageGradients,
  coupledPoints,
  type Gradient,
  gradient,
  type HardnessPoint,
  splitPoints,
  type TokenPair,
} from '../stats/hardness.js';
import { clusteredBootstrap, percentileInterval } from '../stats/interval.js';
import { detectableD } from '../stats/power.js';
import { equivalenceTest } from '../stats/significance.js';
import { type ProbeSummary, summarizeProbe } from './probe.js';
import { type RankingSummary, summarizeRanking } from './ranking.js';

export interface ConditionSummary {
  readonly name: string;
  /** Mean over samples of the mean NLL per target token, in nats. */
  readonly nll: number;
  readonly prefix_tokens: number;
  readonly document_tokens: number;
  /** Share of samples whose prefix contains the scored text. */
  readonly leak: number;
}

export interface GradientSummary {
  readonly quintiles: readonly { readonly n: number; readonly hardness: number | null; readonly gain: number | null }[];
  readonly r: Estimate;
}

export interface ComparisonSummary extends Comparison, Share {
  readonly gain: GainSummary;
  /** Of the t-test's p. */
  readonly corrected: Corrected;
  /** The research's share of the oracle: the ratio of the two d. */
  readonly authors_share: number | null;
  readonly hardness: {
    readonly split: GradientSummary & { readonly excluded_samples: number };
    readonly coupled: GradientSummary;
  };
}

export interface ContrastSummary extends Share {
  readonly name: string;
  readonly share_of?: string;
  readonly gain: GainSummary;
  /** Null outside the family. */
  readonly p_holm: number | null;
  /** p of the test that the effect lies within the margin; null without a margin. */
  readonly p_equivalence: number | null;
}

export interface OrderSummary {
  readonly title: string;
  /** Spearman's correlation of the place in the order, the first place 1, with d. */
  readonly rho: Estimate;
}

export interface SelectionSummary {
  readonly title: string;
  /** How often each treatment was the best on the samples that choose. */
  readonly chosen: Readonly<Record<string, number>>;
  readonly folds: number;
  /** On samples that had no part in the choice. */
  readonly held_out: GainSummary;
  /** The best on all samples at once: too good, because chosen by what it is measured on. */
  readonly best: { readonly treatment: string; readonly gain: number };
}

export interface IdentitySummary {
  readonly name: string;
  /** Samples that the identity holds for. */
  readonly samples: number;
  /** The largest difference of a token's NLL, in nats; null without samples. */
  readonly largest: number | null;
  readonly holds: boolean | null;
}

export interface Summary {
  readonly format: 2;
  readonly configuration: Configuration;
  /** Fewer samples than the protocol asks for: nothing may be concluded. */
  readonly smoke_run: boolean;
  /** The smallest d of a single comparison that this number of samples finds with 80% power. */
  readonly detectable_d: number;
  readonly samples: {
    readonly scored: number;
    readonly clusters: number;
    readonly rejected: readonly Rejection[];
    /** Samples with a document cut to the maximum length. */
    readonly cut: number;
    /** Samples whose token ids change when prefix and document are tokenised as one string. */
    readonly joint_differs: number;
    /** Samples whose texts hold control tokens as they are written, and those tokens. Summaries that are older do not say so. */
    readonly literal?: { readonly samples: number; readonly tokens: readonly string[] };
  };
  readonly passes: PassCounts;
  readonly resamples: number;
  readonly conditions: readonly ConditionSummary[];
  readonly comparisons: readonly ComparisonSummary[];
  readonly contrasts: readonly (Pick<ContrastGroup, 'title' | 'note' | 'decomposition'> & {
    readonly equivalence_margin: number | null;
    readonly contrasts: readonly ContrastSummary[];
  })[];
  readonly orders: readonly OrderSummary[];
  readonly selections: readonly SelectionSummary[];
  readonly identities: readonly IdentitySummary[];
  /** Of an experiment on pools. */
  readonly ranking?: RankingSummary;
  /** Of an experiment that looks into the encoder. */
  readonly probe?: ProbeSummary;
}

/** Forward passes made, and what the loop over samples and conditions would make. */
export interface PassCounts {
  readonly encoder: number;
  readonly decoder: number;
  readonly naive_encoder: number;
}

type Column = readonly Trial[];

export function summarize(
  configuration: Configuration,
  entries: readonly Entry[],
  records: readonly SampleRecord[],
  passes: PassCounts,
): Summary {
  for (const entry of entries) expectFiniteEntry(entry);
  const { experiment, seed } = configuration;
  const trials = entries.filter(isTrial);
  const probes = entries.filter(isProbe);
  const scored = new Set([...trials, ...probes].map(({ sample }) => sample));
  // A sample whose surrogate could not be written at first may have been scored later.
  const rejected = entries.filter(isRejection).filter(({ sample }) => !scored.has(sample));
  const kept = records.filter(({ id }) => scored.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const table = new Map<string, Map<string, Trial>>(experiment.conditions.map(({ name }) => [name, new Map()]));
  for (const trial of trials) table.get(trial.condition)?.set(trial.sample, trial);
  const columns = new Map<string, Column>();
  for (const { name } of experiment.conditions)
    columns.set(
      name,
      kept.map(({ id }) => table.get(name)!.get(id)!),
    );
  const column = (condition: string) => columns.get(condition)!;
  const countSamples = (test: (trial: Trial) => boolean) => new Set(trials.filter(test).map((t) => t.sample)).size;
  const clusters = clustersOf(kept, records, experiment);
  const random = new Random('bootstrap', seed);
  const units = experiment.unit === 'pool' ? new Set(kept.map(({ pool }) => pool)).size : kept.length;
  const measured = {
    sample: () => summarizePaired(experiment, column, clusters, random),
    pool: () => ({ ...NOTHING_COMPARED, ranking: summarizeRanking(experiment, kept, records, column, random) }),
    probe: () => ({ ...NOTHING_COMPARED, probe: summarizeProbe(experiment.conditions, probes, random) }),
  }[experiment.unit]();
  return {
    format: 2,
    configuration,
    smoke_run: units < experiment.protocol.samples,
    detectable_d: detectableD(units),
    samples: {
      scored: kept.length,
      clusters: clusters.length,
      rejected: rejected.sort((a, b) => (a.sample < b.sample ? -1 : 1)),
      cut: countSamples(({ cut }) => cut),
      joint_differs: countSamples(({ joint_differs }) => joint_differs === true),
      literal: literalsOf(kept),
    },
    passes,
    resamples: RESAMPLES,
    conditions: (experiment.unit === 'probe' ? [] : experiment.conditions).map(({ name }) => ({
      name,
      nll: mean(column(name).map(({ nll }) => nll)),
      prefix_tokens: mean(column(name).map((trial) => trial.prefix_tokens)),
      document_tokens: mean(column(name).map((trial) => trial.document_tokens)),
      leak: column(name).filter(({ leak }) => leak).length / kept.length,
    })),
    identities: checkIdentities(configuration, column),
    ...measured,
  };
}

function literalsOf(samples: readonly SampleRecord[]): { samples: number; tokens: string[] } {
  const found = samples.flatMap(({ control_tokens = [] }) => (control_tokens.length > 0 ? [control_tokens] : []));
  return { samples: found.length, tokens: [...new Set(found.flat())].sort() };
}

/** Nats that two ways of computing the same may differ by. */
const IDENTITY_TOLERANCE = 1e-4;

function checkIdentities(
  { experiment, model }: Configuration,
  column: (condition: string) => Column,
): IdentitySummary[] {
  return experiment.identities.map(({ name, left, right, within_window }) => {
    // Half of a window to either side; BOS, prefix, line break and document are in a row.
    const fits = ({ prefix_tokens, document_tokens }: Trial) =>
      model.window === null || prefix_tokens + document_tokens + 2 <= Math.floor(model.window / 2);
    const others = column(right);
    const differences = column(left).flatMap((trial, i) =>
      within_window && !fits(trial)
        ? []
        : [Math.max(...trial.token_nlls.map((nll, t) => Math.abs(nll - others[i]!.token_nlls[t]!)))],
    );
    const largest = differences.length > 0 ? Math.max(...differences) : null;
    return {
      name,
      samples: differences.length,
      largest,
      holds: largest === null ? null : largest <= IDENTITY_TOLERANCE,
    };
  });
}

const NOTHING_COMPARED = { comparisons: [], contrasts: [], orders: [], selections: [] };

/**
 * Samples that are not independent stand or fall together in a resample: those of one cluster, and the two that lend each other words
 * where a surrogate borrows from another sample.
 */
function clustersOf(kept: readonly SampleRecord[], all: readonly SampleRecord[], experiment: Experiment): number[][] {
  const borrows = specificationsOf(experiment).some((specification) => surrogate(specification).source === 'other');
  const half = Math.max(2, Math.floor(all.length / 2));
  const place = new Map(all.map(({ id }, index) => [id, index]));
  const groups = new Map<string, number[]>();
  for (const [index, { id, cluster }] of kept.entries()) {
    const key = cluster ?? (borrows ? `pair ${place.get(id)! % half}` : id);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  return [...groups.values()];
}

function summarizePaired(
  { comparisons, contrasts, orders, selections }: Experiment,
  column: (condition: string) => Column,
  clusters: readonly (readonly number[])[],
  random: Random,
): Pick<Summary, 'comparisons' | 'contrasts' | 'orders' | 'selections'> {
  const nlls = (condition: string) => column(condition).map(({ nll }) => nll);
  const differences = (treatment: string, baseline: string) => {
    const treated = nlls(treatment);
    return nlls(baseline).map((nll, i) => nll - treated[i]!);
  };
  // One set of resamples for all comparisons, so that a ratio of two of them can be formed resample by resample.
  const lists = comparisons.map(({ treatment, baseline }) => differences(treatment, baseline));
  const gains = summarizeGains(lists, clusters, random);
  const placeOf = (treatment: string | undefined, baseline: string) =>
    comparisons.findIndex((other) => other.treatment === treatment && other.baseline === baseline);
  const corrected = correctFamilies(
    comparisons.map(({ family }) => family ?? ''),
    gains.summaries.map(({ p }) => p.t),
  );
  const hardness = summarizeHardness(
    comparisons.map(({ treatment, baseline }) => {
      const before = column(baseline);
      return column(treatment).map(({ token_nlls }, i) => ({
        baseline: before[i]!.token_nlls,
        treatment: token_nlls,
      }));
    }),
    clusters,
    random,
  );
  return {
    comparisons: comparisons.map((comparison, c) => {
      const oracle = placeOf(comparison.oracle, comparison.baseline);
      const whole = gains.summaries[oracle]?.d.value ?? 0;
      return {
        ...comparison,
        gain: gains.summaries[c]!,
        corrected: corrected[c]!,
        ...(oracle < 0 ? NO_SHARE : shareOf(gains, lists, c, oracle)),
        authors_share: whole > 0 ? finite((gains.summaries[c]!.d.value ?? Number.NaN) / whole) : null,
        hardness: hardness[c]!,
      };
    }),
    contrasts: contrasts.map((group) => summarizeContrasts(group, nlls, clusters, random)),
    orders: orders.map(({ title, treatments, baseline }) => {
      const places = treatments.map((treatment) => placeOf(treatment, baseline));
      const ranks = treatments.map((_, rank) => rank + 1);
      const rho = (ds: readonly number[]) => spearman(ranks, ds);
      const replicates = Float64Array.from({ length: RESAMPLES }, (_, r) => rho(places.map((c) => gains.ds[c]![r]!)));
      const measured = rho(places.map((c) => gains.summaries[c]!.d.value ?? Number.NaN));
      return { title, rho: estimate(measured, percentileInterval(replicates)) };
    }),
    selections: selections.map(({ title, treatments, baseline }) => ({
      title,
      ...crossValidate(treatments, (treatment) => differences(treatment, baseline), clusters, random),
    })),
  };
}

const NO_SHARE: Share = {
  share: { value: null, low: null, high: null },
  share_fieller: { value: null, low: null, high: null },
};

function summarizeContrasts(
  { title, note, decomposition, contrasts, family, equivalence_margin }: ContrastGroup,
  nlls: (condition: string) => readonly number[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Summary['contrasts'][number] {
  const lists = contrasts.map(({ terms }) => {
    const weighted = Object.entries(terms).map(([condition, weight]) => ({ weight, nlls: nlls(condition) }));
    return weighted[0]!.nlls.map((_, i) => weighted.reduce((sum, term) => sum + term.weight * term.nlls[i]!, 0));
  });
  const gains = summarizeGains(lists, clusters, random);
  const corrected = correctFamilies(
    contrasts.map(({ name }) => (!family || family.includes(name) ? 'in' : name)),
    gains.summaries.map(({ p }) => p.t),
  );
  return {
    title,
    note,
    decomposition,
    equivalence_margin: equivalence_margin ?? null,
    contrasts: contrasts.map(({ name, share_of }, c) => ({
      name,
      ...(share_of !== undefined && { share_of }),
      gain: gains.summaries[c]!,
      p_holm: !family || family.includes(name) ? corrected[c]!.holm : null,
      p_equivalence: equivalence_margin ? (equivalenceTest(lists[c]!, equivalence_margin) ?? null) : null,
      ...(share_of === undefined
        ? NO_SHARE
        : shareOf(
            gains,
            lists,
            c,
            contrasts.findIndex((other) => other.name === share_of),
          )),
    })),
  };
}

const FOLDS = 5;

/** Whole clusters are dealt to folds in turn; each fold is measured with the treatment that is best on the other folds. */
function crossValidate(
  treatments: readonly string[],
  gainsOf: (treatment: string) => readonly number[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Omit<SelectionSummary, 'title'> {
  const lists = treatments.map(gainsOf);
  const folds = Math.min(FOLDS, clusters.length);
  const fold = new Int32Array(lists[0]!.length);
  for (const [c, cluster] of clusters.entries()) for (const index of cluster) fold[index] = c % folds;
  const best = (use: (index: number) => boolean) => {
    const means = lists.map((list) => mean(list.filter((_, i) => use(i))));
    // Without any sample to choose on, the first.
    return Math.max(0, means.indexOf(Math.max(...means)));
  };
  const choices = Array.from({ length: folds }, (_, held) => best((i) => fold[i] !== held));
  const heldOut = lists[0]!.map((_, i) => lists[choices[fold[i]!]!]![i]!);
  const overall = best(() => true);
  const counts = treatments.map((name, t) => [name, choices.filter((choice) => choice === t).length]);
  return {
    chosen: Object.fromEntries(counts),
    folds,
    held_out: summarizeGains([heldOut], clusters, random).summaries[0]!,
    best: { treatment: treatments[overall]!, gain: mean(lists[overall]!) },
  };
}

/** How the gain of each comparison goes with hardness. The comparisons share resamples. */
function summarizeHardness(
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
