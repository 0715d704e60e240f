/** Effects, paired differences and hardness: the figures of every comparison by NLL. */
import * as Plot from '@observablehq/plot';
import type { Trial } from '../../runs/schema/entry.js';
import type { Comparison } from '../../runs/schema/experiment.js';
import type { ComparisonSummary, Summary } from '../../runs/schema/summary.js';
import { sortedQuantile } from '../../stats/describe.js';
import { effectsOf, type GainGroup, isAgainstNone, isShown, seenTitle } from '../tables/gains.js';
import { fixed, nats, signed, withInterval } from '../words/format.js';
import { conditionOf, documentForm, prefixesOf, prefixName, primaryOf, visibilityOf } from '../words/labels.js';
import {
  arrange,
  besideEachOther,
  brokenInto,
  commonDomain,
  type Drawing,
  draw,
  type Frame,
  LINE_HEIGHT,
  rowAxis,
  rowMargin,
  rowsAxis,
  WIDE,
  X_LABEL,
  Y_LABEL,
  Y_MARGIN,
} from './draw.js';
import { colourOf, type Series, scalesOf, seriesAmong, symbolOf } from './series.js';

interface Labels {
  readonly condition: string;
  /** The name of the series. */
  readonly series: string;
  readonly visibility: string;
}

/** The height of a figure's axis with its label. */
const AXIS_HEIGHT = 68;

/**
 * The gains of each group with their intervals: in nats, the mean and hollow the trimmed mean, and beside it in standard deviations, robust d and hollow d (in
 * summaries of older versions d alone).
 */
export function effectPlot(summary: Summary, groups: readonly GainGroup[], frame: Frame): Drawing {
  const rowsOf = ({ comparisons }: GainGroup) =>
    comparisons.map((c) => {
      const labels = labelsOf(summary, c);
      const { mean, trimmed_mean: trimmed, robust_d, d } = c.gain;
      const size = `${labels.condition} against ${c.baseline}\nmean gain ${withInterval(mean, nats)} nats a token\ntrimmed mean ${withInterval(trimmed, nats)}`;
      const deviations = robust_d ?? d;
      return {
        ...labels,
        title: `${size}\n${robust_d ? 'robust d' : 'd'} ${withInterval(deviations, (x) => signed(x, 2))}`,
        inNats: { ...mean, hollow: trimmed.value },
        inDeviations: { ...deviations, hollow: robust_d ? d.value : null },
      };
    });
  const all = groups.flatMap(rowsOf);
  const isRobust = groups.some(({ comparisons }) => comparisons.some(({ gain }) => gain.robust_d));
  const series = seriesShown(summary, all);
  const { marginLeft, marginBeside, room } = besideEachOther(
    all.map(({ condition }) => condition),
    frame,
  );
  const measures = [
    { of: 'inNats', label: 'mean, nats a token [95%]; hollow: trimmed', margin: marginLeft },
    {
      of: 'inDeviations',
      label: isRobust ? 'robust d [95%]; hollow: d' : 'd [95%]',
      margin: marginBeside,
    },
  ] as const;
  const panels = groups.flatMap((group) =>
    measures.map(({ of, label, margin }) => {
      const rows = rowsOf(group).map(({ inNats, inDeviations, ...labels }) => ({
        ...labels,
        ...(of === 'inNats' ? inNats : inDeviations),
      }));
      const drawing = draw({
        width: margin + room,
        height: AXIS_HEIGHT + rows.length * 24,
        marginLeft: margin,
        x: {
          ...X_LABEL,
          domain: commonDomain(all.map((row) => row[of])),
          label,
          grid: true,
          ticks: 6,
          ...rowsAxis(rows.length),
        },
        y: {
          ...rowAxis(
            rows.map(({ condition }) => condition),
            margin,
          ),
          ...(margin < marginLeft && { axis: null }),
        },
        ...scalesOf(series),
        marks: [
          Plot.ruleX([0], { stroke: '#888' }),
          Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: colourOf('series'), strokeWidth: 2.5 }),
          Plot.dot(rows, { x: 'hollow', y: 'condition', stroke: colourOf('series'), symbol: symbolOf('series'), r: 4 }),
          Plot.dot(rows, {
            x: 'value',
            y: 'condition',
            fill: colourOf('series'),
            symbol: symbolOf('series'),
            r: 5,
            title: 'title',
          }),
        ],
      });
      return { ...(of === 'inNats' && { title: group.title }), drawing };
    }),
  );
  return arrange(panels, frame, series);
}

