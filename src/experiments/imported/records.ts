/**
 * The per-sample numbers that the authors of the research published: one NLL for each sample and condition. They come in two forms, as the `checkpoint.json`
 * that their notebooks wrote, and as lines of numbers without texts (`authors-exp02.jsonl`). Both are read strictly: what is not as these files are is refused by
 * file, row and field. Knows the files' columns, and nothing of experiments.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { expectFolder, fileError } from '../../base/files.js';
import { tryParse } from '../../base/parse.js';
import { readText } from '../../base/text-input.js';
import { wordCount } from '../../base/words.js';
import type { Imported } from '../../runs/schema/configuration.js';

/** The columns of each experiment's file, behind `nll_`, with our conditions' names for them. */
const COLUMNS = {
  exp01: {
    bare: 'bare',
    oracle_full: 'oracle_full',
    oracle_trunc: 'oracle_published',
    surr_para_full: 'surr_para_full',
    surr_para_trunc: 'surr_para_published',
    surr_doc_full: 'surr_doc_full',
    surr_doc_trunc: 'surr_doc_published',
  },
  exp02: {
    bare: 'bare',
    oracle_trunc: 'oracle_published',
    surr_doc_trunc: 'doc_kw_published',
    surr_para_trunc: 'para_published',
    static_fact_trunc: 'static_fact_published',
    static_howto_trunc: 'static_howto_published',
    random_trunc: 'random_published',
    surr_lead_trunc: 'lead_published',
    surr_template_trunc: 'template_published',
  },
  exp2b: {
    rand_1w_trunc: 'random1w_published',
    rand_3w_trunc: 'random3w_published',
    rand_5w_trunc: 'random5w_published',
    rand_10w_trunc: 'random10w_published',
    rand_20w_trunc: 'random20w_published',
    rand_50w_trunc: 'random50w_published',
    scrambled_oracle_trunc: 'scrambled_published',
    rand_matched_trunc: 'random_matched_published',
    repeat_the_trunc: 'the_x10_published',
    repeat_kw_trunc: 'keyword_x10_published',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type RecordedExperiment = keyof typeof COLUMNS;

/** The experiments that there are such numbers of; the third has no bare document and stands on the samples of the second. */
const RECORDED: readonly RecordedExperiment[] = ['exp01', 'exp02', 'exp2b'];

/** The folder in which the research's repository keeps its checkpoints. */
const RESULTS = path.join('archive', 'directed_kvcache_v3', 'results');
const FOLDERS = { exp01: 'exp01', exp02: 'exp02', exp2b: 'exp02b' } as const;

export interface RecordedSample {
  /** The numbers of words in the texts, split at white space. */
  readonly words: { readonly passage: number; readonly query: number; readonly answer: number };
  /** The NLLs by our conditions' names, in nats per answer token. */
  readonly nlls: Readonly<Record<string, number>>;
  /** The tokens of each prefix, where the file records them. */
  readonly prefixTokens: Readonly<Record<string, number>>;
  /** The query and the answer. Files of numbers have none. */
  readonly text?: string;
}

export interface AuthorsRecord {
  readonly experiment: RecordedExperiment;
  readonly source: Imported;
  /** The samples in the order in which the research scored them. */
  readonly samples: readonly RecordedSample[];
}

/**
 * Reads what a folder has: the research's repository, its folder of results, or a folder of lines of numbers.
 * @returns one record an experiment, in the order of `RECORDED`; the third holds the second's bare document and oracle as well
 * @throws DkvError INPUT_INVALID naming the file, its row and what in it is not as expected, or what is missing
 */
export async function readAuthorsRecords(folder: string): Promise<AuthorsRecord[]> {
  await expectFolder(folder, 'the records');
  const found: AuthorsRecord[] = [];
  for (const experiment of RECORDED) {
    const name = await fileOf(folder, experiment);
    if (name !== undefined) found.push(await readRecord(folder, name, experiment));
  }
  if (found.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `${folder}: none of the authors’ records is there. Expected ${path.join(RESULTS, 'exp01', 'checkpoint.json')} (exp02 and exp02b likewise) below the research’s repository, exp01/checkpoint.json in its folder of results, or ${linesName('exp01')} (exp02, exp2b).`,
    );
  }
  return found.map((record) => (record.experiment === 'exp2b' ? joined(record, found) : record));
}

function linesName(experiment: RecordedExperiment): string {
  return `authors-${experiment}.jsonl`;
}

/**
 * Finds an experiment's file below the folder; undefined where there is none.
 * @throws DkvError INPUT_INVALID where there are several
 */
async function fileOf(folder: string, experiment: RecordedExperiment): Promise<string | undefined> {
  const checkpoint = path.join(FOLDERS[experiment], 'checkpoint.json');
  const names = [path.join(RESULTS, checkpoint), checkpoint, linesName(experiment)];
  const found: string[] = [];
  for (const name of names) {
    const there = await stat(path.join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw fileError(error, path.join(folder, name));
    });
    if (there) found.push(name);
  }
  if (found.length < 2) return found[0];
  throw new DkvError(
    'INPUT_INVALID',
    `${folder} has two records of ${experiment}, ${found[0]} and ${found[1]}: give a folder with one of them.`,
  );
}

