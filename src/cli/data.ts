/** `dkv data`: the built-in data, to look at or to train on. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { Split } from '../adworld/ad.js';
import { DEFAULT_ADWORLD_SEED } from '../adworld/adworld.js';
import { adworldCollection, type Collection } from '../adworld/collection.js';
import { adworldLines } from '../adworld/lines.js';
import { poolsOf } from '../adworld/pools.js';
import { type AdworldStatistics, adworldStatistics, type Mean } from '../adworld/statistics.js';
import { ADWORLD_VERSION } from '../adworld/version.js';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { makeFolder } from '../base/files.js';
import { adworldStatisticsSchema, corpusLineSchema, poolSchema, queryLineSchema } from '../wire/adworld.js';
import { jsonText } from '../wire/text.js';
import { jsonLine } from './json.js';
import { integer, positiveInteger } from './model-options.js';
import { withOutput } from './output.js';
import { whileBlocked } from './terminal.js';

interface AdworldOptions {
  readonly split: Split;
  readonly count: number;
  readonly seed: number;
  readonly output: string;
  readonly pools: boolean;
  readonly beir?: string;
  readonly answers: boolean;
  readonly documents?: number;
  readonly replace: boolean;
  readonly stats: boolean;
  readonly json: boolean;
}

export function dataCommand(): Command {
  return new Command('data').description('Write built-in data.').addCommand(adworldCommand());
}

function adworldCommand(): Command {
  return new Command('adworld')
    .description(
      `Advertisements with questions and answers, generated (version ${ADWORLD_VERSION}): one JSON line each.`,
    )
    .addOption(
      new Option('--split <name>', 'names and templates of test and validation never occur in train')
        .choices(['train', 'validation', 'test'])
        .default('test'),
    )
    .option('--count <n>', 'advertisements', positiveInteger, 10)
    .option('--seed <n>', 'the same seed gives the same advertisements', integer, DEFAULT_ADWORLD_SEED)
    .option('--output <file>', '- for standard output', '-')
    .option(
      '--pools',
      'searches with graded candidates (3 exact, 2 substitute, 1 complement, 0 irrelevant) instead',
      false,
    )
    .option('--beir <folder>', 'a collection to rank: corpus.jsonl, queries.jsonl, qrels/test.tsv; --count queries')
    .option('--answers', 'with --beir: questions with an answer in one document, instead of graded searches', false)
    .option(
      '--documents <n>',
      'with --beir: in all, most of them judged for no query (default: the judged ones)',
      positiveInteger,
    )
    .option('--replace', 'with --beir: write over a collection that is there', false)
    .option('--stats', 'describe the advertisements instead of writing them', false)
    .option('--json', 'with --stats: for machines', false)
    .addHelpText(
      'after',
      `
Examples:
  dkv data adworld --count 1
  dkv data adworld --split train --count 20000 --output train.jsonl
  dkv data adworld --count 2000 --stats
  dkv data adworld --count 100 --pools
  dkv data adworld --count 100 --beir ads --documents 10000`,
    )
    .action(writeAdworld);
}

const MOST_AT_ONCE = 200_000;

async function writeAdworld(options: AdworldOptions): Promise<void> {
  const { output: file, pools, beir, answers, documents, replace, stats, json, ...range } = options;
  expectOneForm(options);
  if ((stats || beir !== undefined) && range.count > MOST_AT_ONCE) {
    throw new DkvError(
      'INPUT_INVALID',
      `--count is ${range.count}; with --stats or --beir at most ${MOST_AT_ONCE} are made, which have to be held in memory.`,
    );
  }
  if (beir !== undefined) {
    if (!replace) await expectNoCollection(beir);
    const collection = whileBlocked(() => adworldCollection({ ...range, answers, documents }));
    process.stdout.write(await writeCollection(beir, collection));
    return;
  }
  const statistics = stats ? whileBlocked(() => adworldStatistics(range)) : undefined;
  await withOutput(file, '--output', async (output) => {
    if (statistics) {
      await output.write(json ? jsonLine(adworldStatisticsSchema, statistics) : described(statistics));
    } else if (pools) {
      for (const pool of poolsOf(range)) await output.write(jsonLine(poolSchema, pool));
    } else {
      for (const line of adworldLines(range)) await output.write(`${line}\n`);
    }
  });
}

/**
 * Refuses options that would be ignored.
 * @throws DkvError INPUT_INVALID
 */
