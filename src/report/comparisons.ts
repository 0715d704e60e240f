/** The tables and sentences of a comparison experiment, from its summary. */
import type { Summary } from '../experiments/analysis.js';
import type { Comparison } from '../experiments/experiment.js';
import type { ProbeSummary } from '../experiments/probe.js';
import type { RankingSummary } from '../experiments/ranking.js';
import { surrogate as surrogateOf } from '../priming/surrogate.js';
import { fixed, percent, pValue, signed, withInterval } from './format.js';
import type { Table } from './table.js';

const text = (title: string) => ({ title, numeric: false });
const number = (title: string) => ({ title, numeric: true });

/** Lower bound, middle, upper bound: what every table of gains is about. */
export const FRAMING =
  'Lower bound: the document alone, cached once. Upper bound: the real query in front of the document, one encoder pass for each query and document. Middle: a surrogate in its place, cached once. The question is how much of the gap the middle closes.';

export const METHODS =
  'Gain = NLL of the baseline minus NLL of the condition, per answer token, paired by sample; positive is better. Intervals are 95%: bootstrap over samples (10,000 resamples, seeded; BCa for mean and d), Wilson’s for the share of wins; p from the two-sided t-test, corrected by Holm over the comparisons that see the same. % of oracle is the ratio of mean gains, authors’ % the ratio of d, each against the oracle of the same visibility.';

export const HARDNESS_NOTE =
  'Does priming help more where the baseline finds the answer hard? Plotted against the NLL that the gain is computed from, a gradient appears out of nothing; so hardness is taken from the odd answer tokens and the gain from the even ones, and swapped. The coupled axis of the research is shown beside it.';

/** What must stand above the numbers. */
export function warnings({ configuration, smoke_run, samples }: Summary): string[] {
  const { experiment, model } = configuration;
  const lines: string[] = [];
  if (smoke_run) {
    lines.push(
      `Smoke run: no conclusions. ${samples.scored} samples; the protocol asks for ${experiment.protocol.samples}.`,
    );
  }
  if (model.built_in) {
    lines.push(
      'Results of the built-in model: it is small, trained on generated advertisements, and trained to use a query in the encoder. They say how this model behaves, nothing about T5Gemma 2.',
    );
  }
  return lines;
}

/** Gain, effect and share of the oracle, one row a comparison. */
export function gainTable({ configuration, comparisons }: Summary): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      text('deployable'),
      number('mean gain, nats [95%]'),
      number('median'),
      number('trimmed'),
      number('d [95%]'),
      number('win %'),
      number('p'),
      number('p, Holm'),
      number('% of oracle [95%]'),
      number('authors’ %'),
    ],
    rows: comparisons.map((c) => [
      c.treatment,
      c.baseline,
      isDeployable(configuration.experiment, c.treatment) ? 'yes' : 'no',
      withInterval(c.gain.mean, (x) => signed(x, 3)),
      signed(c.gain.median, 3),
      signed(c.gain.trimmed_mean, 3),
      withInterval(c.gain.d, (x) => signed(x, 2)),
      percent(c.gain.win.value),
      pValue(c.gain.p.t),
      pValue(c.corrected.holm),
      ofOracle(
        c,
        c.share.value,
        withInterval(c.share, (x) => percent(x)),
      ),
      ofOracle(c, c.authors_share, percent(c.authors_share)),
    ]),
  };
}

/** The run's main table, narrow enough for a terminal. */
export function shortTable(summary: Summary): Table {
  return summary.ranking
    ? rankingTable(summary.ranking)
    : summary.probe
      ? probeTable(summary.probe)
      : shortGainTable(summary);
}

function rankingTable({ measures, conditions }: RankingSummary): Table {
  return {
    columns: [text('condition'), ...measures.map(({ name }) => number(name))],
    rows: conditions.map(({ name, means }) => [name, ...means.map(({ value }) => fixed(value, 3))]),
  };
}

function probeTable({ layers, conditions }: ProbeSummary): Table {
  return {
    columns: [text('condition'), text('measure'), ...layers.map((layer) => number(`layer ${layer}`))],
    rows: conditions.flatMap(({ name, measures }) =>
      measures
        .filter(({ by_layer }) => by_layer.some((value) => value !== null))
        .map((measure) => [name, measure.name, ...measure.by_layer.map((mean) => fixed(mean?.value ?? null, 3))]),
    ),
  };
}

/** The gains, narrow enough for a terminal. */
export function shortGainTable(summary: Summary): Table {
  const full = gainTable(summary);
  const kept = [0, 1, 3, 6, 7, 9, 10];
  return { columns: kept.map((i) => full.columns[i]!), rows: full.rows.map((row) => kept.map((i) => row[i]!)) };
}

/** Mean NLL of every condition. */
export function conditionTable({ configuration, conditions }: Summary): Table {
  return {
    columns: [
      text('condition'),
      text('prefix'),
      text('decoder sees'),
      number('mean NLL, nats/token'),
      number('prefix tokens'),
      number('document tokens'),
    ],
    rows: conditions.map(({ name, nll, prefix_tokens, document_tokens }) => {
      const { surrogate, visibility } = configuration.experiment.conditions.find((c) => c.name === name)!;
      return [
        name,
        surrogate ? surrogateOf(surrogate).about : 'none',
        describeVisibility(visibility, surrogate !== undefined),
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
  const notes = [
    `${samples.scored} samples scored, ${samples.rejected.length} rejected, ${samples.cut} with a document cut to keep ${configuration.max_tokens} tokens.`,
    `Tokenised as one string (full, published), prefix and document get other token ids than tokenised apart (exact) in ${samples.joint_differs} samples.`,
    `Hardness on split tokens leaves out ${excluded} samples whose answer is a single token.`,
  ];
  for (const { sample, rejected } of samples.rejected) notes.push(`Rejected ${sample}: ${rejected}`);
  return notes;
}

function isDeployable({ conditions }: Summary['configuration']['experiment'], name: string): boolean {
  const surrogate = conditions.find((condition) => condition.name === name)?.surrogate;
  return surrogate === undefined || !surrogateOf(surrogate).needsQuery;
}

function describeVisibility(visibility: string | readonly string[], primed: boolean): string {
  if (visibility === 'full') return primed ? 'everything' : 'BOS and document';
  if (visibility === 'published') return 'line break and document';
  if (visibility === 'exact') return 'document';
  return [...visibility].join(', ');
}

/** An oracle is all of itself, where it has any gain to be a share of. */
function ofOracle({ treatment, oracle }: Comparison, share: number | null, shown: string): string {
  return treatment === oracle && share !== null ? '100' : shown;
}
