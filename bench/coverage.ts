/**
 * How often the intervals of a report hold the truth: samples are drawn from recorded differences, whose mean, trimmed mean and effect sizes are known.
 *
 *     npx tsx bench/coverage.ts [--authors FOLDER] [--repeats 2000] [--draws 9999] [--n 60,200,500] [--out FILE] [--write]
 *
 * Populations are differences of the built-in model (results/built-in/exp02) and, with --authors, of the research's records of T5Gemma 2 4B: a folder with
 * authors-exp02.jsonl. `iid` draws samples, `by kind` draws whole kinds of questions, as AdWorld's samples come. What is done stands in the file (--out),
 * a line for each hundred repeats: the same command goes on from there. Ends with 1 where what is demanded is missed. With `--write` the table goes into docs/benchmarks.md.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { askedKind } from '../src/adworld/adworld.js';
import { Random } from '../src/base/random.js';
import { readRun } from '../src/runs/run-folder.js';
import { type Dependence, independent, type Partition, partitionBy } from '../src/stats/dependence.js';
import { cohensD, mean } from '../src/stats/describe.js';
import { analyticDInterval, type Interval } from '../src/stats/interval.js';
import { inferMeans, intervalOfMean } from '../src/stats/mean-inference.js';
import { Resamples } from '../src/stats/resamples.js';
import { percentilesOf, resampledRobust, robust } from '../src/stats/robust.js';
import { replaceSection, table } from './sections.js';

const { values: options } = parseArgs({
  options: {
    authors: { type: 'string' },
    repeats: { type: 'string', default: '2000' },
    draws: { type: 'string', default: '9999' },
    n: { type: 'string', default: '60,200,500' },
    out: { type: 'string', default: 'coverage.jsonl' },
    write: { type: 'boolean', default: false },
  },
});

const [REPEATS, DRAWS] = [Number(options.repeats), Number(options.draws)];
const SIZES = options.n.split(',').map(Number);
/** Repeats of a line in the file. */
const BLOCK = 100;

/** What is demanded: of independent samples, and of so many clusters and more; of the mean where tails are lighter than this. */
const DEMANDED = { iid: 0.93, clustered: 0.92, clusters: 50, kurtosis: 10 };

interface Population {
  readonly name: string;
  readonly values: readonly number[];
  /** Clusters that are drawn whole; undefined where there are none. */
  readonly kinds: Partition | undefined;
}

const STATISTICS = ['mean', 'trimmed mean', 'robust d', 'd, nominal'] as const;
type Statistic = (typeof STATISTICS)[number];

interface Block {
  readonly cell: string;
  readonly draws: number;
  readonly block: number;
  /** Repeats that have an interval, which takes six clusters, and those whose interval holds the truth. */
  readonly given: Readonly<Record<Statistic, number>>;
  readonly held: Readonly<Record<Statistic, number>>;
}

interface Cell {
  readonly name: string;
  readonly population: Population;
  readonly scheme: 'iid' | 'by kind';
  readonly size: number;
}

async function builtInPopulations(): Promise<Population[]> {
  const { trials, summary } = await readRun(path.resolve(import.meta.dirname, '../results/built-in/exp02'));
  const columns = new Map<string, Map<string, number>>();
  for (const { sample, condition, nll } of trials) {
    columns.set(condition, (columns.get(condition) ?? new Map()).set(sample, nll));
  }
  const bare = columns.get('bare_d')!;
  const samples = [...bare.keys()].sort();
  const kinds = partitionBy(samples.map((id) => askedKind(id, summary.configuration.seed)!));
  return ['oracle', 'doc_kw', 'random'].map((name) => {
    const treated = columns.get(`${name}_d`)!;
    return { name: `built-in: ${name}`, values: samples.map((id) => bare.get(id)! - treated.get(id)!), kinds };
  });
}

function authorsPopulations(folder: string): Population[] {
  const lines = readFileSync(path.join(folder, 'authors-exp02.jsonl'), 'utf8').split('\n').filter(Boolean);
  const rows = lines.map((line) => JSON.parse(line) as Record<string, number>);
  const less = (a: string, b: string) => rows.map((row) => row[`nll_${a}`]! - row[`nll_${b}`]!);
  return [
    { name: 'authors: oracle', values: less('bare', 'oracle_trunc'), kinds: undefined },
    { name: 'authors: doc', values: less('bare', 'surr_doc_trunc'), kinds: undefined },
    { name: 'authors: oracle less doc', values: less('surr_doc_trunc', 'oracle_trunc'), kinds: undefined },
  ];
}

function truthOf(values: readonly number[]): Record<Statistic, number> {
  const { trimmedMean, robustD } = robust(values);
  // Of the population itself: n in the denominator; the sample's has n - 1.
  const d = cohensD(values) * Math.sqrt(values.length / (values.length - 1));
  return { mean: mean(values), 'trimmed mean': trimmedMean, 'robust d': robustD, 'd, nominal': d };
}

/** Fourth moment over the square of the second: 3 for normal data. */
function kurtosis(values: readonly number[]): number {
  const center = mean(values);
  const moment = (power: number) => mean(values.map((value) => (value - center) ** power));
  return moment(4) / moment(2) ** 2;
}

/** Resamples of independent samples are the same for all repeats of a size, so that they are drawn once. */
const shared = new Map<number, Resamples>();

function resamplesFor({ scheme, size }: Cell, { clusters }: Dependence, random: Random): Resamples {
  if (scheme === 'by kind') return new Resamples(clusters, random, { draws: DRAWS });
  const made = shared.get(size) ?? new Resamples(clusters, new Random('coverage', size), { draws: DRAWS });
  shared.set(size, made);
  return made;
}

