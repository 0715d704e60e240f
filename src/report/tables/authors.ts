/**
 * The research's own figures, "authors' log", beside the measured ones: only where model, data and number of samples are the same. Figures of
 * different models or samples in one table would be read as a comparison.
 */

import { EXPERIMENTS } from '../../experiments/catalogue/registry.js';
import { type Configuration, differences } from '../../runs/schema/configuration.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { Summary } from '../../runs/schema/summary.js';
import { differenceOf } from '../../stats/difference.js';
import type { Estimate } from '../../stats/gains.js';
import { analyticDInterval, type Interval, wilsonInterval } from '../../stats/interval.js';
import { fixed, pValue, signed, slugOf, withInterval } from '../words/format.js';
import { listed } from '../words/labels.js';
import { authorsLog, type LogEntry, type LoggedEffects } from './authors-log.js';
import { number, type Table, text } from './table.js';

type Compared = Pick<Summary, 'configuration' | 'samples'>;

/** Why the authors' log cannot stand beside this run; empty where it can. */
export function incomparable({ configuration, samples: { cut } }: Compared): string[] {
  const { experiment, model, dataset, samples, max_tokens } = configuration;
  const { protocol } = experiment;
  const all = entriesOf(experiment);
  if (all.length === 0) return ['it has no figures for this experiment'];
  const reasons: string[] = [];
  const theirs = listed(all.map((entry) => entry.model));
  if (model.built_in) reasons.push(`theirs are of ${theirs}, these of the built-in model`);
  else if (!entryFor(configuration)) reasons.push(`theirs are of ${theirs}, these of ${model.name}`);
  if (dataset.name !== protocol.dataset) reasons.push(`theirs are on ${protocol.dataset}, these on ${dataset.name}`);
  if (samples !== all[0]!.samples) reasons.push(`theirs are of ${all[0]!.samples} samples, these of ${samples}`);
  // A lower limit that no document reaches changes nothing: models with learned positions read no more.
  if (max_tokens < protocol.max_tokens && cut > 0) {
    reasons.push(`theirs are of documents of up to ${protocol.max_tokens} tokens, these of ${max_tokens}`);
  }
  // A run may override these two: other samples, another task.
  const declared = EXPERIMENTS[experiment.id];
  if (declared && declared.seed !== experiment.seed) {
    reasons.push(`theirs are of the samples of seed ${declared.seed}, these of seed ${experiment.seed}`);
  }
  if (declared && declared.prompt !== experiment.prompt) {
    reasons.push(`theirs are with the decoder prompt “${declared.prompt}”, these with “${experiment.prompt}”`);
  }
  return reasons;
}

/** The log's entries: for an experiment of the catalogue those of the log, for a user's own those of its file. */
function entriesOf(experiment: Experiment): readonly LogEntry[] {
  if (EXPERIMENTS[experiment.id]) return authorsLog()[experiment.id] ?? [];
  return [experiment.authors ?? []].flat().map(({ model, d, nll = {} }) => ({
    ...EMPTY,
    model,
    samples: experiment.protocol.samples,
    conditions: Object.fromEntries(Object.entries(nll).map(([name, value]) => [name, { nll: value }])),
    comparisons: Object.fromEntries(Object.entries(d).map(([name, value]) => [name, { d: value }])),
  }));
}

const EMPTY = {
  sources: ['the experiment’s file'],
  notes: [],
  conditions: {},
  comparisons: {},
  contrasts: {},
  orders: {},
  hardness: {},
  probe: {},
  others: {},
} satisfies Partial<LogEntry>;

/** The entry of the run's model. A model of the hub is named with its commit, which the log does not record. */
function entryFor({ experiment, model }: Configuration): LogEntry | undefined {
  const [repository] = model.name.split('@');
  return entriesOf(experiment).find((entry) => entry.model === repository);
}

/** The notes: why the authors' log is not shown, or what it is and what its own notes say. */
export function authorsNotes(summary: Compared): string[] {
  const reasons = incomparable(summary);
  if (reasons.length > 0) return [`Authors’ log: not shown beside these results, because ${reasons.join('; ')}.`];
  const { model, dataset, samples, seed, imported } = summary.configuration;
  const { sources, notes, model: theirs } = entryFor(summary.configuration)!;
  return [
    `Authors’ log: figures as the research’s log gives them for ${theirs}, ${dataset.name}, N = ${samples}; not from a paper. Theirs in bfloat16, ours in ${model.precision}; seed ${seed}. From ${sources.join('; ')}.`,
    imported
      ? 'The run is made of the authors’ own numbers: differences are digits that the log leaves out.'
      : 'Differences are measured less the log’s. Their intervals take the two as independent; on the same samples they go together, and the intervals are too wide. The log’s side comes from its own N and d (gains, d) or its share of wins (Wilson); its other figures say nothing of their uncertainty, and have a difference alone.',
    ...notes,
  ];
}

