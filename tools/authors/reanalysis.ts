/**
 * What the authors' per-sample numbers show when no few samples carry it: `npx tsx tools/authors/reanalysis.ts FOLDER` prints the tables of
 * docs/authors-records.md. FOLDER is what `dkv import authors` reads. Intervals are the middle 95% of 10,000 resamples of samples, which share their draws within
 * an experiment.
 */
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
const CAP = Math.log(262_144);

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

const NOWHERE = { low: Number.NaN, high: Number.NaN };

/** Numbers made of statistics of lists, and the intervals of these numbers from shared resamples. */
function estimated(size: number, joint: Joint): { value: number; low: number; high: number }[] {
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
  return values.map((value, i) => ({ value, ...(percentileInterval(replicates[i]!) ?? NOWHERE) }));
}

const signed = (x: number, digits: number) =>
  Number.isNaN(x) ? '–' : `${x > 0 ? '+' : ''}${x.toFixed(digits)}`.replace('-', '−');
const shown = ({ value, low, high }: { value: number; low: number; high: number }, digits = 3) =>
  `${signed(value, digits)} [${signed(low, digits)}, ${signed(high, digits)}]`;

function gainTable(experiment: string, columns: Map<string, Column>): string {
  const bare = columns.get('bare')!;
  const rows = [...columns].flatMap(([name, column]) => {
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
    const wins = raw.filter((gain) => gain > 0).length / raw.length;
    return [
      [
        experiment,
        name,
        shown(average!),
        shown(between!),
        shown(inner!),
        shown(d!),
        (100 * wins).toFixed(1),
        topShare(raw).toFixed(2),
        shown(cappedAverage!),
        shown(cappedD!),
        topShare(capped).toFixed(2),
      ],
    ];
  });
  return renderMarkdown({
    columns: [
      text('experiment'),
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
    rows,
  });
}

function shareTable(columns: Map<string, Column>): string {
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
  const kept = (list: readonly number[]) => within.map((i) => list[i]!);
  const ways: [string, readonly (readonly number[])[], readonly number[], Statistic][] = [
    ['mean', steps.map(({ raw }) => raw), whole.raw, mean],
    ['median', steps.map(({ raw }) => raw), whole.raw, middle],
    ['trimmed mean', steps.map(({ raw }) => raw), whole.raw, trimmed],
    ['capped mean', steps.map(({ capped }) => capped), whole.capped, mean],
    [
      `mean of the ${within.length} with a bare NLL up to ln V`,
      steps.map(({ raw }) => kept(raw)),
      kept(whole.raw),
      mean,
    ],
    ['mean log ratio of NLLs', logSteps, logs(bare, oracle), mean],
  ];
  return renderMarkdown({
    columns: [text('share of the oracle’s gain, %'), number('structure'), number('vocabulary'), number('semantics')],
    rows: ways.map(([name, parts, all, statistic]) => [
      name,
      ...estimated(all.length, (of) => {
        const total = of(all, statistic);
        return parts.map((part) => (100 * of(part, statistic)) / total);
      }).map((share) => shown(share, 1)),
    ]),
  });
}

/** The order in which the research ranked its prefixes by the query's meaning. */
const RANKED = ['oracle', 'para', 'doc_kw', 'lead', 'template', 'static_fact', 'static_howto', 'random'];

/** Of Spearman's correlation over the prefixes, by t with six degrees of freedom. */
function orderP(rho: number): number {
  const freedom = RANKED.length - 2;
  return 2 * tTail(Math.abs(rho) * Math.sqrt(freedom / (1 - rho ** 2)), freedom);
}

function orderTable(columns: Map<string, Column>): string {
  const bare = columns.get('bare')!;
  const gains = RANKED.map((name) => bare.less(columns.get(`${name}_published`)!));
  const ranks = RANKED.map((_, i) => i + 1);
  const wins: Statistic = (values) => Array.from(values).filter((value) => value > 0).length / values.length;
  const [d, average, between, inner, won, capped] = estimated(bare.nlls.length, (of) => [
    spearman(
      ranks,
      gains.map(({ raw }) => of(raw, cohensD)),
    ),
    spearman(
      ranks,
      gains.map(({ raw }) => of(raw, mean)),
    ),
    spearman(
      ranks,
      gains.map(({ raw }) => of(raw, middle)),
    ),
    spearman(
      ranks,
      gains.map(({ raw }) => of(raw, trimmed)),
    ),
    spearman(
      ranks,
      gains.map(({ raw }) => of(raw, wins)),
    ),
    spearman(
      ranks,
      gains.map((gain) => of(gain.capped, mean)),
    ),
  ]);
  return renderMarkdown({
    columns: ['rank and', 'd', 'mean', 'median', 'trimmed mean', 'win', 'capped mean'].map(text),
    rows: [
      ['rho', ...[d, average, between, inner, won, capped].map((rho) => shown(rho!, 2))],
      [
        'p over the eight prefixes',
        ...[d, average, between, inner, won, capped].map((rho) => orderP(rho!.value).toFixed(3).replace('NaN', '–')),
      ],
    ],
  });
}

function retentionTable(columns: Map<string, Column>): string {
  const bare = columns.get('bare')!;
  const rows = ['oracle', 'surr_para', 'surr_doc'].map((name) => {
    const [hidden, full] = [bare.less(columns.get(`${name}_published`)!), bare.less(columns.get(`${name}_full`)!)];
    const ratios = [mean, middle, trimmed].map((statistic) => statistic(hidden.raw) / statistic(full.raw));
    return [name, ...[...ratios, mean(hidden.capped) / mean(full.capped)].map((ratio) => ratio.toFixed(2))];
  });
  return renderMarkdown({
    columns: [
      text('gain hidden over gain in full view'),
      ...['mean', 'median', 'trimmed mean', 'capped mean'].map(number),
    ],
    rows,
  });
}

/** Places of samples by fifth of the bare document's NLL, lower edges included. */
function fifthsOf(bare: readonly number[]): number[][] {
  const edges = [0.2, 0.4, 0.6, 0.8].map((q) => quantile(bare, q));
  const fifths: number[][] = [[], [], [], [], []];
  for (const [i, nll] of bare.entries()) fifths[edges.filter((edge) => nll >= edge).length]!.push(i);
  return fifths;
}

function hardnessTable(columns: Map<string, Column>): string {
  const { nlls: bare } = columns.get('bare')!;
  const fifths = fifthsOf(bare);
  const gainOf = (name: string, from = 'bare') => columns.get(from)!.less(columns.get(name)!).raw;
  const meanOf = (list: readonly number[], fifth: readonly number[]) => mean(fifth.map((i) => list[i]!));
  const [oracle, matched] = [gainOf('oracle_published'), gainOf('random_matched_published')];
  const row = (name: string, of: (fifth: readonly number[]) => string) => [name, ...fifths.map(of)];
  // The middle sample's, so that no few of a fifth decide.
  const relative = (list: readonly number[]) => {
    const ratios = list.map((gain, i) => (100 * gain) / bare[i]!);
    return (fifth: readonly number[]) => middle(fifth.map((i) => ratios[i]!)).toFixed(1);
  };
  return renderMarkdown({
    columns: [text('by fifth of the bare NLL'), ...['easiest', '2nd', '3rd', '4th', 'hardest'].map(number)],
    rows: [
      row('samples', ({ length }) => String(length)),
      row('bare NLL', (fifth) => meanOf(bare, fifth).toFixed(3)),
      row('oracle’s gain', (fifth) => signed(meanOf(oracle, fifth), 3)),
      row('oracle’s gain, % of the bare NLL, median', relative(oracle)),
      row('random_matched’s gain, % of the bare NLL, median', relative(matched)),
      row('oracle over random_matched', (fifth) =>
        signed(meanOf(gainOf('oracle_published', 'random_matched_published'), fifth), 3),
      ),
      row('structure, % of the oracle’s gain', (fifth) =>
        ((100 * meanOf(matched, fifth)) / meanOf(oracle, fifth)).toFixed(1),
      ),
    ],
  });
}

function surpriseTable(records: readonly (readonly [AuthorsRecord, Map<string, Column>])[]): string {
  const rows = records.map(([{ experiment, samples }, columns]) => {
    const bare = columns.get('bare')!;
    const gains = bare.less(columns.get('oracle_published')!).raw;
    const total = mean(gains) * gains.length;
    const shareOf = (wanted: (i: number) => boolean) =>
      ((100 * gains.filter((_, i) => wanted(i)).reduce((sum, gain) => sum + gain, 0)) / total).toFixed(0);
    const above = (i: number) => bare.nlls[i]! > CAP;
    const word = (i: number) => samples[i]!.words.answer === 1;
    const all = [...gains.keys()];
    return [
      experiment,
      `${mean(bare.nlls).toFixed(3)} / ${median(bare.nlls).toFixed(3)} / ${trimmed(bare.nlls).toFixed(3)} / ${mean(bare.capped).toFixed(3)}`,
      `${all.filter(above).length} of ${all.length}`,
      String(all.filter((i) => above(i) && word(i)).length),
      shareOf(above),
      String(all.filter(word).length),
      shareOf(word),
    ];
  });
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
    rows,
  });
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

