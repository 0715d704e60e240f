/** Gains and their tests, one row a comparison, grouped by what the decoder sees. */
import type { Comparison, Experiment } from '../../runs/schema/experiment.js';
import type { ComparisonSummary, Summary } from '../../runs/schema/summary.js';
import { fixed, percent, pValue, ratio, signed, slugOf, withInterval } from '../words/format.js';
import { boundOf, conditionOf, isDeployable, marked, visibilityOf } from '../words/labels.js';
import { effectColumns } from './effect.js';
import { number, type Table, text } from './table.js';

/** Comparisons whose rows belong into one table. */
export interface GainGroup {
  /** A part of the table's file name. */
  readonly slug: string;
  readonly title: string;
  readonly comparisons: readonly ComparisonSummary[];
  /** Are its gains so much larger than others that they want a figure of their own? */
  readonly hasOwnScale: boolean;
}

const TITLES: Readonly<Record<string, string>> = {
  full: 'Everything visible',
  published: 'Prefix hidden by the published mask',
  exact: 'Prefix hidden exactly: the decoder sees the document alone',
  prefixes: 'One prefix against another',
  'the document itself': 'The document itself, against none',
};

/** What the decoder sees as the head of a narrow column: the title of the tables, without its explanation. */
export function seenTitle(visibility: string): string {
  return TITLES[visibility]?.split(':')[0] ?? `Sees ${visibility}`;
}

/**
 * The comparisons, grouped by what the decoder sees. Those of two prefixes stand apart from those with a bare document, and so does what the document itself is
 * worth: several times as much as any prefix.
 */
export function gainGroups({ configuration: { experiment }, ...summary }: Summary): GainGroup[] {
  const comparisons = effectsOf(summary);
  const groups = new Map<string, ComparisonSummary[]>();
  for (const comparison of comparisons) {
    const bare = boundOf(experiment, comparison.baseline) === 'lower bound';
    const key = isAgainstNone(experiment, comparison)
      ? DOCUMENT
      : bare
        ? visibilityOf(conditionOf(experiment, comparison.treatment))
        : PREFIXES;
    groups.set(key, [...(groups.get(key) ?? []), comparison]);
  }
  return [...groups].map(([key, members]) => ({
    slug: slugOf(key),
    title: TITLES[key] ?? `The decoder sees: ${key}`,
    hasOwnScale: key === DOCUMENT,
    comparisons: members,
  }));
}

/** The comparisons that measure an effect, and not the computation. */
export function effectsOf({ comparisons }: Pick<Summary, 'comparisons'>): ComparisonSummary[] {
  return comparisons.filter(({ self_test }) => !self_test);
}

const PREFIXES = 'prefixes';
const DOCUMENT = 'the document itself';

/** Tells whether a comparison says what the document itself is worth. */
export function isAgainstNone(experiment: Experiment, { baseline }: Pick<Comparison, 'baseline'>): boolean {
  return conditionOf(experiment, baseline).document === 'none';
}

/**
 * Gain, effect and share of the oracle: below each lower bound what is compared with it, upper bounds last. The gain stands beside the names, so that a small
 * screen shows it first; what kind of condition it is of stands behind.
 */
export function gainTable(
  { configuration: { experiment }, conditions }: Summary,
  comparisons: readonly ComparisonSummary[],
): Table {
  const leak = new Map(conditions.map((condition) => [condition.name, condition.leak]));
  const effect = effectColumns(
    comparisons.map(({ gain }) => gain),
    'mean gain, nats',
  );
  const nothing = effect.columns.map((_, i) => (i === 0 ? '0' : '–'));
  const about = (name: string, bound: string) => [
    bound,
    isDeployable(experiment, name) ? 'yes' : 'no',
    percent(leak.get(name) ?? null),
  ];
  const lowerBound = (baseline: string) =>
    boundOf(experiment, baseline) === 'lower bound'
      ? [[baseline, '–', ...nothing, '–', '–', '–', ...about(baseline, 'lower bound')]]
      : [];
  const row = (c: ComparisonSummary) => [
    marked(experiment, c),
    c.baseline,
    ...effect.cells(c.gain),
    pValue(c.corrected.holm),
    ofOracle(c, ratio(c.share)),
    ofOracle(c, c.share_trimmed ? withInterval(c.share_trimmed, (x) => percent(x)) : '–'),
    ...about(c.treatment, boundOf(experiment, c.baseline) === 'lower bound' ? boundOf(experiment, c.treatment) : '–'),
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
      ...effect.columns,
      number('p, Holm'),
      number('% of oracle [95%]'),
      number('% of oracle, trimmed [95%]'),
      text('bound'),
      text('deployable'),
      number('target leak %'),
    ],
    rows,
  };
}