/** A table of figures, ours beside theirs. */
export interface AuthorsTable {
  /** A part of the table's file name. */
  readonly slug: string;
  readonly title: string;
  readonly table: Table;
  /** True for a table that is folded. */
  readonly folded?: true;
}

/** Measured figures beside all that the log has of them, kind by kind; none where the two cannot be compared. */
export function authorsTables(summary: Summary): AuthorsTable[] {
  if (incomparable(summary).length > 0) return [];
  const entry = entryFor(summary.configuration)!;
  const kinds: [string, (summary: Summary, entry: LogEntry) => Row[], true?][] = [
    ['Gains', gainRows],
    ['Contrasts', contrastRows],
    ['Orders', orderRows],
    ['Rankings', rankingRows],
    ['Differential signal', differentialRows],
    ['Inside the encoder', probeRows],
    ['Hardness, coupled', hardnessRows, true],
    ['Mean NLL', nllRows],
  ];
  const tables = kinds.flatMap(([kind, rowsOf, folded]): AuthorsTable[] => {
    const rows = rowsOf(summary, entry);
    if (rows.length === 0) return [];
    return [
      {
        slug: slugOf(kind),
        title: kind,
        table: besideTable(rows, !summary.configuration.imported),
        ...(folded && { folded }),
      },
    ];
  });
  const others = Object.entries(entry.others);
  if (others.length === 0) return tables;
  return [
    ...tables,
    { slug: 'others', title: 'Figures that this run does not measure', table: otherTable(others), folded: true },
  ];
}

interface Row {
  readonly what: string;
  readonly figure: keyof typeof FIGURES;
  /** The part of a measure, such as a layer. */
  readonly part?: string;
  readonly ours: Estimate;
  readonly theirs: Estimate;
}

type Shown = (value: number | null) => string;

/** The names and forms of figures. */
const FIGURES = {
  nll: ['mean NLL, nats/token', (x) => fixed(x, 4)],
  gain: ['mean gain, nats', (x) => signed(x, 4)],
  d: ['d', (x) => signed(x, 3)],
  win: ['win %', (x) => fixed(x, 1)],
  p: ['p', pValue],
  share: ['% of the whole, nats', (x) => fixed(x, 1)],
  authors_share: ['authors’ %, of d', (x) => fixed(x, 1)],
  rho: ['rho', (x) => signed(x, 3)],
  r: ['r with hardness', (x) => signed(x, 3)],
  n: ['samples of the fifth', (x) => fixed(x, 0)],
  bare: ['mean NLL of the bare document', (x) => fixed(x, 4)],
  measure: ['mean', (x) => fixed(x, 3)],
  difference: ['difference to bare', (x) => signed(x, 4)],
  probe: ['mean', (x) => fixed(x, 4)],
  positive: ['positive %', (x) => fixed(x, 1)],
} satisfies Record<string, [string, Shown]>;

/** @param independent false where both sides are of the same numbers: their difference has no uncertainty */
function besideTable(rows: readonly Row[], independent: boolean): Table {
  return {
    columns: [
      text('what'),
      text('figure'),
      number('measured [95%]'),
      number('authors’ log'),
      number('difference [95%]'),
    ],
    rows: rows.map(({ what, figure, part, ours, theirs }) => {
      const [name, shown] = FIGURES[figure];
      // Two p-values are read beside each other; their difference says nothing.
      const { value, ...interval } = figure === 'p' ? NONE : differenceOf(ours, theirs);
      const difference = independent ? { value, ...interval } : alone(value);
      const signedAs: Shown = (x) => (x !== null && x > 0 ? `+${shown(x)}`.replace('++', '+') : shown(x));
      return [
        what,
        part === undefined ? name : `${name}, ${part}`,
        withInterval(ours, shown),
        figure === 'p' ? loggedP(theirs.value) : shown(theirs.value),
        withInterval(difference, signedAs),
      ];
    }),
  };
}

/** A p-value as small as the log has it. Measured ones end at what their computation is worth. */
function loggedP(p: number | null): string {
  return p !== null && p < 0.001 ? p.toExponential(1).replace('-', '−') : pValue(p);
}

function otherTable(others: readonly (readonly [string, number | readonly number[]])[]): Table {
  return {
    columns: [text('figure'), number('authors’ log')],
    rows: others.map(([figure, value]) => [
      figure,
      [value]
        .flat()
        .map((one) => String(one).replace('-', '−'))
        .join(', '),
    ]),
  };
}

