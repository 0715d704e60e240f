/** A run's main table, narrow enough for a terminal. */
import type { ProbeSummary } from '../../runs/schema/probe.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, percent, pOf, pValue, ratio, signed, withInterval } from '../words/format.js';
import { marked } from '../words/labels.js';
import { effectsOf, ofOracle } from './gains.js';
import { correctedBy } from './ranking.js';
import { number, type Table, text } from './table.js';

export function shortTables(summary: Summary): Table[] {
  const { ranking, probe } = summary;
  if (ranking)
    return [
      shortRankingTable(ranking),
      ...(ranking.comparisons.length > 0 ? [shortDifferenceTable(summary, ranking)] : []),
    ];
  return [probe ? shortProbeTable(probe) : shortGainTable(summary)];
}

/** The differences of the first measure, by which an experiment on pools is decided, and the differential signals. */
function shortDifferenceTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  const corrected = correctedBy(ranking, 0);
  return {
    columns: [
      text('condition'),
      text('against'),
      number(`difference in ${ranking.measures[0]!.name} [95%]`),
      number('p'),
      number('p, Holm'),
      number('differential signal, nats [95%]'),
    ],
    rows: ranking.comparisons.map((comparison, c) => {
      const difference = comparison.differences[0]!;
      return [
        marked(experiment, comparison),
        comparison.baseline,
        withInterval(difference.mean, (x) => signed(x, 3)),
        pValue(pOf(difference)),
        pValue(corrected[c]!.holm),
        comparison.differential ? withInterval(comparison.differential.mean, (x) => signed(x, 3)) : '–',
      ];
    }),
  };
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