function expectOneForm({ output, pools, beir, answers, documents, replace, stats, json }: AdworldOptions): void {
  const forms = [pools && '--pools', beir !== undefined && '--beir', stats && '--stats'].filter(
    (form) => form !== false,
  );
  if (forms.length > 1) {
    throw new DkvError('INPUT_INVALID', `${forms.join(' and ')} are different things to write: give one of them.`);
  }
  if (beir === undefined && (answers || replace || documents !== undefined)) {
    throw new DkvError(
      'INPUT_INVALID',
      '--answers, --documents and --replace are for a collection: give --beir FOLDER as well.',
    );
  }
  if (beir !== undefined && output !== '-') {
    throw new DkvError(
      'INPUT_INVALID',
      `A collection is written to --beir ${beir}; --output is for one file of lines.`,
    );
  }
  if (json && !stats) throw new DkvError('INPUT_INVALID', '--json is for --stats; all else is JSON lines as it is.');
}

/** The files of a collection in BEIR's form. */
const COLLECTION = { corpus: 'corpus.jsonl', queries: 'queries.jsonl', qrels: path.join('qrels', 'test.tsv') } as const;

/**
 * Queries and documents of two collections would not belong together, and a collection that was primed is not to change unseen.
 * @throws DkvError INPUT_INVALID where the folder holds a file of a collection
 */
async function expectNoCollection(folder: string): Promise<void> {
  const found = Object.values(COLLECTION).filter((name) => existsSync(path.join(folder, name)));
  if (found.length === 0) return;
  throw new DkvError(
    'INPUT_INVALID',
    `--beir ${folder} holds a collection already (${found.join(', ')}). Choose another folder, or give --replace to write over it.`,
  );
}

/**
 * Writes a collection in BEIR's form. An answer stands beside its query.
 * @returns what was written, in words
 */
async function writeCollection(folder: string, { queries, qrels, documents }: Collection): Promise<string> {
  await makeFolder(path.join(folder, 'qrels'));
  const writeLines = (name: string, lines: Iterable<string>) =>
    withOutput(path.join(folder, name), '--beir', async (output) => {
      let written = 0;
      for (const line of lines) {
        await output.write(`${line}\n`);
        written++;
      }
      return written;
    });
  const corpus = await writeLines(
    COLLECTION.corpus,
    map(documents, ({ id, text }) => jsonText(corpusLineSchema, { _id: id, title: '', text })),
  );
  const asked = await writeLines(
    COLLECTION.queries,
    map(queries, ({ id, ...query }) => jsonText(queryLineSchema, { _id: id, ...query })),
  );
  const grades = [...qrels].flatMap(([query, own]) => [...own].map(([id, grade]) => `${query}\t${id}\t${grade}`));
  await writeLines(COLLECTION.qrels, ['query-id\tcorpus-id\tscore', ...grades]);
  const number = (count: number) => count.toLocaleString('en');
  const lines = [
    [COLLECTION.corpus, counted(corpus, 'document', number(corpus))],
    [COLLECTION.queries, counted(asked, 'query', number(asked))],
    [COLLECTION.qrels, counted(grades.length, 'judgement', number(grades.length))],
  ] as const;
  return lines.map(([name, what]) => `${path.join(folder, name)}: ${what}\n`).join('');
}

function* map<T>(items: Iterable<T>, line: (item: T) => string): Generator<string> {
  for (const item of items) yield line(item);
}

/** Mean words of MS MARCO's passages and queries, to compare with: Thakur et al. 2021 (BEIR), table 1. */
const MS_MARCO = { document: 55.98, query: 5.96 };

function described(of: AdworldStatistics): string {
  const number = ({ mean, lowest, highest }: Mean) =>
    `${mean.toFixed(1)} on average, ${lowest.toFixed(0)} to ${highest.toFixed(0)}`;
  const rows: [string, string][] = [
    ['advertisements', `${of.ads}, of ${of.categories} categories`],
    ['questions', `${of.questions}, of ${of.kinds} kinds`],
    ['words of a document', `${number(of.documentWords)} (MS MARCO: ${MS_MARCO.document})`],
    ['words of a query', `${number(of.queryWords)} (MS MARCO: ${MS_MARCO.query})`],
    ['words of an answer', number(of.answerWords)],
    ['facts in a document', number(of.factsPerAd)],
    ['facts beside a distractor', percent(of.distractedFacts)],
    ["query's words that the document has too", `${percent(of.queryOverlap.mean)} on average`],
    ['place of the answer in the document', `${percent(of.answerPosition.mean)} of its length on average`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