/** An NLL that was computed in bfloat16 has no digits of float32's lower half. Infinity and NaN are no JSON. */
const nll = z
  .number()
  .positive()
  .refine((value) => isBfloat16(value), {
    error: ({ input }) => `expected a number of bfloat16, as all of these records are, found ${String(input)}`,
  });

const HALF = new DataView(new ArrayBuffer(4));

function isBfloat16(value: number): boolean {
  HALF.setFloat32(0, value);
  return HALF.getFloat32(0) === value && HALF.getUint16(2) === 0;
}

const count = z.number().int().nonnegative();

/** Leading rows that the mask hides: BOS, and the prefix but for its line break, as many as the prefix has tokens and one more. */
const hiddenRows = z.number().int().min(2);

function columnsOf(experiment: RecordedExperiment): z.ZodRawShape {
  const names = Object.keys(COLUMNS[experiment]);
  return {
    ...Object.fromEntries(names.map((name) => [`nll_${name}`, nll])),
    ...(experiment === 'exp2b' && Object.fromEntries(names.map((name) => [`ptoks_${name}`, hiddenRows]))),
  };
}

type Row = Readonly<Record<string, number | string>>;

async function readRecord(folder: string, name: string, experiment: RecordedExperiment): Promise<AuthorsRecord> {
  const file = path.join(folder, name);
  const text = await readText(file);
  const digest = createHash('sha256').update(text).digest('hex');
  const isCheckpoint = path.basename(name) === 'checkpoint.json';
  const { rows, timestamp } = isCheckpoint
    ? checkpointRows(file, text, experiment)
    : { rows: lineRows(file, text, experiment), timestamp: null };
  if (rows.length < 2) {
    throw new DkvError('INPUT_INVALID', `${file}: ${rows.length} samples; two are the fewest that can be compared.`);
  }
  return {
    experiment,
    source: {
      file: name.split(path.sep).join('/'),
      form: isCheckpoint ? 'checkpoint' : 'numbers',
      digest,
      recorded_at: timestamp,
    },
    samples: rows.map((row) => sampleOf(row, experiment)),
  };
}

function sampleOf(row: Row, experiment: RecordedExperiment): RecordedSample {
  const columns = Object.entries(COLUMNS[experiment]);
  const { query, answer } = row;
  const wordsOf = (text: Row[string] | undefined, counted: string) =>
    typeof text === 'string' ? wordCount(text) : Number(row[counted]);
  return {
    words: {
      passage: Number(row.passage_words),
      query: wordsOf(query, 'query_words'),
      answer: wordsOf(answer, 'answer_words'),
    },
    ...(query !== undefined && { text: JSON.stringify([query, answer]) }),
    nlls: Object.fromEntries(columns.map(([column, condition]) => [condition, Number(row[`nll_${column}`])])),
    prefixTokens: Object.fromEntries(
      columns.flatMap(([column, condition]) => {
        const hidden = row[`ptoks_${column}`];
        return hidden === undefined ? [] : [[condition, Number(hidden) - 1]];
      }),
    ),
  };
}

