/** A run's main table, narrow enough for a terminal. */
import type { ProbeSummary } from '../../runs/schema/probe.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, percent, pValue, ratio, signed, withInterval } from '../words/format.js';
import { marked } from '../words/labels.js';
import { effectsOf, ofOracle } from './gains.js';
import { number, type Table, text } from './table.js';

export function shortTable(summary: Summary): Table {
  const { ranking, probe } = summary;
  if (ranking) return shortRankingTable(ranking);
  return probe ? shortProbeTable(probe) : shortGainTable(summary);
}

function shortRankingTable({ measures, conditions }: RankingSummary): Table {
  return {
    columns: [text('condition'), ...measures.map(({ name }) => number(name))],
    rows: conditions.map(({ name, means }) => [name, ...means.map(({ value }) => fixed(value, 3))]),
  };
}

function shortProbeTable({ layers, conditions }: ProbeSummary): Table {
  return {
    columns: [text('condition'), text('measure'), ...layers.map((layer) => number(`layer ${layer}`))],
    rows: conditions.flatMap(({ name, measures }) =>
      measures
        .filter(({ by_layer }) => by_layer.some((value) => value !== null))
        .map((measure) => [name, measure.name, ...measure.by_layer.map((mean) => fixed(mean?.value ?? null, 3))]),
    ),
  };
}

function shortGainTable({ configuration, ...summary }: Summary): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      number('mean gain, nats [95%]'),
      number('trimmed mean [95%]'),
      number('robust d'),
      number('win %'),
      number('p, Holm'),
      number('% of oracle [95%]'),
    ],
    rows: effectsOf(summary).map((c) => [
      marked(configuration.experiment, c),
      c.baseline,
      withInterval(c.gain.mean, (x) => signed(x, 3)),
      withInterval(c.gain.trimmed_mean, (x) => signed(x, 3)),
      signed(c.gain.robust_d?.value ?? null, 2),
      percent(c.gain.win.value),
      pValue(c.corrected.holm),
      ofOracle(c, ratio(c.share)),
    ]),
  };
}