const NONE: Estimate = { value: null, low: null, high: null };

function alone(value: number | null | undefined): Estimate {
  return { ...NONE, value: value ?? null };
}

const scaled = ({ value, low, high }: Estimate, factor: number): Estimate => ({
  value: value === null ? null : value * factor,
  low: low === null ? null : low * factor,
  high: high === null ? null : high * factor,
});

function within(value: number, interval: Interval): Estimate {
  return { value, ...interval };
}

/** The 97.5% quantile of the normal distribution. */
const NORMAL = 1.959964;

/** A mean of differences with the interval that follows from their d and number. */
function loggedMean(mean: number | undefined, d: number | undefined, samples: number): Estimate {
  if (mean === undefined) return NONE;
  if (!d) return alone(mean);
  const half = NORMAL * Math.abs(mean / d / Math.sqrt(samples));
  return within(mean, { low: mean - half, high: mean + half });
}

function loggedD(d: number | undefined, samples: number): Estimate {
  return d === undefined ? NONE : within(d, analyticDInterval(d, samples));
}

/** A share of wins, given as a percentage. */
function loggedWin(percent: number | undefined, samples: number): Estimate {
  if (percent === undefined) return NONE;
  const wins = Math.round((percent / 100) * samples);
  const interval = wilsonInterval(wins / samples, samples, samples);
  return within(percent, { low: 100 * interval.low, high: 100 * interval.high });
}

/** The rows that the log has. */
function present(rows: readonly Row[]): Row[] {
  return rows.filter(({ theirs }) => theirs.value !== null);
}

function effectRows(
  what: string,
  { mean, d, win, p }: Pick<GainRecord, 'mean' | 'd' | 'win' | 'p'>,
  shares: { readonly share?: Estimate; readonly authors_share?: number | null },
  theirs: LoggedEffects,
  samples: number,
): Row[] {
  return present([
    { what, figure: 'gain', ours: mean, theirs: loggedMean(theirs.gain, theirs.d, samples) },
    { what, figure: 'd', ours: d, theirs: loggedD(theirs.d, samples) },
    { what, figure: 'win', ours: scaled(win, 100), theirs: loggedWin(theirs.win, samples) },
    { what, figure: 'p', ours: alone(p.t), theirs: alone(theirs.p) },
    { what, figure: 'share', ours: scaled(shares.share ?? NONE, 100), theirs: alone(theirs.share) },
    {
      what,
      figure: 'authors_share',
      ours: scaled(alone(shares.authors_share), 100),
      theirs: alone(theirs.authors_share),
    },
  ]);
}

/** Tells whether a condition of a run is the one that the catalogue gives this name. An experiment of the user's own may give it to another. */
function isTheirs({ experiment }: Configuration, name: string): boolean {
  const declared = EXPERIMENTS[experiment.id];
  if (!declared) return true;
  const [own, known] = [experiment, declared].map(({ conditions }) => conditions.find((one) => one.name === name));
  return own !== undefined && differences(own, known).length === 0;
}

const pairOf = ({ treatment, baseline }: { treatment: string; baseline: string }) => `${treatment} over ${baseline}`;

/** The comparison that a name of the log means: `treatment`, the first of it, or `treatment over baseline`. */
function comparisonOf<T extends { readonly treatment: string; readonly baseline: string }>(
  configuration: Configuration,
  comparisons: readonly T[],
  name: string,
): T | undefined {
  const found = comparisons.find((one) => one.treatment === name || pairOf(one) === name);
  return found && [found.treatment, found.baseline].every((one) => isTheirs(configuration, one)) ? found : undefined;
}

function nllRows({ configuration, conditions }: Summary, entry: LogEntry): Row[] {
  return Object.entries(entry.conditions).flatMap(([name, { nll }]): Row[] => {
    const found = conditions.find((condition) => condition.name === name);
    if (!found || !isTheirs(configuration, name)) return [];
    return [{ what: name, figure: 'nll', ours: alone(found.nll), theirs: alone(nll) }];
  });
}

function gainRows({ configuration, comparisons }: Summary, entry: LogEntry): Row[] {
  return Object.entries(entry.comparisons).flatMap(([name, theirs]) => {
    const found = comparisonOf(configuration, comparisons, name);
    return found ? effectRows(pairOf(found), found.gain, found, theirs, entry.samples) : [];
  });
}

