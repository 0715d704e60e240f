/** The tables of gains and conditions, and the sentences around them, from a summary. */

import { describeLiterals } from '../model/tokenizer/literal-tokens.js';
import { surrogate as surrogateOf } from '../priming/surrogate.js';
import { describeLeftOut } from '../runs/left-out.js';
import type { Comparison, Experiment } from '../runs/schema/experiment.js';
import type { ProbeSummary } from '../runs/schema/probe.js';
import type { RankingSummary } from '../runs/schema/ranking.js';
import type { ComparisonSummary, Summary } from '../runs/schema/summary.js';
import { DRIFT_NOTICE, describeDrift } from '../scoring/drift.js';
import { fixed, percent, pValue, signed, withInterval } from './format.js';
import {
  boundOf,
  conditionOf,
  describeVisibility,
  documentForm,
  isDeployable,
  isPrimary,
  visibilityOf,
} from './labels.js';
import { number, type Table, text } from './table.js';

/** Lower bound, middle, upper bound: what every table of gains is about. */
export const FRAMING =
  'Lower bound: the document alone, cached once. Upper bound: the real query in front of the document, one encoder pass for each query and document. Middle: a surrogate in its place, cached once. The question is how much of the gap the middle closes.';

const METHODS = [
  'Gain = NLL of the baseline minus NLL of the condition, per target token, paired by sample; positive is better.',
  'Intervals are 95%: bootstrap over clusters of samples (10,000 resamples, seeded; BCa for mean and d), Wilson’s for the share of wins (strictly above 0), large-sample for the second interval of d.',
  'p is two-sided: t-test, Wilcoxon’s signed ranks (zero differences dropped; p = 1 below 10 others), 10,000 random sign flips. Holm, Bonferroni, and Benjamini and Hochberg (BH) correct the t-test’s p over its family: the comparisons that see the same.',
  '% of oracle is the ratio of mean gains (joint bootstrap; Fieller’s interval in the second table), undefined (–) where the oracle’s own gain is not distinguishably above 0. Authors’ % is their ratio of the two d.',
].join(' ');

const COLUMNS =
  'Deployable: made without the query. Target leak: share of samples whose prefix contains the scored text.';

/** How the numbers were made. */
export function methods(summary: Summary): string[] {
  const { comparisons, detectable_d, samples, smoke_run, ranking, probe } = summary;
  const units = ranking ? `${ranking.pools} pools` : `${samples.scored} samples`;
  const power = `Power: with ${units}, a single comparison finds |d| of ${fixed(detectable_d, 2)} or more with 80% power at the 5% level${smoke_run ? '; this is a smoke run' : ''}.`;
  return [...(comparisons.length > 0 ? [METHODS] : []), ...(probe ? [] : [COLUMNS, power]), describePasses(summary)];
}

function describePasses({ passes: { encoder, decoder, naive_encoder }, probe }: Summary): string {
  const saved = encoder > 0 && naive_encoder > encoder ? `, ${fixed(naive_encoder / encoder, 1)} times as many` : '';
  const made = `${count(encoder)} of the encoder${probe ? '' : ` and ${count(decoder)} of the decoder`}`;
  return `Forward passes: ${made}; a loop over samples and conditions would make ${count(naive_encoder)} of the encoder${saved}.`;
}

export const HARDNESS_NOTE =
  'Does priming help more where the baseline finds the answer hard? Plotted against the NLL that the gain is computed from, a gradient appears out of nothing; so hardness is taken from the odd answer tokens and the gain from the even ones, and swapped. The coupled axis of the research is shown beside it.';

