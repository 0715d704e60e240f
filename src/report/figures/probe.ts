/** Figures of what was measured inside the encoder, by layer: where the document's rows look, and every measure. */
import * as Plot from '@observablehq/plot';
import { PROBE_MEASURES, type ProbeMeasure, type ProbeSummary } from '../../runs/schema/probe.js';
import type { Estimate } from '../../stats/gains.js';
import { fixed, withInterval } from '../words/format.js';
import { SEGMENTS } from '../words/labels.js';
import { arrange, type Drawing, draw, type Frame, panelWidth, Y_MARGIN } from './draw.js';
import { colourOf, scalesOf, seriesOf, symbolOf } from './series.js';

export function probePlot({ conditions, layers }: ProbeSummary, frame: Frame): Drawing {
  const series = seriesOf(conditions.map(({ name }) => name));
  const panels = (Object.keys(PROBE_MEASURES) as (keyof typeof PROBE_MEASURES)[]).flatMap((measure) => {
    const rows = conditions.flatMap(({ name, measures }) =>
      (measures.find((entry) => entry.name === measure)?.by_layer ?? []).flatMap((value, l) =>
        value ? [{ name, layer: layers[l]!, ...value, title: titleOf(name, layers[l]!, value) }] : [],
      ),
    );
    if (rows.length === 0) return [];
    const drawing = draw({
      width: panelWidth(frame),
      height: 240,
      marginLeft: Y_MARGIN,
      x: {
        type: 'point',
        domain: [...layers],
        label: 'layer',
        labelArrow: 'none',
        labelAnchor: 'center',
        labelOffset: 40,
      },
      y: { label: null, grid: true, nice: true, zero: true },
      ...scalesOf(series),
      marks: [
        ...series.flatMap(({ name, colour, dash }, s) => {
          const own = rows.filter((row) => row.name === name);
          const dx = (s - (series.length - 1) / 2) * 4;
          return [
            Plot.line(own, { x: 'layer', y: 'value', stroke: colour, strokeWidth: 2, strokeDasharray: dash, dx }),
            Plot.ruleX(own, { x: 'layer', y1: 'low', y2: 'high', stroke: colour, dx }),
            Plot.dot(own, {
              x: 'layer',
              y: 'value',
              fill: colourOf('name'),
              symbol: symbolOf('name'),
              r: 4,
              dx,
              title: 'title',
            }),
          ];
        }),
      ],
    });
    return [{ title: PROBE_MEASURES[measure], drawing }];
  });
  return arrange(panels, frame, series);
}

function titleOf(condition: string, layer: number, value: Estimate): string {
  return `${condition}, layer ${layer}\n${withInterval(value, (x) => fixed(x, 4))}`;
}

/** The regions from the start of the input to its end, as the probe measures them. */
const REGIONS = [
  ['to_bos', SEGMENTS.bos],
  ['to_prefix', SEGMENTS.prefix],
  ['to_separator', SEGMENTS.separator],
  ['to_document', SEGMENTS.document],
  ['to_eos', SEGMENTS.eos],
] as const satisfies readonly (readonly [ProbeMeasure, string])[];

/** The heat map, one panel for each condition: how document rows' attention divides over the regions of the input, layer by layer. */
export function attentionHeatMap({ conditions, layers }: ProbeSummary, frame: Frame): Drawing {
  const measured = new Set(conditions.flatMap(({ measures }) => measures.map(({ name }) => name)));
  const regions = REGIONS.filter(([measure]) => measured.has(measure));
  const panels = conditions.map(({ name, measures }) => {
    const cells = regions.flatMap(([measure, region]) =>
      (measures.find((entry) => entry.name === measure)?.by_layer ?? []).flatMap((estimate, l) =>
        estimate
          ? [
              {
                region,
                layer: layers[l]!,
                share: estimate.value,
                title: `${region}\n${titleOf(name, layers[l]!, estimate)}`,
              },
            ]
          : [],
      ),
    );
    const drawing = draw({
      width: panelWidth(frame),
      height: 200,
      marginLeft: Y_MARGIN,
      x: {
        type: 'band',
        domain: [...layers],
        label: 'layer',
        labelArrow: 'none',
        labelAnchor: 'center',
        labelOffset: 40,
      },
      y: { type: 'band', domain: regions.map(([, region]) => region), label: null },
      opacity: { domain: [0, 1] },
      marks: [
        // The page shows through small shares, so that the map suits light and dark pages.
        Plot.cell(cells, {
          x: 'layer',
          y: 'region',
          fill: '#08519c',
          fillOpacity: 'share',
          stroke: '#888',
          strokeOpacity: 0.5,
          inset: 1,
          title: 'title',
        }),
        Plot.text(cells, {
          x: 'layer',
          y: 'region',
          text: ({ share }: { share: number }) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`,
          fill: ({ share }: { share: number }) => (share > 0.5 ? 'white' : 'currentColor'),
          pointerEvents: 'none',
        }),
      ],
    });
    return { title: name, drawing };
  });
  return arrange(panels, frame);
}