/** The series of rows, in the colours that their prefixes have in all figures of the run. */
function seriesShown({ configuration: { experiment } }: Summary, rows: readonly Labels[]): Series[] {
  return seriesAmong(
    prefixesOf(experiment),
    rows.map(({ series }) => series),
  );
}

/** The approximate number of single samples that all figures together show. More would make a file of megabytes. */
const TICKS = 6000;
const TICKS_OF_A_ROW = 300;

/** Every sample's gain, with the middle half, the median and the mean of each condition. */
export function differencePlot(
  summary: Summary,
  groups: readonly GainGroup[],
  trials: readonly Trial[],
  frame: Frame,
): Drawing {
  const used = new Set(
    groups.flatMap(({ comparisons }) => comparisons.flatMap(({ treatment, baseline }) => [treatment, baseline])),
  );
  const columns = new Map([...used].map((condition) => [condition, new Map<string, number>()]));
  for (const { sample, condition, nll } of trials) columns.get(condition)?.set(sample, nll);
  const rowOf = (c: ComparisonSummary) => {
    const treated = columns.get(c.treatment)!;
    const gains = [...columns.get(c.baseline)!].flatMap(([sample, nll]) =>
      treated.has(sample) ? [nll - treated.get(sample)!] : [],
    );
    const ascending = gains.sort((a, b) => a - b);
    const at = (q: number) => sortedQuantile(ascending, q);
    const spread = { low: at(0.05), first: at(0.25), middle: at(0.5), third: at(0.75), high: at(0.95) };
    const labels = labelsOf(summary, c);
    const title = `${labels.condition} against ${c.baseline}\nmean ${nats(c.gain.mean.value)}, median ${nats(spread.middle)} nats a token\nmiddle half ${nats(spread.first)} to ${nats(spread.third)}`;
    return { ...labels, ...spread, title, mean: c.gain.mean.value, gains: ascending };
  };
  // An even choice along the sorted gains keeps the shape; its ends are always in it.
  const shown =
    Math.max(20, Math.min(TICKS_OF_A_ROW, Math.floor(TICKS / summary.comparisons.length))) / (WIDE.width / frame.width);
  const drawn = groups.map(({ title, comparisons }) => ({ title, rows: comparisons.map(rowOf) }));
  const all = drawn.flatMap(({ rows }) => rows);
  const series = seriesShown(summary, all);
  const margin = rowMargin(
    all.map(({ condition }) => condition),
    frame,
  );
  const ends = all.flatMap(({ gains }) => [gains[0] ?? 0, gains.at(-1) ?? 0]);
  const panels = drawn.map(({ title, rows }) => {
    const points = rows.flatMap(({ gains, ...labels }) =>
      evenly(gains, shown).map((gain) => ({ ...labels, gain: Number(gain.toPrecision(4)) })),
    );
    const drawing = draw({
      width: frame.width,
      height: AXIS_HEIGHT + rows.length * 28,
      marginLeft: margin,
      x: {
        ...X_LABEL,
        domain: [Math.min(0, ...ends), Math.max(0, ...ends)],
        label: 'gain per sample, nats per token',
        grid: true,
        ...rowsAxis(rows.length),
      },
      y: rowAxis(
        rows.map(({ condition }) => condition),
        margin,
      ),
      ...scalesOf(series),
      marks: [
        Plot.ruleX([0], { stroke: '#888' }),
        Plot.tickX(points, { x: 'gain', y: 'condition', stroke: colourOf('series'), strokeOpacity: 0.2 }),
        Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: colourOf('series') }),
        Plot.ruleY(rows, {
          x1: 'first',
          x2: 'third',
          y: 'condition',
          stroke: colourOf('series'),
          strokeWidth: 6,
          title: 'title',
        }),
        Plot.tickX(rows, { x: 'middle', y: 'condition', stroke: 'white', strokeWidth: 2, inset: 8 }),
        Plot.dot(rows, { x: 'mean', y: 'condition', fill: 'white', stroke: 'black', r: 3.5, title: 'title' }),
      ],
    });
    return { title, drawing };
  });
  return arrange(panels, { ...frame, columns: 1 }, series);
}

function evenly<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!);
}