/** The statistics that the table of gains has no room for. */
export function statisticsTable({ configuration }: Summary, comparisons: readonly ComparisonSummary[]): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      number('d [nominal 95%]'),
      number('win % [95%]'),
      number('worth so many independent samples'),
      number('p, Wilcoxon'),
      number('p, exchangeable arms'),
      number('p, t without clusters'),
      number('family'),
      number('Holm'),
      number('Bonferroni'),
      number('BH'),
      number('authors’ %'),
    ],
    rows: comparisons.map((c) => [
      marked(configuration.experiment, c),
      c.baseline,
      withInterval(c.gain.d_analytic ?? c.gain.d, (x) => signed(x, 2)),
      withInterval(c.gain.win, (x) => percent(x)),
      fixed(c.gain.effective_samples ?? null, 0),
      pValue(c.gain.p.wilcoxon),
      pValue(c.gain.p.sign_flip),
      pValue(c.gain.p.t),
      String(c.corrected.family_size),
      pValue(c.corrected.holm),
      pValue(c.corrected.bonferroni),
      pValue(c.corrected.bh),
      ofOracle(c, percent(c.authors_share)),
    ]),
  };
}

/** The axes by which samples are ordered by hardness. */
export type HardnessAxis = 'split' | 'oldham' | 'coupled';

const FIFTHS = ['easiest', '2nd', '3rd', '4th', 'hardest'];

/** Mean gain per fifth of hardness, and the correlation; undefined where no comparison can be shown on that axis. */
export function hardnessTable(summary: Summary, axis: HardnessAxis): Table | undefined {
  const shown = effectsOf(summary).flatMap(({ treatment, baseline, hardness }) => {
    const own = hardness[axis];
    return own && isShown(hardness, axis) ? [{ treatment, baseline, own }] : [];
  });
  if (shown.length === 0) return undefined;
  return {
    columns: [text('condition'), text('against'), ...FIFTHS.map((fifth) => number(fifth)), number('r [95%]')],
    rows: shown.map(({ treatment, baseline, own }) => [
      treatment,
      baseline,
      ...FIFTHS.map((_, fifth) => signed(own.quintiles[fifth]?.gain ?? null, 3)),
      withInterval(own.r, (x) => signed(x, 2)),
    ]),
  };
}

/** Gain as a share of the baseline's NLL, per fifth of that NLL: the same in all fifths where a gain is proportional. */
export function relativeTable(summary: Summary): Table {
  return {
    columns: [text('condition'), text('against'), ...FIFTHS.map((fifth) => number(`${fifth} %`))],
    rows: effectsOf(summary).map(({ treatment, baseline, hardness: { coupled } }) => [
      treatment,
      baseline,
      ...FIFTHS.map((_, fifth) => {
        const { gain, hardness } = coupled.quintiles[fifth] ?? {};
        return percent(gain != null && hardness ? gain / hardness : null, 1);
      }),
    ]),
  };
}

/** The correlation below which the halves of the tokens do not agree on which samples are hard. */
const RELIABLE_FROM = 0.5;

/** Tells whether an axis is shown. The split axis is shown where it is reliable; summaries of older versions do not say. */
export function isShown({ split }: ComparisonSummary['hardness'], axis: HardnessAxis): boolean {
  return axis !== 'split' || (split.reliability !== undefined && (split.reliability ?? 0) >= RELIABLE_FROM);
}

/** A sentence on whether the halves of the tokens agree. */
export function reliabilityNote(summary: Summary): string {
  const found = new Map(effectsOf(summary).map((c) => [c.baseline, c.hardness.split.reliability]));
  const said = [...found].map(([name, value]) => `${name} ${value === undefined ? 'not said' : signed(value, 2)}`);
  const shown = [...found.values()].filter((value) => (value ?? 0) >= RELIABLE_FROM).length;
  const hidden = shown === found.size ? '' : ` Below ${RELIABLE_FROM} the axis of split tokens is not shown.`;
  return `Split-half reliability, Spearman’s correlation of a baseline’s NLL on odd and on even tokens: ${said.join(', ')}.${hidden}`;
}

function baselinesOf(comparisons: readonly Comparison[]): string[] {
  return [...new Set(comparisons.map(({ baseline }) => baseline))];
}

/** The share of the oracle's gain, with a dash where it says nothing: where there is no gain, and for the oracle itself. */
export function ofOracle({ treatment, oracle, share, authors_share }: ComparisonSummary, shown: string): string {
  if (share.value === null || authors_share === null) return '–';
  return treatment === oracle ? '100' : shown;
}
