/**
 * What the authors' per-sample numbers show when no few samples carry it: `npx tsx tools/authors/reanalysis.ts FOLDER` prints the tables behind
 * docs/authors-records.md, and with `--write` puts their numbers into data/authors-reanalysis.json, against which the numbers of that text are held. FOLDER is what
 * `dkv import authors` reads. Intervals are the middle 95% of 10,000 resamples of samples, which share their draws within an experiment.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Random } from '../../src/base/random.js';
import { type AuthorsRecord, readAuthorsRecords } from '../../src/experiments/imported/records.js';
import { number, renderMarkdown, text } from '../../src/report/tables/table.js';
import { cohensD, mean, median, quantile, spearman } from '../../src/stats/describe.js';
import { tTail } from '../../src/stats/distributions.js';
import { bootstrap, percentileInterval } from '../../src/stats/interval.js';
import { wilcoxon } from '../../src/stats/significance.js';

type Numbers = ArrayLike<number>;

/** More than the surprise of a token drawn at random from the vocabulary. */
const VOCABULARY = 262_144;
const CAP = Math.log(VOCABULARY);

/** Without the lowest and the highest fifth. */
function trimmed(values: Numbers): number {
  const ascending = Float64Array.from(values).sort();
  const cut = Math.floor(ascending.length / 5);
  return mean(ascending.subarray(cut, ascending.length - cut));
}

function middle(values: Numbers): number {
  const ascending = Float64Array.from(values).sort();
  const half = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[half]! : (ascending[half - 1]! + ascending[half]!) / 2;
}

/** Share of the sum in the 25 differences that are farthest from 0. */
function topShare(values: readonly number[]): number {
  const largest = [...values].sort((a, b) => Math.abs(b) - Math.abs(a)).slice(0, 25);
  const sum = (all: readonly number[]) => all.reduce((total, value) => total + value, 0);
  return sum(largest) / sum(values);
}

/** One column of a record. */
class Column {
  readonly nlls: readonly number[];
  readonly capped: readonly number[];

  constructor(nlls: readonly number[]) {
    this.nlls = nlls;
    this.capped = nlls.map((nll) => Math.min(nll, CAP));
  }

  /** How much less surprising the other is. */
  less(other: Column): { raw: number[]; capped: number[] } {
    return {
      raw: this.nlls.map((nll, i) => nll - other.nlls[i]!),
      capped: this.capped.map((nll, i) => nll - other.capped[i]!),
    };
  }
}

function columnsOf({ samples }: AuthorsRecord): Map<string, Column> {
  const names = Object.keys(samples[0]!.nlls);
  return new Map(names.map((name) => [name, new Column(samples.map(({ nlls }) => nlls[name]!))]));
}

type Statistic = (values: Numbers) => number;
/** Resamples of every interval. */
let resamples = 10_000;

type Joint = (of: (values: readonly number[], statistic: Statistic) => number) => number[];

/** A number with its interval; null where equal numbers leave nothing to order. */
interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

const NOWHERE = { low: null, high: null };

/** Six digits, which is more than any text prints. */
const kept = (value: number) => Number(value.toPrecision(6));

/** Numbers made of statistics of lists, and the intervals of these numbers from shared resamples. */
function estimated(size: number, joint: Joint): Estimate[] {
  const values = joint((list, statistic) => statistic(list));
  const drawn = new Float64Array(size);
  const replicates = bootstrap(
    size,
    (indices) =>
      joint((list, statistic) => {
        for (let i = 0; i < size; i++) drawn[i] = list[indices[i]!]!;
        return statistic(drawn);
      }),
    resamples,
    new Random('the authors’ records'),
  );
  return values.map((value, i) => {
    const interval = percentileInterval(replicates[i]!);
    return {
      value: Number.isNaN(value) ? null : kept(value),
      ...(interval ? { low: kept(interval.low), high: kept(interval.high) } : NOWHERE),
    };
  });
}

interface Centre {
  readonly name: string;
  readonly mean: Estimate;
  readonly median: Estimate;
  readonly trimmed_mean: Estimate;
  readonly d: Estimate;
  /** Share of the samples. */
  readonly win: number;
  readonly capped_d: Estimate;
}

interface Gain extends Centre {
  readonly top_share: number;
  readonly capped: Estimate;
  readonly capped_top_share: number;
}

interface Pair extends Centre {
  readonly p_wilcoxon: number;
}

const winsOf = (list: Numbers) => Array.from(list).filter((gain) => gain > 0).length / list.length;