function checkpointRows(
  file: string,
  text: string,
  experiment: RecordedExperiment,
): { rows: readonly Row[]; timestamp: string } {
  const schema = z.strictObject({
    n_total: z.number().int().positive(),
    results: z.array(
      z.strictObject({
        query: z.string(),
        answer: z.string(),
        passage_words: count,
        ...columnsOf(experiment),
      }),
    ),
    timestamp: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'expected a time such as 2026-02-01 12:30:00'),
  });
  const { results, n_total, timestamp } = taken(file, text, schema);
  if (results.length !== n_total) {
    throw new DkvError(
      'INPUT_INVALID',
      `${file}: ${results.length} samples of ${n_total} (n_total); the experiment was not finished, or the file is not whole.`,
    );
  }
  return { rows: results as readonly Row[], timestamp };
}

function lineRows(file: string, text: string, experiment: RecordedExperiment): Row[] {
  if (!text.endsWith('\n')) {
    throw new DkvError('INPUT_INVALID', `${file}: its last line has no end; the file is not whole.`);
  }
  const words = { passage_words: count, query_words: count, answer_words: count };
  const schema = z.strictObject({ index: count, ...words, ...columnsOf(experiment) });
  return text
    .slice(0, -1)
    .split('\n')
    .map((line, at) => {
      const row = taken(`${file}, line ${at + 1}`, line, schema);
      if (row.index === at) return row as Row;
      throw new DkvError(
        'INPUT_INVALID',
        `${file}, line ${at + 1}: index ${row.index}, and ${at} was expected: samples are told by their place, from 0.`,
      );
    });
}

function taken<T>(where: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = messageOf(error).replace(/\s+/g, ' ');
    throw new DkvError('INPUT_INVALID', `${where}: no JSON (${reason}); the file is damaged or not whole.`, {
      cause: error,
    });
  }
  const parsed = tryParse(schema, value);
  if (parsed.success) return parsed.data;
  throw new DkvError('INPUT_INVALID', `${where}: not as the authors’ records are: ${parsed.problem}.`);
}

/** The condition that both experiments have: random prefixes of 20 words. */
const SHARED = { exp02: 'random_published', exp2b: 'random20w_published' } as const;

/**
 * The third experiment with the second's bare document and oracle, sample by sample. Their order is the same; that it is, the samples' texts say where a file
 * has them, and the condition that both scored.
 */
function joined(record: AuthorsRecord, all: readonly AuthorsRecord[]): AuthorsRecord {
  const other = all.find(({ experiment }) => experiment === 'exp02');
  const where = `${record.source.file}: experiment 2B has no bare document of its own and needs the record of experiment 02`;
  if (!other) throw new DkvError('INPUT_INVALID', `${where}, which is not there. Put it beside.`);
  if (other.samples.length !== record.samples.length) {
    throw new DkvError(
      'INPUT_INVALID',
      `${where}, of the same samples; it has ${record.samples.length}, ${other.source.file} ${other.samples.length}.`,
    );
  }
  return {
    ...record,
    source: { ...record.source, with: { file: other.source.file, digest: other.source.digest } },
    samples: record.samples.map((sample, at) => {
      const own = other.samples[at]!;
      const { bare, oracle_published } = own.nlls;
      const [theirs, ours] = [own.nlls[SHARED.exp02]!, sample.nlls[SHARED.exp2b]!];
      const isOther =
        JSON.stringify(own.words) !== JSON.stringify(sample.words) ||
        (own.text !== undefined && sample.text !== undefined && own.text !== sample.text);
      if (isOther || theirs !== ours) {
        const told = isOther ? 'its texts are others' : `20 random words give ${theirs} there, ${ours} here`;
        throw new DkvError(
          'INPUT_INVALID',
          `${where}, of the same samples in the same order; sample ${at} is another in ${other.source.file}: ${told}.`,
        );
      }
      return { ...sample, nlls: { bare: bare!, oracle_published: oracle_published!, ...sample.nlls } };
    }),
  };
}
