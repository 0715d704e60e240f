/** Figures of rankings: measures of each condition with their intervals. */
import * as Plot from '@observablehq/plot';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, withInterval } from '../words/format.js';
import { prefixesOf, prefixName } from '../words/labels.js';
import { arrange, type Drawing, draw, type Frame, panelWidth, rowAxis, rowMargin, rowsAxis, X_LABEL } from './draw.js';
import { colourOf, scalesOf, seriesAmong, symbolOf } from './series.js';

/** The figure of a ranking, one panel for each measure. */
export function rankingPlot(
  { configuration: { experiment } }: Summary,
  ranking: RankingSummary,
  frame: Frame,
): Drawing {
  const names = ranking.conditions.map(({ name }) => name);
  const prefixOf = (name: string) => prefixName(experiment, name);
  const series = seriesAmong(prefixesOf(experiment), names.map(prefixOf));
  const margin = rowMargin(names, { width: panelWidth(frame) });
  const panels = ranking.measures.map((measure, m) => ({
    title: measure.name,
    drawing: draw({
      width: panelWidth(frame),
      height: 64 + names.length * 20,
      marginLeft: margin,
      x: { ...X_LABEL, label: 'mean over pools [95%]', grid: true, ticks: 5, ...rowsAxis(names.length) },
      y: rowAxis(names, margin),
      ...scalesOf(series),
      marks: [
        Plot.ruleY(rowsOf(m), { x1: 'low', x2: 'high', y: 'name', stroke: colourOf('series'), strokeWidth: 2 }),
        Plot.dot(rowsOf(m), {
          x: 'value',
          y: 'name',
          fill: colourOf('series'),
          symbol: symbolOf('series'),
          r: 4,
          title: 'title',
        }),
      ],
    }),
  }));
  return arrange(panels, frame, series);

  function rowsOf(m: number) {
    return ranking.conditions.map(({ name, means }) => ({
      name,
      series: prefixOf(name),
      title: `${name}\n${ranking.measures[m]!.name} ${withInterval(means[m]!, (x) => fixed(x, 3))}`,
      ...means[m]!,
    }));
  }
}