/** What must stand above the numbers. */
export function warnings({ configuration, smoke_run, samples, ranking, identities }: Summary): string[] {
  const { experiment, model } = configuration;
  const lines: string[] = [];
  if (smoke_run) {
    const found = ranking ? `${ranking.pools} pools` : `${samples.scored} samples`;
    lines.push(`Smoke run: no conclusions. ${found}; the protocol asks for ${experiment.protocol.samples}.`);
  }
  if (model.built_in) {
    lines.push(
      'Results of the built-in model: it is small, trained on generated advertisements, and trained to use a query in the encoder. They say how this model behaves, nothing about T5Gemma 2.',
    );
  }
  lines.push(...describeLeftOut(configuration.left_out ?? []));
  const { literal = { samples: 0, tokens: [] } } = samples;
  const literals = describeLiterals(literal.samples, 'samples', literal.tokens, configuration.control_tokens ?? 'keep');
  if (literals) lines.push(literals);
  if (model.drift && model.drift.mean_absolute > DRIFT_NOTICE) {
    lines.push(
      `Computed as int8, whose NLLs are ${describeDrift(model.drift)}: effects that are not much larger cannot be told from rounding.`,
    );
  }
  const broken = identities.filter(({ holds }) => holds === false);
  if (broken.length > 0) {
    lines.push(
      `Conditions that are the same by construction gave different numbers (${broken.map(({ name }) => name).join('; ')}): something is wrong with the computation.`,
    );
  }
  return lines;
}

/** A surrogate works if it keeps this share of the oracle's gain. */
const WORKS_FROM = 0.8;

/** The comparison that was named beforehand, in a sentence; undefined where nothing is compared by NLL. */
export function headline({ configuration, comparisons, smoke_run }: Summary): string | undefined {
  const primary = comparisons.find((comparison) => isPrimary(configuration.experiment, comparison));
  if (!primary) return undefined;
  const { treatment, baseline, gain, corrected, oracle, share } = primary;
  const sentence = `Primary comparison${configuration.experiment.primary ? ', named beforehand' : ''}: ${treatment} against ${baseline}, mean gain ${withInterval(gain.mean, (x) => signed(x, 3))} nats per token, d ${withInterval(gain.d, (x) => signed(x, 2))}, p ${pValue(gain.p.t)} (Holm over ${corrected.family_size}: ${pValue(corrected.holm)}).`;
  if (oracle === undefined || oracle === treatment) return sentence;
  if (share.value === null || primary.authors_share === null) {
    return `${sentence} Its share of the oracle’s gain is undefined: that gain is not distinguishably above 0.`;
  }
  const kept = ` It keeps ${withInterval(share, (x) => percent(x))} percent of the oracle’s gain`;
  if (smoke_run || share.low === null || share.high === null) return `${sentence}${kept}.`;
  const verdict =
    share.low >= WORKS_FROM ? 'it works' : share.high < WORKS_FROM ? 'it does not work' : 'the run does not decide it';
  return `${sentence}${kept}; by the margin fixed beforehand (${WORKS_FROM * 100}% or more) ${verdict}.`;
}

/** Comparisons whose rows belong into one table. */
export interface GainGroup {
  /** Part of a file's name. */
  readonly slug: string;
  readonly title: string;
  readonly comparisons: readonly ComparisonSummary[];
}

const TITLES: Readonly<Record<string, string>> = {
  full: 'Everything visible',
  published: 'Prefix hidden by the published mask',
  exact: 'Prefix hidden exactly: the decoder sees the document alone',
};

/** By what the decoder sees; comparisons of two prefixes apart from those with a bare document. */
export function gainGroups({ configuration: { experiment }, comparisons }: Summary): GainGroup[] {
  const groups = new Map<string, ComparisonSummary[]>();
  for (const comparison of comparisons) {
    const bare = boundOf(experiment, comparison.baseline) === 'lower bound';
    const key = bare ? visibilityOf(conditionOf(experiment, comparison.treatment)) : PREFIXES;
    groups.set(key, [...(groups.get(key) ?? []), comparison]);
  }
  return [...groups].map(([key, members]) => ({
    slug: slugOf(key),
    title: TITLES[key] ?? (key === PREFIXES ? 'One prefix against another' : `The decoder sees: ${key}`),
    comparisons: members,
  }));
}

const PREFIXES = 'prefixes';