function gainsOf(columns: Map<string, Column>): Gain[] {
  const bare = columns.get('bare')!;
  return [...columns].flatMap(([name, column]) => {
    if (name === 'bare') return [];
    const { raw, capped } = bare.less(column);
    const [average, between, inner, d, cappedAverage, cappedD] = estimated(raw.length, (of) => [
      of(raw, mean),
      of(raw, middle),
      of(raw, trimmed),
      of(raw, cohensD),
      of(capped, mean),
      of(capped, cohensD),
    ]);
    return [
      {
        name,
        mean: average!,
        median: between!,
        trimmed_mean: inner!,
        d: d!,
        win: kept(winsOf(raw)),
        top_share: kept(topShare(raw)),
        capped: cappedAverage!,
        capped_d: cappedD!,
        capped_top_share: kept(topShare(capped)),
      },
    ];
  });
}

interface Shares {
  readonly name: string;
  readonly samples: number;
  readonly structure: Estimate;
  readonly vocabulary: Estimate;
  readonly semantics: Estimate;
}

/** Percent of the oracle's gain. */
function sharesOf(columns: Map<string, Column>): Shares[] {
  const [bare, matched, scrambled, oracle] = [
    'bare',
    'random_matched_published',
    'scrambled_published',
    'oracle_published',
  ].map((name) => columns.get(name)!) as [Column, Column, Column, Column];
  const steps = [bare.less(matched), matched.less(scrambled), scrambled.less(oracle)];
  const whole = bare.less(oracle);
  const logs = (a: Column, b: Column) => a.nlls.map((nll, i) => Math.log(nll / b.nlls[i]!));
  const logSteps = [logs(bare, matched), logs(matched, scrambled), logs(scrambled, oracle)];
  const within = [...bare.nlls.keys()].filter((i) => bare.nlls[i]! <= CAP);
  const inside = (list: readonly number[]) => within.map((i) => list[i]!);
  const ways: [string, readonly (readonly number[])[], readonly number[], Statistic][] = [
    ['mean', steps.map(({ raw }) => raw), whole.raw, mean],
    ['median', steps.map(({ raw }) => raw), whole.raw, middle],
    ['trimmed mean', steps.map(({ raw }) => raw), whole.raw, trimmed],
    ['capped mean', steps.map(({ capped }) => capped), whole.capped, mean],
    ['mean of those with a bare NLL up to ln V', steps.map(({ raw }) => inside(raw)), inside(whole.raw), mean],
    ['mean log ratio of NLLs', logSteps, logs(bare, oracle), mean],
  ];
  return ways.map(([name, parts, all, statistic]) => {
    const [structure, vocabulary, semantics] = estimated(all.length, (of) => {
      const total = of(all, statistic);
      return parts.map((part) => (100 * of(part, statistic)) / total);
    });
    return { name, samples: all.length, structure: structure!, vocabulary: vocabulary!, semantics: semantics! };
  });
}

/** The order in which the research ranked its prefixes by the query's meaning. */
const RANKED = ['oracle', 'para', 'doc_kw', 'lead', 'template', 'static_fact', 'static_howto', 'random'];

/** Of Spearman's correlation over the prefixes, by t with six degrees of freedom. */
function orderP(rho: number | null): number | null {
  if (rho === null) return null;
  const freedom = RANKED.length - 2;
  const p = 2 * tTail(Math.abs(rho) * Math.sqrt(freedom / (1 - rho ** 2)), freedom);
  return Number.isNaN(p) ? null : kept(p);
}

interface Order {
  readonly name: string;
  readonly rho: Estimate;
  readonly p: number | null;
}

function ordersOf(columns: Map<string, Column>): Order[] {
  const bare = columns.get('bare')!;
  const gains = RANKED.map((name) => bare.less(columns.get(`${name}_published`)!));
  const ranks = RANKED.map((_, i) => i + 1);
  const raw = gains.map((gain) => gain.raw);
  const capped = gains.map((gain) => gain.capped);
  const ways: [string, readonly number[][], Statistic][] = [
    ['d', raw, cohensD],
    ['mean', raw, mean],
    ['median', raw, middle],
    ['trimmed mean', raw, trimmed],
    ['win', raw, winsOf],
    ['capped mean', capped, mean],
  ];
  const found = estimated(bare.nlls.length, (of) =>
    ways.map(([, lists, statistic]) =>
      spearman(
        ranks,
        lists.map((list) => of(list, statistic)),
      ),
    ),
  );
  return ways.map(([name], i) => ({ name, rho: found[i]!, p: orderP(found[i]!.value) }));
}

