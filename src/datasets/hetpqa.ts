/**
 * hetPQA: questions on Amazon's toys and games with evidence from six kinds of sources, in the form of amazon-science/contextual-product-qa:
 * tab-separated `answer_generation/*.csv` (question, evidence, written answer) and `evidence_ranking/*.csv` (question, evidence, label).
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { Random } from '../base/random.js';
import { datasetOf, type PoolRequest, poolSetOf, type SampleRequest, type Source } from '../samples/dataset.js';
import type { Candidate, Pool, Sample } from '../samples/sample.js';
import { candidateLimit, drawRows, isJudgeable, limitCandidates } from './draw.js';
import { LeftOutRows } from './left-out.js';
import type { OpenOptions } from './options.js';
import { checkedRow, expectColumns, openTable } from './table.js';

const SPLITS = ['test.csv', 'dev.csv', 'train.csv'];
const LICENCE = 'CDLA-Sharing-1.0';

const answerSchema = z.object({ ASIN: z.string(), question: z.string(), candidate: z.string(), answer: z.string() });
const labelSchema = z.object({
  qid: z.string(),
  qa_pair_id: z.string(),
  question: z.string(),
  candidate: z.string(),
  label: z.enum(['0', '1', '0.0', '1.0']),
});

/** @param place the hetPQA folder, one of its two folders, or a file */
export function hetpqaSource(place: string, options: OpenOptions): Source {
  return {
    about: 'questions on products with evidence',
    samples: (request) => hetpqaSamples(place, request, options),
    pools: (request) => hetpqaPools(place, request, options),
  };
}

async function hetpqaSamples(place: string, request: SampleRequest, options: OpenOptions) {
  const file = await findFile(place, 'answer_generation');
  const table = await openTable(file, options);
  expectColumns(table, Object.keys(answerSchema.shape));
  const leftOut = new LeftOutRows();
  async function* rows(): AsyncGenerator<Sample> {
    for await (const [number, row] of table.rows([])) {
      const { ASIN, question, candidate, answer } = checkedRow(answerSchema, table, number, row);
      if (leftOut.lacks({ question, candidate })) continue;
      yield { id: `row-${number}`, document: candidate, query: question, answer, cluster: ASIN };
    }
  }
  const { samples, padding } = await drawRows(rows(), request);
  const selection = `rows of ${path.basename(file)}; the first ${candidateLimit(request)}, shuffled, ${request.count} taken`;
  return datasetOf(
    { name: 'hetpqa', revision: table.revision, licence: LICENCE, selection, ...leftOut.recorded },
    samples,
    padding,
  );
}

async function hetpqaPools(place: string, { count, seed }: PoolRequest, options: OpenOptions) {
  const file = await findFile(place, 'evidence_ranking');
  const table = await openTable(file, options);
  expectColumns(table, Object.keys(labelSchema.shape));
  const leftOut = new LeftOutRows();
  const pools = new Map<string, Pool & { readonly candidates: Candidate[] }>();
  for await (const [number, row] of table.rows([])) {
    const { qid, qa_pair_id, question, candidate, label } = checkedRow(labelSchema, table, number, row);
    if (leftOut.lacks({ candidate })) continue;
    const pool = pools.get(qid) ?? { id: qid, query: question, candidates: [] };
    pools.set(qid, pool);
    pool.candidates.push({ id: qa_pair_id, document: candidate, grade: Number(label) === 1 ? 1 : 0 });
  }
  const random = new Random('hetpqa', seed);
  const chosen = new NumpyRandomState(seed).shuffle([...pools.values()].filter(isJudgeable)).slice(0, count);
  const selection = `questions of ${path.basename(file)} with relevant evidence and other, shuffled, ${count} taken; of each at most 40 candidates at random`;
  return poolSetOf(
    { name: 'hetpqa', revision: table.revision, licence: LICENCE, selection, ...leftOut.recorded },
    chosen.map((pool) => ({ ...pool, candidates: limitCandidates(pool.candidates, random) })),
  );
}

/** The file itself, or the file of the first split that exists. */
async function findFile(place: string, folder: string): Promise<string> {
  const places = [
    place,
    ...[path.join(place, folder), place].flatMap((at) => SPLITS.map((split) => path.join(at, split))),
  ];
  for (const file of places) if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  throw new DkvError(
    'INPUT_INVALID',
    `${place} has no ${folder} with ${SPLITS.join(', ')}; name hetPQA's folder or a file of it.`,
  );
}