/** For names of files and anchors. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** Gain, effect and share of the oracle: below each lower bound what is compared with it, upper bounds last. */
export function gainTable(
  { configuration: { experiment }, conditions }: Summary,
  comparisons: readonly ComparisonSummary[],
): Table {
  const leak = new Map(conditions.map((condition) => [condition.name, condition.leak]));
  const about = (name: string) => [isDeployable(experiment, name) ? 'yes' : 'no', percent(leak.get(name) ?? null)];
  const lowerBound = (baseline: string) =>
    boundOf(experiment, baseline) === 'lower bound'
      ? [[baseline, '–', 'lower bound', ...about(baseline), '0', '–', '–', '–', '–', '–']]
      : [];
  const row = (c: ComparisonSummary) => [
    marked(experiment, c),
    c.baseline,
    boundOf(experiment, c.baseline) === 'lower bound' ? boundOf(experiment, c.treatment) : '–',
    ...about(c.treatment),
    withInterval(c.gain.mean, (x) => signed(x, 3)),
    withInterval(c.gain.d, (x) => signed(x, 2)),
    percent(c.gain.win.value),
    pValue(c.gain.p.t),
    pValue(c.corrected.holm),
    ofOracle(
      c,
      withInterval(c.share, (x) => percent(x)),
    ),
  ];
  const rows = baselinesOf(comparisons).flatMap((baseline) => {
    const members = comparisons.filter((comparison) => comparison.baseline === baseline);
    const isUpper = (c: ComparisonSummary) => boundOf(experiment, c.treatment) === 'upper bound';
    const ordered = [...members.filter((c) => !isUpper(c)), ...members.filter(isUpper)];
    return [...lowerBound(baseline), ...ordered.map(row)];
  });
  return {
    columns: [
      text('condition'),
      text('against'),
      text('bound'),
      text('deployable'),
      number('target leak %'),
      number('mean gain, nats [95%]'),
      number('d [95%]'),
      number('win %'),
      number('p'),
      number('p, Holm'),
      number('% of oracle [95%]'),
    ],
    rows,
  };
}

/** What the table of gains has no room for. */
export function statisticsTable({ configuration }: Summary, comparisons: readonly ComparisonSummary[]): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      number('d [analytic 95%]'),
      number('median'),
      number('trimmed mean'),
      number('win % [95%]'),
      number('p, t'),
      number('p, Wilcoxon'),
      number('p, sign flips'),
      number('family'),
      number('Holm'),
      number('Bonferroni'),
      number('BH'),
      number('% of oracle [Fieller 95%]'),
      number('authors’ %'),
    ],
    rows: comparisons.map((c) => [
      marked(configuration.experiment, c),
      c.baseline,
      withInterval(c.gain.d_analytic, (x) => signed(x, 2)),
      signed(c.gain.median, 3),
      signed(c.gain.trimmed_mean, 3),
      withInterval(c.gain.win, (x) => percent(x)),
      pValue(c.gain.p.t),
      pValue(c.gain.p.wilcoxon),
      pValue(c.gain.p.sign_flip),
      String(c.corrected.family_size),
      pValue(c.corrected.holm),
      pValue(c.corrected.bonferroni),
      pValue(c.corrected.bh),
      ofOracle(
        c,
        withInterval(c.share_fieller, (x) => percent(x)),
      ),
      ofOracle(c, percent(c.authors_share)),
    ]),
  };
}

/** The run's main table, narrow enough for a terminal. */
export function shortTable(summary: Summary): Table {
  const { ranking, probe } = summary;
  if (ranking) return shortRankingTable(ranking);
  return probe ? shortProbeTable(probe) : shortGainTable(summary);
}

function shortRankingTable({ measures, conditions }: RankingSummary): Table {
  return {
    columns: [text('condition'), ...measures.map(({ name }) => number(name))],
    rows: conditions.map(({ name, means }) => [name, ...means.map(({ value }) => fixed(value, 3))]),
  };
}

function shortProbeTable({ layers, conditions }: ProbeSummary): Table {
  return {
    columns: [text('condition'), text('measure'), ...layers.map((layer) => number(`layer ${layer}`))],
    rows: conditions.flatMap(({ name, measures }) =>
      measures
        .filter(({ by_layer }) => by_layer.some((value) => value !== null))
        .map((measure) => [name, measure.name, ...measure.by_layer.map((mean) => fixed(mean?.value ?? null, 3))]),
    ),
  };
}