interface Retention {
  readonly name: string;
  readonly mean: number;
  readonly median: number;
  readonly trimmed_mean: number;
  readonly capped: number;
}

function retentionOf(columns: Map<string, Column>): Retention[] {
  const bare = columns.get('bare')!;
  return ['oracle', 'surr_para', 'surr_doc'].map((name) => {
    const [hidden, full] = [bare.less(columns.get(`${name}_published`)!), bare.less(columns.get(`${name}_full`)!)];
    const ratio = (statistic: Statistic) => kept(statistic(hidden.raw) / statistic(full.raw));
    return {
      name,
      mean: ratio(mean),
      median: ratio(middle),
      trimmed_mean: ratio(trimmed),
      capped: kept(mean(hidden.capped) / mean(full.capped)),
    };
  });
}

/** Places of samples by fifth of the bare document's NLL, lower edges included. */
function fifthsOf(bare: readonly number[]): number[][] {
  const edges = [0.2, 0.4, 0.6, 0.8].map((q) => quantile(bare, q));
  const fifths: number[][] = [[], [], [], [], []];
  for (const [i, nll] of bare.entries()) fifths[edges.filter((edge) => nll >= edge).length]!.push(i);
  return fifths;
}

/** Numbers by fifth, easiest first. */
interface Hardness {
  readonly samples: readonly number[];
  readonly bare: readonly number[];
  readonly gain: readonly number[];
  /** The middle sample's percentage of its bare NLL, so that no few of a fifth decide. */
  readonly relative_gain: readonly number[];
  readonly relative_gain_random_matched: readonly number[];
  readonly over_random_matched: readonly number[];
  /** Percent of the oracle's gain. */
  readonly structure: readonly number[];
}

function hardnessOf(columns: Map<string, Column>): Hardness {
  const { nlls: bare } = columns.get('bare')!;
  const fifths = fifthsOf(bare);
  const gainOf = (name: string, from = 'bare') => columns.get(from)!.less(columns.get(name)!).raw;
  const [oracle, matched] = [gainOf('oracle_published'), gainOf('random_matched_published')];
  const over = gainOf('oracle_published', 'random_matched_published');
  const means = (list: readonly number[]) => fifths.map((fifth) => mean(fifth.map((i) => list[i]!)));
  const relative = (list: readonly number[]) =>
    fifths.map((fifth) => kept(middle(fifth.map((i) => (100 * list[i]!) / bare[i]!))));
  const [whole, structure] = [means(oracle), means(matched)];
  return {
    samples: fifths.map(({ length }) => length),
    bare: means(bare).map(kept),
    gain: whole.map(kept),
    relative_gain: relative(oracle),
    relative_gain_random_matched: relative(matched),
    over_random_matched: means(over).map(kept),
    structure: structure.map((gain, i) => kept((100 * gain) / whole[i]!)),
  };
}

interface Surprise {
  readonly name: string;
  readonly file: string;
  readonly samples: number;
  readonly bare: {
    readonly mean: number;
    readonly median: number;
    readonly trimmed_mean: number;
    readonly capped: number;
  };
  /** Samples whose bare NLL is more than that of a token drawn at random. */
  readonly above: number;
  readonly above_of_one_word: number;
  /** Percent of the oracle's gain. */
  readonly share_above: number;
  readonly of_one_word: number;
  readonly share_of_one_word: number;
}

function surpriseOf({ experiment, samples, source }: AuthorsRecord, columns: Map<string, Column>): Surprise {
  const bare = columns.get('bare')!;
  const gains = bare.less(columns.get('oracle_published')!).raw;
  const total = mean(gains) * gains.length;
  const shareOf = (wanted: (i: number) => boolean) =>
    kept((100 * gains.filter((_, i) => wanted(i)).reduce((sum, gain) => sum + gain, 0)) / total);
  const above = (i: number) => bare.nlls[i]! > CAP;
  const word = (i: number) => samples[i]!.words.answer === 1;
  const all = [...gains.keys()];
  return {
    name: experiment,
    file: source.file,
    samples: samples.length,
    bare: {
      mean: kept(mean(bare.nlls)),
      median: kept(median(bare.nlls)),
      trimmed_mean: kept(trimmed(bare.nlls)),
      capped: kept(mean(bare.capped)),
    },
    above: all.filter(above).length,
    above_of_one_word: all.filter((i) => above(i) && word(i)).length,
    share_above: shareOf(above),
    of_one_word: all.filter(word).length,
    share_of_one_word: shareOf(word),
  };
}

