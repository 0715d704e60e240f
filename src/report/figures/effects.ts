/** Effects, paired differences and hardness: the figures of every comparison by NLL. */
import * as Plot from '@observablehq/plot';
import type { Trial } from '../../runs/schema/entry.js';
import type { ComparisonSummary, Summary } from '../../runs/schema/summary.js';
import { sortedQuantile } from '../../stats/describe.js';
import { effectsOf, isShown } from '../tables/gains.js';
import { conditionOf, documentForm, primaryOf, visibilityOf } from '../words/labels.js';
import { arrange, type Drawing, draw, rowMargin, scalesOf, seriesOf, X_LABEL, Y_LABEL, Y_MARGIN } from './draw.js';

interface Labels {
  readonly condition: string;
  /** The name of the series. */
  readonly series: string;
  readonly visibility: string;
}

/** Effect sizes: robust d with its interval, and d as a hollow mark; in summaries of older versions d with its interval. */
export function effectPlot(summary: Summary, comparisons: readonly ComparisonSummary[]): Drawing {
  const rows = grouped(summary, comparisons).map((c) => ({
    ...labelsOf(summary, c),
    ...(c.gain.robust_d ?? c.gain.d),
    nominal: c.gain.d.value,
  }));
  const isRobust = comparisons.some(({ gain }) => gain.robust_d);
  const series = seriesOf(rows.map((row) => row.series));
  const names = rows.map(({ condition }) => condition);
  const plot = draw({
    height: 68 + rows.length * 24,
    marginLeft: rowMargin(names),
    x: {
      ...X_LABEL,
      label: `${isRobust ? 'robust d of the paired gains, 95% interval; hollow: d' : 'd of the paired gains, 95% interval'}; right of 0 is better`,
      grid: true,
    },
    y: { label: null, domain: names },
    ...scalesOf(series),
    marks: [
      Plot.ruleX([0], { stroke: '#888' }),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: 'series', strokeWidth: 2.5 }),
      ...(isRobust ? [Plot.dot(rows, { x: 'nominal', y: 'condition', stroke: 'series', symbol: 'series', r: 4 })] : []),
      Plot.dot(rows, { x: 'value', y: 'condition', fill: 'series', symbol: 'series', r: 5 }),
    ],
  });
  return arrange([{ drawing: plot }], { legend: series });
}

/** The approximate number of single samples that all figures together show. More would make a file of megabytes. */
const TICKS = 6000;
const TICKS_OF_A_ROW = 300;

/** Every sample's gain, with the middle half, the median and the mean of each condition. */
export function differencePlot(
  summary: Summary,
  comparisons: readonly ComparisonSummary[],
  trials: readonly Trial[],
): Drawing {
  const used = new Set(comparisons.flatMap(({ treatment, baseline }) => [treatment, baseline]));
  const columns = new Map([...used].map((condition) => [condition, new Map<string, number>()]));
  for (const { sample, condition, nll } of trials) columns.get(condition)?.set(sample, nll);
  const rows = grouped(summary, comparisons).map((c) => {
    const treated = columns.get(c.treatment)!;
    const gains = [...columns.get(c.baseline)!].flatMap(([sample, nll]) =>
      treated.has(sample) ? [nll - treated.get(sample)!] : [],
    );
    const ascending = gains.sort((a, b) => a - b);
    const at = (q: number) => sortedQuantile(ascending, q);
    const spread = { low: at(0.05), first: at(0.25), middle: at(0.5), third: at(0.75), high: at(0.95) };
    return { ...labelsOf(summary, c), ...spread, mean: c.gain.mean.value, gains: ascending };
  });
  // An even choice along the sorted gains keeps the shape; its ends are always in it.
  const shown = Math.max(20, Math.min(TICKS_OF_A_ROW, Math.floor(TICKS / summary.comparisons.length)));
  const points = rows.flatMap(({ gains, ...labels }) =>
    evenly(gains, shown).map((gain) => ({ ...labels, gain: Number(gain.toPrecision(4)) })),
  );
  const series = seriesOf(rows.map((row) => row.series));
  const names = rows.map(({ condition }) => condition);
  const plot = draw({
    height: 68 + rows.length * 28,
    marginLeft: rowMargin(names),
    x: { ...X_LABEL, label: 'gain per sample, nats per token', grid: true },
    y: { label: null, domain: names },
    ...scalesOf(series),
    marks: [
      Plot.ruleX([0], { stroke: '#888' }),
      Plot.tickX(points, { x: 'gain', y: 'condition', stroke: 'series', strokeOpacity: 0.2 }),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: 'series' }),
      Plot.ruleY(rows, { x1: 'first', x2: 'third', y: 'condition', stroke: 'series', strokeWidth: 6 }),
      Plot.tickX(rows, { x: 'middle', y: 'condition', stroke: 'white', strokeWidth: 2, inset: 8 }),
      Plot.dot(rows, { x: 'mean', y: 'condition', fill: 'white', stroke: 'black', r: 3.5 }),
    ],
  });
  return arrange([{ drawing: plot }], { legend: series });
}

