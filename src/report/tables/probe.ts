/** Tables of what was measured inside the encoder. */
import type { Segment } from '../../priming/input.js';
import { USUAL_SEGMENTS } from '../../runs/schema/configuration.js';
import { PROBE_MEASURES, type ProbeSummary } from '../../runs/schema/probe.js';
import { fixed, withInterval } from '../words/format.js';
import { listed, SEGMENTS } from '../words/labels.js';
import { number, type Table, text } from './table.js';

/** @param segments those that the model's inputs have */
export function probeNote(segments: readonly Segment[] = USUAL_SEGMENTS): string {
  const names = segments.map((segment) => SEGMENTS[segment]);
  return `Means over samples, with intervals by bootstrap over samples. ${listed(names)} are measured apart. The bare document itself has no values for what is measured against it (divergence, shift, cosine).`;
}

/** The table of a probe, one row for each measure and condition, one column for each layer. */
export function probeTable({ conditions, layers }: ProbeSummary): Table {
  const names = Object.keys(PROBE_MEASURES) as (keyof typeof PROBE_MEASURES)[];
  return {
    columns: [text('measure'), text('condition'), ...layers.map((layer) => number(`layer ${layer} [95%]`))],
    rows: names.flatMap((measure) =>
      conditions.flatMap(({ name, measures }) => {
        const values = measures.find((entry) => entry.name === measure)?.by_layer ?? [];
        if (values.every((value) => value === null)) return [];
        return [
          [
            PROBE_MEASURES[measure],
            name,
            ...values.map((value) => (value ? withInterval(value, (x) => fixed(x, 3)) : fixed(null, 0))),
          ],
        ];
      }),
    ),
  };
}