const SWEEP_PAIRS = [
  ['oracle', 'doc_kw'],
  ['oracle', 'para'],
  ['oracle', 'random'],
  ['doc_kw', 'static_fact'],
  ['doc_kw', 'random'],
  ['static_fact', 'random'],
  ['lead', 'template'],
] as const;

const PART_PAIRS = [
  ['scrambled', 'random_matched'],
  ['oracle', 'scrambled'],
  ['oracle', 'random_matched'],
] as const;

function pairsOf(columns: Map<string, Column>, pairs: readonly (readonly [string, string])[]): Pair[] {
  return pairs.map(([first, second]) => {
    const { raw, capped } = columns.get(`${second}_published`)!.less(columns.get(`${first}_published`)!);
    const [average, between, inner, d, cappedD] = estimated(raw.length, (of) => [
      of(raw, mean),
      of(raw, middle),
      of(raw, trimmed),
      of(raw, cohensD),
      of(capped, cohensD),
    ]);
    return {
      name: `${first} over ${second}`,
      mean: average!,
      median: between!,
      trimmed_mean: inner!,
      d: d!,
      win: kept(winsOf(raw)),
      p_wilcoxon: kept(wilcoxon(raw)),
      capped_d: cappedD!,
    };
  });
}

/** All numbers; a part of an experiment that the folder does not have is missing. */
export interface Reanalysis {
  readonly resamples: number;
  readonly vocabulary: number;
  readonly cap: number;
  readonly surprise: readonly Surprise[];
  readonly gains: Readonly<Record<string, readonly Gain[]>>;
  readonly shares?: readonly Shares[];
  readonly steps?: readonly Pair[];
  readonly pairs?: readonly Pair[];
  readonly orders?: readonly Order[];
  readonly retention?: readonly Retention[];
  readonly hardness?: Hardness;
}

/** @param times resamples of every interval */
export async function reanalyse(folder: string, times = resamples): Promise<Reanalysis> {
  resamples = times;
  const records = (await readAuthorsRecords(folder)).map((record) => [record, columnsOf(record)] as const);
  const of = (wanted: string) => records.find(([{ experiment }]) => experiment === wanted)?.[1];
  const [first, sweep, parts] = [of('exp01'), of('exp02'), of('exp2b')];
  return {
    resamples,
    vocabulary: VOCABULARY,
    cap: kept(CAP),
    surprise: records.map(([record, columns]) => surpriseOf(record, columns)),
    gains: Object.fromEntries(records.map(([{ experiment }, columns]) => [experiment, gainsOf(columns)])),
    ...(parts ? { shares: sharesOf(parts), steps: pairsOf(parts, PART_PAIRS) } : {}),
    ...(sweep ? { pairs: pairsOf(sweep, SWEEP_PAIRS), orders: ordersOf(sweep) } : {}),
    ...(first ? { retention: retentionOf(first) } : {}),
    ...(parts ? { hardness: hardnessOf(parts) } : {}),
  };
}

const signed = (x: number | null, digits: number) =>
  x === null ? '–' : `${x > 0 ? '+' : ''}${x.toFixed(digits)}`.replace('-', '−');
const shown = ({ value, low, high }: Estimate, digits = 3) =>
  `${signed(value, digits)} [${signed(low, digits)}, ${signed(high, digits)}]`;

function gainTable(gains: readonly Gain[]): string {
  return renderMarkdown({
    columns: [
      text('condition'),
      ...[
        'mean gain',
        'median',
        'trimmed mean',
        'd',
        'win %',
        'in the 25 largest',
        'capped mean',
        'capped d',
        'capped, in the 25',
      ].map(number),
    ],
    rows: gains.map((gain) => [
      gain.name,
      shown(gain.mean),
      shown(gain.median),
      shown(gain.trimmed_mean),
      shown(gain.d),
      (100 * gain.win).toFixed(1),
      gain.top_share.toFixed(2),
      shown(gain.capped),
      shown(gain.capped_d),
      gain.capped_top_share.toFixed(2),
    ]),
  });
}

function shareTable(shares: readonly Shares[]): string {
  return renderMarkdown({
    columns: [
      text('share of the oracle’s gain, %'),
      ...['samples', 'structure', 'vocabulary', 'semantics'].map(number),
    ],
    rows: shares.map(({ name, samples, structure, vocabulary, semantics }) => [
      name,
      String(samples),
      ...[structure, vocabulary, semantics].map((share) => shown(share, 1)),
    ]),
  });
}

