/** A dataset in BEIR's form: corpus.jsonl, queries.jsonl and qrels/test.tsv. Corpora may have millions of documents: they are not kept. */
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { Random } from '../base/random.js';
import { type PoolRequest, type PoolSet, poolSetOf, type Source } from '../samples/dataset.js';
import type { Candidate, Grade, Pool } from '../samples/sample.js';
import { documentInputSchema } from '../wire/inputs.js';
import { limitCandidates } from './draw.js';
import type { OpenOptions } from './options.js';
import { readQueries } from './queries.js';
import { checkedRow, expectColumns, openTable } from './table.js';
import { readQrels } from './trec.js';
import { identifier } from './values.js';

/** The number of unjudged documents of the corpus in every pool. They are taken as irrelevant. */
const OTHERS = 10;
const JUDGED = 30;

export const beirDocumentSchema = documentInputSchema
  .pick({ title: true })
  .extend({ _id: identifier, text: z.string() })
  .strip();

export function beirSource(folder: string, options: OpenOptions): Source {
  return {
    about: `${folder} in BEIR's form, queries with judged documents; no questions with answers`,
    pools: (request) => beirPools(folder, request, options),
  };
}

async function beirPools(folder: string, { count, seed }: PoolRequest, options: OpenOptions): Promise<PoolSet> {
  const qrels = await openTable(await qrelsFile(folder), options);
  const queries = await openTable(await plainOrPacked(path.join(folder, 'queries.jsonl')), options);
  const corpus = await openTable(await plainOrPacked(path.join(folder, 'corpus.jsonl')), options);

  expectColumns(qrels, ['query-id', 'corpus-id', 'score']);
  const judged = new Map(
    [...(await readQrels(qrels.name))].map(([query, grades]) => [
      query,
      [...grades].map(([id, grade]) => ({ id, grade: gradeOf(grade) })),
    ]),
  );
  const usable = [...judged].filter(([, grades]) => grades.some(({ grade }) => grade > 0));
  const chosen = new NumpyRandomState(seed).shuffle(usable).slice(0, count);
  const texts = new Map((await readQueries(queries)).map(({ id, text }) => [id, text]));

  const random = new Random('beir', seed);
  let documents = 0;
  for await (const _ of corpus.rows([])) documents++;
  const plans = chosen.map(([id, grades]) => ({
    id,
    judged: limitCandidates(grades, random, JUDGED),
    // More than are used: some may turn out to have been judged for the query, or to be drawn twice.
    others: Array.from({ length: Math.min(2 * OTHERS, documents) }, () => random.below(documents)),
  }));
  const wantedIds = new Set(plans.flatMap(({ judged }) => judged.map(({ id }) => id)));
  const wantedRows = new Set(plans.flatMap(({ others }) => others));
  const byId = new Map<string, Document>();
  const byRow = new Map<number, Document>();
  for await (const [number, row] of corpus.rows([])) {
    if (!wantedRows.has(number) && !wantedIds.has(String(row._id))) continue;
    const document = beirDocument(checkedRow(beirDocumentSchema, corpus, number, row));
    byId.set(document.id, document);
    if (wantedRows.has(number)) byRow.set(number, document);
  }

  const pools = plans.flatMap(({ id, judged: graded, others }): Pool[] => {
    const query = texts.get(id);
    const known = new Set(judged.get(id)!.map(({ id }) => id));
    const relevant = graded.flatMap(({ id, grade }): Candidate[] => {
      const document = byId.get(id);
      return document?.document ? [{ ...document, grade }] : [];
    });
    const rest = [...new Set(others)]
      .map((row) => byRow.get(row)!)
      .filter(({ id, document }) => document && !known.has(id))
      .slice(0, OTHERS);
    const candidates = [...relevant, ...rest.map((document): Candidate => ({ ...document, grade: 0 }))];
    const isUsable =
      query !== undefined && relevant.some(({ grade }) => grade > 0) && candidates.some(({ grade }) => grade === 0);
    return isUsable ? [{ id, query, candidates }] : [];
  });
  const origin = {
    name: `beir:${path.basename(path.resolve(folder))}`,
    revision: [qrels, queries, corpus].map(({ revision }) => revision.slice(0, 15)).join('+'),
    licence: 'of the dataset',
    selection: `queries of ${path.basename(qrels.name)} with a relevant document, shuffled, ${count} taken; of each at most ${JUDGED} judged documents and ${OTHERS} others of the corpus, taken as irrelevant`,
  };
  return poolSetOf(origin, pools);
}

type Document = Omit<Candidate, 'grade'>;

/** Maps a grade to the four grades, since some collections go beyond them at either end. */
function gradeOf(grade: number): Grade {
  return Math.max(0, Math.min(3, grade)) as Grade;
}

/** Joins title and text as two lines, as BEIR's own evaluations do. */
export function beirDocument({ _id, title, text }: z.infer<typeof beirDocumentSchema>): Document {
  const heading = title?.trim();
  return {
    id: _id,
    document: [heading, text].filter((part) => part?.trim()).join('\n'),
    ...(heading && { title: heading }),
  };
}

/** The file, or the same file compressed by gzip where only that exists. */
async function plainOrPacked(file: string): Promise<string> {
  const packed = `${file}.gz`;
  const isThere = (name: string) =>
    access(name).then(
      () => true,
      () => false,
    );
  return !(await isThere(file)) && (await isThere(packed)) ? packed : file;
}

/** The judgements of the test split, or the only ones there are. */
async function qrelsFile(folder: string): Promise<string> {
  const inside = path.join(folder, 'qrels');
  const files = (await readdir(inside).catch(() => [])).filter((file) => /\.tsv(\.gz)?$/.test(file)).sort();
  const file = files.find((name) => /^test\.tsv/.test(name)) ?? (files.length === 1 ? files[0] : undefined);
  if (file) return path.join(inside, file);
  throw new DkvError(
    'INPUT_INVALID',
    `${inside}: test.tsv or a single .tsv file was expected, ${files.join(', ') || 'nothing'} found.`,
  );
}