function pairTable(columns: Map<string, Column>, pairs: readonly (readonly [string, string])[]): string {
  return renderMarkdown({
    columns: [
      text('first over second'),
      ...['mean', 'median', 'trimmed mean', 'd', 'win %', 'p, Wilcoxon', 'capped d'].map(number),
    ],
    rows: pairs.map(([first, second]) => {
      const { raw, capped } = columns.get(`${second}_published`)!.less(columns.get(`${first}_published`)!);
      const [average, between, inner, d, cappedD] = estimated(raw.length, (of) => [
        of(raw, mean),
        of(raw, middle),
        of(raw, trimmed),
        of(raw, cohensD),
        of(capped, cohensD),
      ]);
      const wins = (100 * raw.filter((gain) => gain > 0).length) / raw.length;
      return [
        `${first} over ${second}`,
        shown(average!),
        shown(between!),
        shown(inner!),
        shown(d!),
        wins.toFixed(1),
        wilcoxon(raw).toExponential(1).replace('-', '−'),
        shown(cappedD!),
      ];
    }),
  });
}

/** The tables, each below its title. @param times resamples of every interval */
export async function reanalysis(folder: string, times = resamples): Promise<string> {
  resamples = times;
  const records = (await readAuthorsRecords(folder)).map((record) => [record, columnsOf(record)] as const);
  const of = (wanted: string) => records.find(([{ experiment }]) => experiment === wanted)?.[1];
  const [first, sweep, parts] = [of('exp01'), of('exp02'), of('exp2b')];
  const sections = [
    ['Surprise', surpriseTable(records)],
    ...records.map(([{ experiment }, columns]) => [`Gains, ${experiment}`, gainTable(experiment, columns)]),
    ...(parts
      ? [
          ['Shares', shareTable(parts)],
          ['Steps', pairTable(parts, PART_PAIRS)],
        ]
      : []),
    ...(sweep
      ? [
          ['Pairs', pairTable(sweep, SWEEP_PAIRS)],
          ['Order', orderTable(sweep)],
        ]
      : []),
    ...(first ? [['Retention', retentionTable(first)]] : []),
    ...(parts ? [['Hardness', hardnessTable(parts)]] : []),
  ];
  return sections.map(([title, table]) => `## ${title}\n\n${table}\n`).join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('Usage: npx tsx tools/authors/reanalysis.ts FOLDER');
  process.stdout.write(await reanalysis(folder));
}