function orderTable(orders: readonly Order[]): string {
  return renderMarkdown({
    columns: ['rank and', ...orders.map(({ name }) => name)].map(text),
    rows: [
      ['rho', ...orders.map(({ rho }) => shown(rho, 2))],
      ['p over the eight prefixes', ...orders.map(({ p }) => p?.toFixed(3) ?? '–')],
    ],
  });
}

function retentionTable(retention: readonly Retention[]): string {
  return renderMarkdown({
    columns: [
      text('gain hidden over gain in full view'),
      ...['mean', 'median', 'trimmed mean', 'capped mean'].map(number),
    ],
    rows: retention.map((ratio) => [
      ratio.name,
      ...[ratio.mean, ratio.median, ratio.trimmed_mean, ratio.capped].map((value) => value.toFixed(2)),
    ]),
  });
}

function hardnessTable(hardness: Hardness): string {
  const row = (name: string, list: readonly number[], cell: (value: number) => string) => [name, ...list.map(cell)];
  const one = (value: number) => value.toFixed(1);
  const gain = (value: number) => signed(value, 3);
  return renderMarkdown({
    columns: [text('by fifth of the bare NLL'), ...['easiest', '2nd', '3rd', '4th', 'hardest'].map(number)],
    rows: [
      row('samples', hardness.samples, String),
      row('bare NLL', hardness.bare, (value) => value.toFixed(3)),
      row('oracle’s gain', hardness.gain, gain),
      row('oracle’s gain, % of the bare NLL, median', hardness.relative_gain, one),
      row('random_matched’s gain, % of the bare NLL, median', hardness.relative_gain_random_matched, one),
      row('oracle over random_matched', hardness.over_random_matched, gain),
      row('structure, % of the oracle’s gain', hardness.structure, one),
    ],
  });
}

function surpriseTable(surprise: readonly Surprise[]): string {
  return renderMarkdown({
    columns: [
      text('experiment'),
      text('bare NLL: mean / median / trimmed / capped mean'),
      number('above ln V'),
      number('of these one-word answers'),
      number('% of the oracle’s gain in those above'),
      number('one-word answers'),
      number('% of the oracle’s gain in these'),
    ],
    rows: surprise.map((row) => [
      row.name,
      [row.bare.mean, row.bare.median, row.bare.trimmed_mean, row.bare.capped].map((nll) => nll.toFixed(3)).join(' / '),
      `${row.above} of ${row.samples}`,
      String(row.above_of_one_word),
      row.share_above.toFixed(0),
      String(row.of_one_word),
      row.share_of_one_word.toFixed(0),
    ]),
  });
}

function pairTable(pairs: readonly Pair[]): string {
  return renderMarkdown({
    columns: [
      text('first over second'),
      ...['mean', 'median', 'trimmed mean', 'd', 'win %', 'p, Wilcoxon', 'capped d'].map(number),
    ],
    rows: pairs.map((pair) => [
      pair.name,
      shown(pair.mean),
      shown(pair.median),
      shown(pair.trimmed_mean),
      shown(pair.d),
      (100 * pair.win).toFixed(1),
      pair.p_wilcoxon.toExponential(1).replace('-', '−'),
      shown(pair.capped_d),
    ]),
  });
}

/** The tables, each below its title. */
export function reanalysisMarkdown(found: Reanalysis): string {
  const { shares, steps, pairs, orders, retention, hardness } = found;
  const sections = [
    ['Surprise', surpriseTable(found.surprise)],
    ...Object.entries(found.gains).map(([experiment, gains]) => [`Gains, ${experiment}`, gainTable(gains)]),
    ...(shares ? [['Shares', shareTable(shares)]] : []),
    ...(steps ? [['Steps', pairTable(steps)]] : []),
    ...(pairs ? [['Pairs', pairTable(pairs)]] : []),
    ...(orders ? [['Order', orderTable(orders)]] : []),
    ...(retention ? [['Retention', retentionTable(retention)]] : []),
    ...(hardness ? [['Hardness', hardnessTable(hardness)]] : []),
  ];
  return sections.map(([title, table]) => `## ${title}\n\n${table}\n`).join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, option] = process.argv.slice(2);
  if (folder === undefined || (option !== undefined && option !== '--write')) {
    throw new Error('Usage: npx tsx tools/authors/reanalysis.ts FOLDER [--write]');
  }
  const found = await reanalyse(folder);
  if (option === '--write') {
    const file = path.resolve(import.meta.dirname, '../../data/authors-reanalysis.json');
    writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
  }
  process.stdout.write(reanalysisMarkdown(found));
}