function contrastRows({ configuration, contrasts }: Summary, entry: LogEntry): Row[] {
  return Object.entries(entry.contrasts).flatMap(([title, logged]) =>
    Object.entries(logged).flatMap(([name, theirs]) => {
      const found = contrasts.find((group) => group.title === title)?.contrasts.find((one) => one.name === name);
      const group = configuration.experiment.contrasts.find((one) => one.title === title);
      const terms = Object.keys(group?.contrasts.find((one) => one.name === name)?.terms ?? {});
      if (!found || !terms.every((condition) => isTheirs(configuration, condition))) return [];
      return effectRows(`${title}: ${name}`, found.gain, found, theirs, entry.samples);
    }),
  );
}

function orderRows({ orders }: Summary, entry: LogEntry): Row[] {
  return Object.entries(entry.orders).flatMap(([title, { rho }]): Row[] => {
    const found = orders.find((order) => order.title === title);
    return found ? [{ what: title, figure: 'rho', ours: found.rho, theirs: alone(rho) }] : [];
  });
}

function hardnessRows({ configuration, comparisons }: Summary, entry: LogEntry): Row[] {
  return Object.entries(entry.hardness).flatMap(([name, { n, bare, gain, r }]) => {
    const found = comparisonOf(configuration, comparisons, name);
    if (!found) return [];
    const { quintiles, r: ours } = found.hardness.coupled;
    const what = pairOf(found);
    const fifths = quintiles.flatMap((fifth, at): Row[] => {
      const part = `fifth ${at + 1}`;
      return [
        { what, figure: 'n', part, ours: alone(fifth.n), theirs: alone(n?.[at]) },
        { what, figure: 'bare', part, ours: alone(fifth.hardness), theirs: alone(bare?.[at]) },
        { what, figure: 'gain', part, ours: alone(fifth.gain), theirs: alone(gain?.[at]) },
      ];
    });
    return present([...fifths, { what, figure: 'r', ours, theirs: alone(r) }]);
  });
}

function rankingRows({ configuration, ranking }: Summary, entry: LogEntry): Row[] {
  if (!ranking) return [];
  return Object.entries(entry.ranking?.measures ?? {}).flatMap(([measure, logged]) =>
    Object.entries(logged).flatMap(([name, { mean, difference, d, p }]) => {
      const m = ranking.measures.findIndex((one) => one.name === measure);
      const condition = ranking.conditions.find((one) => one.name === name);
      if (m < 0 || !condition || !isTheirs(configuration, name)) return [];
      const own = comparisonOf(configuration, ranking.comparisons, name)?.differences[m];
      const what = `${measure}, ${name}`;
      return present([
        { what, figure: 'measure', ours: condition.means[m]!, theirs: alone(mean) },
        { what, figure: 'difference', ours: own?.mean ?? NONE, theirs: loggedMean(difference, d, entry.samples) },
        { what, figure: 'd', ours: own?.d ?? NONE, theirs: loggedD(d, entry.samples) },
        { what, figure: 'p', part: 'Wilcoxon', ours: alone(own?.p.wilcoxon), theirs: alone(p) },
      ]);
    }),
  );
}

function differentialRows({ configuration, ranking }: Summary, entry: LogEntry): Row[] {
  if (!ranking) return [];
  return Object.entries(entry.ranking?.differential ?? {}).flatMap(([name, { mean, d, positive }]) => {
    const own = comparisonOf(configuration, ranking.comparisons, name)?.differential;
    if (!own) return [];
    return present([
      { what: name, figure: 'gain', ours: own.mean, theirs: loggedMean(mean, d, entry.samples) },
      { what: name, figure: 'd', ours: own.d, theirs: loggedD(d, entry.samples) },
      { what: name, figure: 'positive', ours: scaled(own.win, 100), theirs: loggedWin(positive, entry.samples) },
    ]);
  });
}

/** A measure of the log may be a sum of ours, which then has no interval. */
function probeRows({ configuration, probe }: Summary, entry: LogEntry): Row[] {
  if (!probe) return [];
  return Object.entries(entry.probe).flatMap(([measure, logged]) =>
    Object.entries(logged).flatMap(([name, layers]) => {
      const measures = probe.conditions.find((condition) => condition.name === name)?.measures;
      if (!measures || !isTheirs(configuration, name)) return [];
      const parts = measure.split(' + ').map((part) => measures.find((one) => one.name === part)?.by_layer);
      return Object.entries(layers).flatMap(([layer, theirs]): Row[] => {
        const at = probe.layers.indexOf(Number(layer));
        const values = parts.map((part) => part?.[at] ?? NONE);
        const ours =
          values.length === 1 ? values[0]! : alone(values.reduce((sum, { value }) => sum + (value ?? Number.NaN), 0));
        if (ours.value === null || Number.isNaN(ours.value)) return [];
        return [{ what: `${measure}, ${name}`, figure: 'probe', part: `layer ${layer}`, ours, theirs: alone(theirs) }];
      });
    }),
  );
}
