/** Gains and their tests, one row a comparison, grouped by what the decoder sees. */
import type { Comparison } from '../../runs/schema/experiment.js';
import type { ComparisonSummary, Summary } from '../../runs/schema/summary.js';
import { percent, pValue, signed, slugOf, withInterval } from '../words/format.js';
import { boundOf, conditionOf, isDeployable, marked, visibilityOf } from '../words/labels.js';
import { number, type Table, text } from './table.js';

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

function baselinesOf(comparisons: readonly Comparison[]): string[] {
  return [...new Set(comparisons.map(({ baseline }) => baseline))];
}

/** A share of what is not a gain says nothing; an oracle is all of itself. */
export function ofOracle({ treatment, oracle, share, authors_share }: ComparisonSummary, shown: string): string {
  if (share.value === null || authors_share === null) return '–';
  return treatment === oracle ? '100' : shown;
}
