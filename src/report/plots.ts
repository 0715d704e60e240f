/** The figures of a comparison experiment as SVG text, drawn without a browser. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { ComparisonSummary, Summary } from '../experiments/analysis.js';
import type { Trial } from '../experiments/journal.js';
import { sortedQuantile } from '../stats/describe.js';

/** Colours of surrogates: Okabe and Ito's, distinguishable without colour vision. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

const WIDTH = 1000;

/** Room for axis labels at this font size. */
const AXIS = { marginBottom: 48, marginTop: 34 };
const X_LABEL = { labelOffset: 42, nice: true };
const STYLE = { fontFamily: 'system-ui, sans-serif', fontSize: '12px', background: 'none', overflow: 'visible' };

interface Labels {
  readonly condition: string;
  readonly surrogate: string;
  readonly visibility: string;
}

/** Effect sizes with their intervals. */
export function effectPlot(summary: Summary): string {
  const rows = grouped(summary).map((c) => ({ ...labelsOf(summary, c), ...c.gain.d }));
  return draw({
    height: 82 + rows.length * 26,
    marginLeft: 140,
    x: { ...X_LABEL, label: 'd of the paired gains, 95% interval →', grid: true },
    y: { label: null, domain: rows.map(({ condition }) => condition) },
    color: surrogateColours(summary),
    marks: [
      Plot.ruleX([0], { stroke: '#888' }),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: 'surrogate', strokeWidth: 2.5 }),
      Plot.dot(rows, { x: 'value', y: 'condition', fill: 'surrogate', r: 5 }),
    ],
  });
}

/** Every sample's gain, with the middle half, the median and the mean of each condition. */
export function differencePlot(summary: Summary, trials: readonly Trial[]): string {
  const nll = new Map(trials.map(({ sample, condition, nll }) => [JSON.stringify([sample, condition]), nll]));
  const samples = [...new Set(trials.map(({ sample }) => sample))];
  const rows = grouped(summary).map((c) => {
    const gains = samples.map(
      (sample) => nll.get(JSON.stringify([sample, c.baseline]))! - nll.get(JSON.stringify([sample, c.treatment]))!,
    );
    const ascending = gains.sort((a, b) => a - b);
    const at = (q: number) => sortedQuantile(ascending, q);
    const spread = { low: at(0.05), first: at(0.25), middle: at(0.5), third: at(0.75), high: at(0.95) };
    return { ...labelsOf(summary, c), ...spread, mean: c.gain.mean.value, gains: ascending };
  });
  // Many samples would make a file of megabytes: an even choice along the sorted gains keeps the shape.
  const shown = 300;
  const points = rows.flatMap(({ gains, ...labels }) =>
    gains
      .filter((_, i) => gains.length <= shown || i % Math.ceil(gains.length / shown) === 0)
      .map((gain) => ({ ...labels, gain: Number(gain.toPrecision(4)) })),
  );
  return draw({
    height: 82 + rows.length * 30,
    marginLeft: 140,
    x: {
      ...X_LABEL,
      label: 'gain per sample, nats per token (line 5–95%, bar 25–75%, tick median, dot mean) →',
      grid: true,
    },
    y: { label: null, domain: rows.map(({ condition }) => condition) },
    color: surrogateColours(summary),
    marks: [
      Plot.ruleX([0], { stroke: '#888' }),
      Plot.tickX(points, { x: 'gain', y: 'condition', stroke: 'surrogate', strokeOpacity: 0.18 }),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'condition', stroke: 'surrogate' }),
      Plot.ruleY(rows, { x1: 'first', x2: 'third', y: 'condition', stroke: 'surrogate', strokeWidth: 6 }),
      Plot.tickX(rows, { x: 'middle', y: 'condition', stroke: 'white', strokeWidth: 2, inset: 8 }),
      Plot.dot(rows, { x: 'mean', y: 'condition', fill: 'white', stroke: 'black', r: 3.5 }),
    ],
  });
}

/** Mean gain by fifth of hardness: on split tokens, and coupled as the research plots it. */
export function hardnessPlot(summary: Summary): string {
  const axes = { split: 'split tokens', coupled: 'coupled (authors’ axis)' } as const;
  const points = summary.comparisons.flatMap((c) =>
    (['split', 'coupled'] as const).flatMap((axis) =>
      c.hardness[axis].quintiles
        .filter(({ gain }) => gain !== null)
        .map(({ hardness, gain }) => ({ ...labelsOf(summary, c), axis: axes[axis], hardness, gain })),
    ),
  );
  const common = { fx: 'visibility', fy: 'axis', x: 'hardness', y: 'gain', stroke: 'surrogate' };
  return draw({
    height: 420,
    marginLeft: 50,
    marginRight: 140,
    marginTop: 46,
    x: { ...X_LABEL, label: 'baseline NLL of the fifth, nats per token →', grid: true },
    y: { label: '↑ mean gain, nats per token', grid: true, labelOffset: 40 },
    fx: { label: null, domain: visibilitiesOf(summary), axis: 'top' },
    fy: { label: null, domain: Object.values(axes) },
    color: { ...surrogateColours(summary), legend: false },
    marks: [
      Plot.frame({ stroke: '#ddd' }),
      Plot.ruleY([0], { stroke: '#888' }),
      Plot.line(points, { ...common, strokeWidth: 2 }),
      Plot.dot(points, { ...common, fill: 'white', r: 3 }),
    ],
  });
}

/** Which colour stands for which surrogate, for a legend in HTML. */
export function legend(summary: Summary): { readonly name: string; readonly colour: string }[] {
  return surrogatesOf(summary).map((name, i) => ({ name, colour: COLOURS[i % COLOURS.length]! }));
}

function labelsOf({ configuration }: Summary, { treatment }: ComparisonSummary): Labels {
  const { surrogate, visibility } = configuration.experiment.conditions.find(({ name }) => name === treatment)!;
  const named = typeof visibility === 'string' ? visibility : [...visibility].join('+');
  return { condition: treatment, surrogate: surrogate ?? 'none', visibility: named };
}

function visibilitiesOf(summary: Summary): string[] {
  return [...new Set(summary.comparisons.map((c) => labelsOf(summary, c).visibility))];
}

function surrogatesOf(summary: Summary): string[] {
  return [...new Set(summary.comparisons.map((c) => labelsOf(summary, c).surrogate))];
}

function surrogateColours(summary: Summary) {
  const entries = legend(summary);
  return { domain: entries.map(({ name }) => name), range: entries.map(({ colour }) => colour) };
}

/** Comparisons of the same visibility next to each other. */
function grouped(summary: Summary): ComparisonSummary[] {
  return visibilitiesOf(summary).flatMap((visibility) =>
    summary.comparisons.filter((c) => labelsOf(summary, c).visibility === visibility),
  );
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({ width: WIDTH, style: STYLE, ...AXIS, ...options, document } as Plot.PlotOptions);
  const svg = figure.tagName.toLowerCase() === 'svg' ? figure : figure.querySelector('svg')!;
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.outerHTML;
}
