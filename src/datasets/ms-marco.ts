/**
 * MS MARCO's questions with the passages that were found for them: the research's main dataset. What is taken follows its rules to the
 * letter, so that the same seed gives its samples.
 */
import { z } from 'zod';
import { NumpyRandomState } from '../base/numpy-random.js';
import { wordCount } from '../base/words.js';
import {
  type Dataset,
  datasetOf,
  type PoolRequest,
  type PoolSet,
  poolSetOf,
  type SampleRequest,
  type SampleRule,
  type Source,
} from '../samples/dataset.js';
import type { Pool, Sample } from '../samples/sample.js';
import { candidateLimit, drawSamples, type Offer } from './draw.js';
import type { OpenOptions } from './options.js';
import { checkedRow, openHubSplit } from './table.js';

const REPOSITORY = 'microsoft/ms_marco';
const COLUMNS = ['query_id', 'query', 'answers', 'wellFormedAnswers', 'passages'];
const LICENCE = "Microsoft's terms for MS MARCO: non-commercial research only (https://microsoft.github.io/msmarco/)";

const PASSAGE_WORDS = [30, 300] as const;
const PADDING_WORDS = [20, 200] as const;
const NO_ANSWER = 'No Answer Present.';

const texts = z.array(z.string().nullable()).nullish();

const rowSchema = z.object({
  query_id: z.union([z.number(), z.bigint(), z.string()]).transform(String),
  query: z.string(),
  answers: texts,
  // An empty list is sometimes the text "[]".
  wellFormedAnswers: z.union([texts, z.string()]),
  passages: z.object({ is_selected: z.array(z.coerce.number()), passage_text: z.array(z.string()) }),
});

type MsMarcoRow = z.infer<typeof rowSchema>;

/** @param version the hub's name for it: v1.1, which the research used, or v2.1 */
export function msMarcoSource(version: 'v1.1' | 'v2.1', options: OpenOptions): Source {
  return {
    about: `MS MARCO ${version}, questions with the passages found for them`,
    samples: (request) => msMarcoSamples(version, request, options),
    pools: (request) => msMarcoPools(version, request, options),
  };
}

async function msMarcoSamples(version: string, request: SampleRequest, options: OpenOptions): Promise<Dataset> {
  const { rule = 'standard', padding: wanted = 0 } = request;
  const { revision, rows } = await readRows(version, options);
  const { samples, padding } = await drawSamples(rows, request, (row) => offer(row, rule));
  const paddingRule =
    wanted > 0 ? `; padding: passages of ${PADDING_WORDS.join('-')} words that were not selected` : '';
  const selection = `${SELECTIONS[rule]}; the first ${candidateLimit(request)} at most, shuffled, ${request.count} taken${paddingRule}`;
  return datasetOf({ ...origin(version, revision), selection }, samples, padding);
}

const PASSAGES = `of ${PASSAGE_WORDS.join('-')} words of validation queries that have an answer`;

const SELECTIONS: Record<SampleRule, string> = {
  standard: `the first selected passage ${PASSAGES}`,
  length: `every selected passage ${PASSAGES}`,
  factoid: `the first selected passage ${PASSAGES} of five words at most`,
};

async function msMarcoPools(version: string, { count, seed }: PoolRequest, options: OpenOptions): Promise<PoolSet> {
  const { revision, rows } = await readRows(version, options);
  const limit = candidateLimit({ count });
  const found: Pool[] = [];
  for await (const row of rows) {
    const pool = poolOf(row);
    if (pool) found.push(pool);
    if (found.length >= limit) break;
  }
  const selection = `validation queries with an answer, one selected passage and two others or more, all of ${PASSAGE_WORDS.join('-')} words; the first ${limit} at most, shuffled, ${count} taken`;
  return poolSetOf(
    { ...origin(version, revision), selection },
    new NumpyRandomState(seed).shuffle(found).slice(0, count),
  );
}

function origin(version: string, revision: string) {
  return { name: version === 'v1.1' ? 'ms-marco' : `ms-marco@${version}`, revision, licence: LICENCE };
}

async function readRows(version: string, options: OpenOptions) {
  const table = await openHubSplit({ repository: REPOSITORY, config: version, splits: ['validation'] }, options);
  async function* rows(): AsyncGenerator<MsMarcoRow> {
    for await (const [number, row] of table.rows(COLUMNS)) yield checkedRow(rowSchema, table, number, row);
  }
  return { revision: table.revision, rows: rows() };
}

function offer(row: MsMarcoRow, rule: SampleRule): Offer {
  const { query_id, query, passages } = row;
  const answer = answerOf(row);
  const samples: Sample[] = [];
  const padding: string[] = [];
  for (const [i, document] of passages.passage_text.entries()) {
    const words = wordCount(document);
    if (passages.is_selected[i] === 0 && isWithin(words, PADDING_WORDS)) padding.push(document);
    if (passages.is_selected[i] !== 1 || !isWithin(words, PASSAGE_WORDS) || answer === undefined) continue;
    if (samples.length > 0 && rule !== 'length') continue;
    samples.push({ id: `${query_id}-${i}`, document, query, answer, cluster: query_id });
  }
  return { samples, padding };
}

function poolOf(row: MsMarcoRow): Pool | undefined {
  const { query_id, query, passages } = row;
  const answer = answerOf(row);
  const candidates = passages.passage_text.map((document, i) => ({
    id: `${query_id}-${i}`,
    document,
    grade: passages.is_selected[i] === 1 ? (1 as const) : (0 as const),
  }));
  const selected = candidates.filter(({ grade }) => grade === 1).length;
  const fits = candidates.every(({ document }) => isWithin(wordCount(document), PASSAGE_WORDS));
  if (answer === undefined || !fits || selected !== 1 || candidates.length < 3) return undefined;
  return { id: query_id, query, answer, candidates };
}

/**
 * The first well-formed answer where there is one, else the first answer; undefined where nobody found one. An answer that is empty is one to the research,
 * whose pool holds its query: it is rejected when it is to be scored.
 */
function answerOf({ answers, wellFormedAnswers }: MsMarcoRow): string | undefined {
  const wellFormed = [wellFormedAnswers].flat()[0];
  if (wellFormed && wellFormed !== '[]') return wellFormed;
  const answer = answers?.[0] ?? undefined;
  return answer === NO_ANSWER ? undefined : answer;
}

function isWithin(words: number, [least, most]: readonly [number, number]): boolean {
  return words >= least && words <= most;
}