/** Mean gain by fifth of hardness: on split tokens where these are reliable, on Oldham's axis, and coupled as the research plots it. */
export function hardnessPlot(summary: Summary, frame: Frame): Drawing {
  const axes = { split: 'split tokens', oldham: 'Oldham’s axis', coupled: 'the coupled axis (the authors’)' } as const;
  const comparisons = hardnessComparisons(summary);
  const pointsOn = (axis: keyof typeof axes) =>
    comparisons.flatMap((c) =>
      (isShown(c.hardness, axis) ? (c.hardness[axis]?.quintiles ?? []) : [])
        .filter(({ gain }) => gain !== null)
        .map(({ hardness, gain }) => ({ ...labelsOf(summary, c), hardness, gain })),
    );
  const visibilities = [...new Set(comparisons.map((c) => labelsOf(summary, c).visibility))];
  const series = seriesShown(
    summary,
    comparisons.map((c) => labelsOf(summary, c)),
  );
  const facet = (frame.width - Y_MARGIN) / visibilities.length;
  const heads = new Map(visibilities.map((seen) => [seen, brokenInto(seenTitle(seen), facet)]));
  const common = { fx: 'visibility', x: 'hardness', y: 'gain' };
  const panels = (['split', 'oldham', 'coupled'] as const).flatMap((axis) => {
    const points = pointsOn(axis);
    if (points.length === 0) return [];
    const drawing = draw({
      width: frame.width,
      height: 240,
      marginLeft: Y_MARGIN,
      marginTop: 14 + LINE_HEIGHT * Math.max(...[...heads.values()].map(({ length }) => length)),
      x: { ...X_LABEL, label: 'baseline NLL of the fifth, nats per token', grid: true, ticks: 4 },
      y: { ...Y_LABEL, label: 'mean gain, nats per token' },
      fx: { label: null, domain: visibilities, axis: 'top', tickFormat: (seen: string) => heads.get(seen)!.join('\n') },
      ...scalesOf(series),
      marks: [
        Plot.frame({ stroke: '#888', strokeOpacity: 0.4 }),
        Plot.ruleY([0], { stroke: '#888' }),
        ...series.map(({ name, dash }) =>
          Plot.line(
            points.filter((point) => point.series === name),
            {
              ...common,
              z: (point) => point.condition,
              stroke: colourOf('series'),
              strokeWidth: 2,
              strokeDasharray: dash,
            },
          ),
        ),
        Plot.dot(points, {
          ...common,
          fill: colourOf('series'),
          symbol: symbolOf('series'),
          r: 3.5,
          title: ({ condition, hardness, gain }: (typeof points)[number]) =>
            `${condition}\nbaseline ${fixed(hardness, 3)}, gain ${nats(gain)} nats a token`,
        }),
      ],
    });
    return [{ title: `Hardness on ${axes[axis]}`, drawing }];
  });
  return arrange(panels, { ...frame, columns: 1 }, series);
}

/**
 * The comparisons on the primary comparison's form of the document and beginning of the target. Lines of all lengths and beginnings could not be told apart, and what
 * the document itself is worth, unless it is the primary comparison, would press all others together.
 */
export function hardnessComparisons({ configuration: { experiment }, ...summary }: Summary): ComparisonSummary[] {
  const comparisons = effectsOf(summary);
  const formOf = (comparison: Pick<Comparison, 'treatment' | 'baseline'>) => {
    const condition = conditionOf(experiment, comparison.treatment);
    return [documentForm(condition), condition.before_target, isAgainstNone(experiment, comparison)].join('\n');
  };
  const form = formOf(primaryOf(experiment)!);
  return comparisons.filter((comparison) => formOf(comparison) === form);
}

/** The labels of a comparison's rows. Names of conditions are unique in a figure, so a condition against another baseline is another row. */
function labelsOf({ configuration: { experiment }, comparisons }: Summary, c: ComparisonSummary): Labels {
  const condition = conditionOf(experiment, c.treatment);
  const twice = comparisons.filter(({ treatment }) => treatment === c.treatment).length > 1;
  const baseline = conditionOf(experiment, c.baseline);
  const against = baseline.surrogate === undefined ? '' : ` over ${prefixName(experiment, c.baseline)}`;
  return {
    condition: twice ? `${c.treatment} over ${c.baseline}` : c.treatment,
    series: prefixName(experiment, c.treatment) + against,
    visibility: visibilityOf(condition),
  };
}
