/** Effects along an axis: lengths, numbers of words, repetitions. */
import * as Plot from '@observablehq/plot';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { Summary } from '../../runs/schema/summary.js';
import { signed, withInterval } from '../words/format.js';
import { prefixesOf } from '../words/labels.js';
import { arrange, type Drawing, draw, type Frame, panelWidth, Y_LABEL, Y_MARGIN } from './draw.js';
import { colourOf, scalesOf, seriesAmong, symbolOf } from './series.js';

type Curve = Experiment['curves'][number];

/** Mean and trimmed mean gain of each series, side by side, with intervals. */
export function curvePlot(summary: Summary, curve: Curve, frame: Frame): Drawing {
  const {
    comparisons,
    configuration: { experiment },
  } = summary;
  const names = seriesAmong(
    prefixesOf(experiment),
    curve.series.map(({ name }) => name),
  );
  const points = curve.series.flatMap(({ name, points }, s) =>
    points.map(({ x, treatment, baseline }) => {
      const { gain } = comparisons.find((c) => c.treatment === treatment && c.baseline === baseline)!;
      return { name, s, x: x as number | string, trimmed: gain.trimmed_mean, mean: gain.mean };
    }),
  );
  const panel = (measure: 'trimmed' | 'mean', label: string) => {
    const rows = points.map((point) => ({
      ...point,
      ...point[measure],
      title: `${point.name}, ${curve.axis} ${point.x}\n${withInterval(point[measure], (x) => signed(x, 3))} nats a token`,
    }));
    return draw({
      width: panelWidth(frame),
      height: 320,
      marginLeft: Y_MARGIN,
      marginRight: 16,
      x: {
        ...axisOf(rows.map(({ x }) => x)),
        label: curve.axis,
        labelOffset: 40,
        labelArrow: 'none',
        labelAnchor: 'center',
      },
      y: { ...Y_LABEL, label },
      ...scalesOf(names),
      marks: [
        Plot.ruleY([0], { stroke: '#888' }),
        ...names.flatMap(({ name, dash, colour }, s) => {
          const own = rows.filter((row) => row.name === name);
          // Series stand a little apart, so that their intervals can be told apart.
          const dx = (s - (names.length - 1) / 2) * 4;
          return [
            Plot.line(own, { x: 'x', y: 'value', stroke: colour, strokeWidth: 2, strokeDasharray: dash, dx }),
            Plot.ruleX(own, { x: 'x', y1: 'low', y2: 'high', stroke: colour, strokeWidth: 1.2, dx }),
            Plot.dot(own, {
              x: 'x',
              y: 'value',
              fill: colourOf('name'),
              symbol: symbolOf('name'),
              r: 4.5,
              dx,
              title: 'title',
            }),
          ];
        }),
      ],
    });
  };
  return arrange(
    [
      { drawing: panel('mean', 'mean gain, nats per token [95%]') },
      { drawing: panel('trimmed', 'trimmed mean gain, nats per token [95%]') },
    ],
    frame,
    names,
  );
}

/** The ratio of largest to smallest number from which an axis is logarithmic, since a linear one would crowd the small numbers. */
const LOGARITHMIC_FROM = 8;

/** The axis: linear or logarithmic for numbers, in the order given for anything else. */
export function axisOf(xs: readonly (number | string)[]): Plot.ScaleOptions {
  const distinct = [...new Set(xs)];
  if (distinct.some((x) => typeof x === 'string')) {
    return { type: 'point', domain: distinct, padding: 0.4, tickFormat: String } as Plot.ScaleOptions;
  }
  const numbers = distinct as number[];
  const smallest = Math.min(...numbers);
  const ticks = [...numbers].sort((a, b) => a - b);
  const format = { ticks, tickFormat: String };
  if (smallest > 0 && Math.max(...numbers) / smallest >= LOGARITHMIC_FROM) {
    return { type: 'log', inset: 14, ...format } as Plot.ScaleOptions;
  }
  return { type: 'linear', inset: 14, ...format } as Plot.ScaleOptions;
}