function evenly<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.round((i * (values.length - 1)) / (count - 1))]!);
}

/** Mean gain by fifth of hardness: on split tokens where these are reliable, on Oldham's axis, and coupled as the research plots it. */
export function hardnessPlot(summary: Summary): Drawing {
  const axes = { split: 'split tokens', oldham: 'Oldham’s axis', coupled: 'coupled (authors’ axis)' } as const;
  const comparisons = hardnessComparisons(summary);
  const points = comparisons.flatMap((c) =>
    (['split', 'oldham', 'coupled'] as const)
      .filter((axis) => isShown(c.hardness, axis))
      .flatMap((axis) =>
        (c.hardness[axis]?.quintiles ?? [])
          .filter(({ gain }) => gain !== null)
          .map(({ hardness, gain }) => ({ ...labelsOf(summary, c), axis: axes[axis], hardness, gain })),
      ),
  );
  const shownAxes = Object.values(axes).filter((axis) => points.some((point) => point.axis === axis));
  const visibilities = [...new Set(comparisons.map((c) => labelsOf(summary, c).visibility))];
  const series = seriesOf(points.map((point) => point.series));
  const common = { fx: 'visibility', fy: 'axis', x: 'hardness', y: 'gain' };
  const plot = draw({
    height: 100 + 160 * shownAxes.length,
    marginLeft: Y_MARGIN,
    marginRight: 150,
    marginTop: 40,
    x: { ...X_LABEL, label: 'baseline NLL of the fifth, nats per token', grid: true, ticks: 4 },
    y: { ...Y_LABEL, label: 'mean gain, nats per token' },
    fx: { label: null, domain: visibilities, axis: 'top' },
    fy: { label: null, domain: shownAxes },
    ...scalesOf(series),
    marks: [
      Plot.frame({ stroke: '#ddd' }),
      Plot.ruleY([0], { stroke: '#888' }),
      ...series.map(({ name, dash }) =>
        Plot.line(
          points.filter((point) => point.series === name),
          { ...common, z: (point) => point.condition, stroke: 'series', strokeWidth: 2, strokeDasharray: dash },
        ),
      ),
      Plot.dot(points, { ...common, fill: 'series', symbol: 'series', r: 3.5 }),
    ],
  });
  return arrange([{ drawing: plot }], { legend: series });
}

/** The comparisons on the primary comparison's form of the document, against bare documents. Lines of all lengths could not be told apart. */
export function hardnessComparisons({ configuration: { experiment }, ...summary }: Summary): ComparisonSummary[] {
  const comparisons = effectsOf(summary);
  const form = documentForm(conditionOf(experiment, primaryOf(experiment)!.treatment));
  return comparisons.filter(({ treatment }) => documentForm(conditionOf(experiment, treatment)) === form);
}

/** The labels of a comparison's rows. Names of conditions are unique in a figure, so a condition against another baseline is another row. */
function labelsOf({ configuration: { experiment }, comparisons }: Summary, c: ComparisonSummary): Labels {
  const condition = conditionOf(experiment, c.treatment);
  const twice = comparisons.filter(({ treatment }) => treatment === c.treatment).length > 1;
  const baseline = conditionOf(experiment, c.baseline);
  const { surrogate = 'none', blocked, positions } = condition;
  const changed = [...(blocked ? ['blocked'] : []), ...(positions ? [positions.replaceAll('_', ' ')] : [])];
  const against = baseline.surrogate === undefined ? '' : ` over ${baseline.surrogate}`;
  return {
    condition: twice ? `${c.treatment} over ${c.baseline}` : c.treatment,
    series: [surrogate, ...changed].join(', ') + against,
    visibility: visibilityOf(condition),
  };
}

/** The comparisons with those of the same visibility next to each other. */
function grouped(summary: Summary, comparisons: readonly ComparisonSummary[]): ComparisonSummary[] {
  const visibilities = [...new Set(comparisons.map((c) => labelsOf(summary, c).visibility))];
  return visibilities.flatMap((visibility) =>
    comparisons.filter((c) => labelsOf(summary, c).visibility === visibility),
  );
}