/** All comparisons, narrow enough for a terminal. */
function shortGainTable({ configuration, comparisons }: Summary): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      number('mean gain, nats [95%]'),
      number('d [95%]'),
      number('win %'),
      number('p, Holm'),
      number('% of oracle [95%]'),
    ],
    rows: comparisons.map((c) => [
      marked(configuration.experiment, c),
      c.baseline,
      withInterval(c.gain.mean, (x) => signed(x, 3)),
      withInterval(c.gain.d, (x) => signed(x, 2)),
      percent(c.gain.win.value),
      pValue(c.corrected.holm),
      ofOracle(
        c,
        withInterval(c.share, (x) => percent(x)),
      ),
    ]),
  };
}

/** Mean NLL of every condition. */
export function conditionTable({ configuration: { experiment }, conditions }: Summary): Table {
  return {
    columns: [
      text('condition'),
      text('prefix'),
      text('document'),
      text('decoder sees'),
      text('deployable'),
      number('target leak %'),
      number('mean NLL, nats/token'),
      number('prefix tokens'),
      number('document tokens'),
    ],
    rows: conditions.map(({ name, nll, prefix_tokens, document_tokens, leak }) => {
      const condition = conditionOf(experiment, name);
      const { surrogate, also } = condition;
      return [
        name,
        surrogate ? surrogateOf(surrogate).about : 'none',
        documentForm(condition),
        describeVisibility(condition) + (also ? ', with rows of another encode' : ''),
        isDeployable(experiment, name) ? 'yes' : 'no',
        percent(leak),
        fixed(nll, 3),
        fixed(prefix_tokens, 1),
        fixed(document_tokens, 1),
      ];
    }),
  };
}

/** Mean gain per fifth of hardness, and the correlation. */
export function hardnessTable({ comparisons }: Summary, axis: 'split' | 'coupled'): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      ...['easiest', '2nd', '3rd', '4th', 'hardest'].map((fifth) => number(fifth)),
      number('r [95%]'),
    ],
    rows: comparisons.map(({ treatment, baseline, hardness }) => [
      treatment,
      baseline,
      ...[0, 1, 2, 3, 4].map((fifth) => signed(hardness[axis].quintiles[fifth]?.gain ?? null, 3)),
      withInterval(hardness[axis].r, (x) => signed(x, 2)),
    ]),
  };
}

/** How samples were treated, one sentence each. */
export function sampleNotes({ samples, configuration, comparisons }: Summary): string[] {
  const excluded = comparisons[0]?.hardness.split.excluded_samples ?? 0;
  const together =
    samples.clusters < samples.scored ? ` They form ${samples.clusters} clusters that are resampled whole.` : '';
  const notes = [
    `${samples.scored} samples scored, ${samples.rejected.length} rejected, ${samples.cut} with a document cut to keep ${configuration.max_tokens} tokens.${together}`,
    `Tokenised as one string (full, published), prefix and document get other token ids than tokenised apart (exact) in ${samples.joint_differs} samples.`,
  ];
  if (excluded > 0)
    notes.push(`Hardness on split tokens leaves out ${excluded} samples whose answer is a single token.`);
  const shown = samples.rejected.slice(0, REJECTIONS_SHOWN);
  for (const { sample, rejected } of shown) notes.push(`Rejected ${sample}: ${rejected}`);
  const hidden = samples.rejected.length - shown.length;
  return hidden > 0 ? [...notes, `${hidden} more were rejected; trials.jsonl has the reasons.`] : notes;
}

const REJECTIONS_SHOWN = 20;

/** Marks the comparison that was named beforehand. */
export function marked(experiment: Experiment, comparison: Comparison): string {
  return comparison.treatment + (isPrimary(experiment, comparison) ? ' (primary)' : '');
}

function baselinesOf(comparisons: readonly Comparison[]): string[] {
  return [...new Set(comparisons.map(({ baseline }) => baseline))];
}

/** A share of what is not a gain says nothing; an oracle is all of itself. */
function ofOracle({ treatment, oracle, share, authors_share }: ComparisonSummary, shown: string): string {
  if (share.value === null || authors_share === null) return '–';
  return treatment === oracle ? '100' : shown;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