function drawn({ population: { values, kinds }, scheme, size }: Cell, random: Random) {
  if (scheme === 'iid' || !kinds) {
    return { sample: Array.from({ length: size }, () => random.pick(values)), dependence: independent(size) };
  }
  const sample: number[] = [];
  const clusters = Array.from({ length: clustersOf(size, kinds, values.length) }, () =>
    random.pick(kinds).map((index) => sample.push(values[index]!) - 1),
  );
  return { sample, dependence: { clusters } };
}

/** Whole kinds, as many as hold about so many samples. */
function clustersOf(size: number, kinds: Partition, samples: number): number {
  return Math.round((size * kinds.length) / samples);
}

function runBlock(cell: Cell, block: number): Block {
  const truth = truthOf(cell.population.values);
  const none = (): Record<Statistic, number> => ({ mean: 0, 'trimmed mean': 0, 'robust d': 0, 'd, nominal': 0 });
  const [given, held] = [none(), none()];
  for (let repeat = 0; repeat < BLOCK; repeat++) {
    const random = new Random('coverage', cell.name, block, repeat);
    const { sample, dependence } = drawn(cell, random);
    const resamples = resamplesFor(cell, dependence, random);
    const [inference] = inferMeans([sample], dependence, resamples);
    const [replicates] = resampledRobust([sample], resamples);
    const intervals: Record<Statistic, Interval | undefined> = {
      mean: intervalOfMean(inference!),
      'trimmed mean': percentilesOf(replicates!.trimmedMean, resamples),
      'robust d': percentilesOf(replicates!.robustD, resamples),
      'd, nominal': analyticDInterval(cohensD(sample), sample.length),
    };
    for (const statistic of STATISTICS) {
      const interval = intervals[statistic];
      if (!interval) continue;
      given[statistic]++;
      if (interval.low <= truth[statistic] && truth[statistic] <= interval.high) held[statistic]++;
    }
  }
  return { cell: cell.name, draws: DRAWS, block, given, held };
}

const populations = [...(options.authors ? authorsPopulations(options.authors) : []), ...(await builtInPopulations())];
const cells = SIZES.flatMap((size) =>
  populations.flatMap((population): Cell[] => {
    const of = (scheme: Cell['scheme']) => ({
      name: `${population.name}, ${scheme}, N = ${size}`,
      population,
      scheme,
      size,
    });
    return population.kinds ? [of('iid'), of('by kind')] : [of('iid')];
  }),
);

const done = existsSync(options.out)
  ? readFileSync(options.out, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Block)
      .filter(({ draws }) => draws === DRAWS)
  : [];

const ROW_COLUMNS = ['population', 'drawn', 'N', 'clusters', 'kurtosis', ...STATISTICS];
const rows: string[][] = [];
const missed: string[] = [];
for (const cell of cells) {
  const own = done.filter((block) => block.cell === cell.name && block.block < REPEATS / BLOCK);
  const known = new Set(own.map(({ block }) => block));
  for (let block = 0; block < REPEATS / BLOCK; block++) {
    if (known.has(block)) continue;
    const made = runBlock(cell, block);
    own.push(made);
    appendFileSync(options.out, `${JSON.stringify(made)}\n`);
  }
  const { name, values, kinds } = cell.population;
  const clusters = cell.scheme === 'iid' || !kinds ? cell.size : clustersOf(cell.size, kinds, values.length);
  const tails = kurtosis(values);
  const total = (of: 'given' | 'held', statistic: Statistic) => own.reduce((sum, one) => sum + one[of][statistic], 0);
  const shown = STATISTICS.map((statistic) => {
    const demanded = demandedOf(statistic, cell.scheme, clusters, tails);
    const given = total('given', statistic);
    const coverage = total('held', statistic) / given;
    const share = given / (own.length * BLOCK);
    if (demanded === undefined) {
      return given === 0 ? 'no interval' : coverage.toFixed(3) + (share < 1 ? ` (of ${share.toFixed(2)})` : '');
    }
    if (coverage < demanded) missed.push(`${cell.name}: ${statistic} ${coverage.toFixed(3)}, demanded ${demanded}`);
    return `**${coverage.toFixed(3)}**`;
  });
  const row = [name, cell.scheme, String(cell.size), String(clusters), tails.toFixed(1), ...shown];
  rows.push(row);
  process.stdout.write(`${row.join('  ')}\n`);
}

function demandedOf(statistic: Statistic, scheme: Cell['scheme'], clusters: number, tails: number): number | undefined {
  if (statistic === 'd, nominal' || (statistic === 'mean' && tails >= DEMANDED.kurtosis)) return undefined;
  if (scheme === 'iid') return DEMANDED.iid;
  return clusters >= DEMANDED.clusters ? DEMANDED.clustered : undefined;
}

const [first, ...others] = ROW_COLUMNS;
const content = [
  `Share of ${REPEATS.toLocaleString('en')} repeats whose 95% interval holds the truth, ${DRAWS.toLocaleString('en')} draws of each bootstrap; Monte Carlo error ${(1.96 * Math.sqrt((0.95 * 0.05) / REPEATS)).toFixed(3)}. Bold: at least ${DEMANDED.iid} is demanded, by kind ${DEMANDED.clustered} from ${DEMANDED.clusters} clusters on; of the mean where kurtosis (normal: 3) is below ${DEMANDED.kurtosis}.`,
  table([first!, ...others], rows).join('\n'),
].join('\n\n');
if (options.write) await replaceSection('benchmarks.md', 'coverage', content);
else process.stdout.write(`\n${content}\n`);
for (const line of missed) process.stdout.write(`MISSED ${line}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;
