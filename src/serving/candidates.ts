/**
 * Which documents each query is ranked over, from what a user names: a file, `all`, `judged`, `bm25` or `bm25:K`.
 *
 * A file is a TREC run (its scores are the first stage's), pairs of query and document, or judgements (their grades are not looked at).
 */

import { DkvError, messageOf } from '../base/errors.js';
import { firstFew } from '../base/few.js';
import { readText } from '../base/text-input.js';
import { parseQrels, parseRun, type Qrels } from '../datasets/trec.js';
import type { RequestOptions } from '../engine/engine.js';
import type { Store } from '../store/store.js';
import { type Bm25, bm25Of } from './bm25.js';
import type { CandidateToRank, QueryToRank } from './ranked-query.js';

/** The number of BM25's best documents, when none is given. */
const DEFAULT_DEPTH = 100;

const BM25_FORM = /^bm25(?::([1-9]\d*))?$/;

const FORMS = 'a TREC run, a TSV of query and document ids, qrels, all, judged, bm25 or bm25:K';

/** Tells whether these candidates need an index of the store's texts. */
export function isBm25(named: string): boolean {
  return BM25_FORM.test(named);
}

export type Candidates = ReadonlyMap<string, readonly CandidateToRank[]>;

export interface CandidateOptions extends RequestOptions {
  /** The judgements, for `judged` and for BM25's candidates united with the judged ones. */
  readonly qrels?: Qrels;
  /** An index of the store's texts; made when it is needed and left out. */
  readonly bm25?: Bm25;
}

/**
 * @returns per query id its candidates; a query for which nothing is named has none
 * @throws DkvError INPUT_INVALID, CANCELLED
 */
export async function candidatesFrom(
  named: string,
  store: Store,
  queries: readonly Pick<QueryToRank, 'id' | 'text'>[],
  { qrels, bm25, ...options }: CandidateOptions = {},
): Promise<Candidates> {
  const depth = BM25_FORM.exec(named);
  if (depth) {
    const index = bm25 ?? (await bm25Of(store, options));
    return new Map(
      queries.map((query) => [query.id, bm25Candidates(index, query, Number(depth[1] ?? DEFAULT_DEPTH), qrels)]),
    );
  }
  if (named === 'all') {
    const all: CandidateToRank[] = [];
    for await (const id of store.ids()) all.push({ id });
    return new Map(queries.map(({ id }) => [id, all]));
  }
  const pairs = named === 'judged' ? judgedPairs(qrels) : parseCandidates(await readCandidates(named), named);
  const found = queries.filter(({ id }) => pairs.has(id));
  if (found.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `The candidates (${named}) are of none of the ${queries.length} queries. Are the ids the same?`,
    );
  }
  return new Map(
    found.map(({ id }) => [id, [...pairs.get(id)!].map(([document, firstStage]) => ({ id: document, firstStage }))]),
  );
}

export interface WithCandidatesOptions extends CandidateOptions {
  /** Called with a notice of the queries that have no candidates. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * @returns the queries with their candidates, of which some have none
 * @throws DkvError INPUT_INVALID where none has any; CANCELLED
 */
export async function withCandidates<Query extends Pick<QueryToRank, 'id' | 'text'>>(
  named: string,
  store: Store,
  queries: readonly Query[],
  { onNotice, ...options }: WithCandidatesOptions = {},
): Promise<(Query & Pick<QueryToRank, 'candidates'>)[]> {
  const lists = await candidatesFrom(named, store, queries, options);
  const found = queries.map((query) => ({ ...query, candidates: lists.get(query.id) ?? [] }));
  const without = found.filter(({ candidates }) => candidates.length === 0).map(({ id }) => id);
  if (without.length === queries.length && queries.length > 0) {
    const size = options.bm25?.size ?? 0;
    const why =
      size > 0
        ? `none of its ${size} documents has a word of them. BM25 knows whole words only; --candidates all ranks every document.`
        : 'is anything primed there, and not expired? "dkv store stats" tells.';
    throw new DkvError(
      'INPUT_INVALID',
      `None of the ${queries.length} queries has candidates by ${named} in ${store.location}: ${why}`,
    );
  }
  if (without.length > 0) {
    onNotice?.(
      `${without.length} of ${queries.length} queries have no candidates and are left out: ${firstFew(without)}.`,
    );
  }
  return found;
}

/** BM25's best documents, followed by the others that were judged for the query, all with BM25's scores. */
function bm25Candidates(
  index: Bm25,
  { id, text }: Pick<QueryToRank, 'id' | 'text'>,
  depth: number,
  qrels: Qrels | undefined,
): CandidateToRank[] {
  const best = index.search(text, depth);
  const known = new Set(best.map(({ id }) => id));
  const judged = [...(qrels?.get(id)?.keys() ?? [])].filter((document) => !known.has(document));
  const scores = index.score(text, judged);
  return [
    ...best.map(({ id, score }) => ({ id, firstStage: score })),
    ...judged.map((id, i) => ({ id, firstStage: scores[i] })),
  ];
}

type Pairs = ReadonlyMap<string, ReadonlyMap<string, number | undefined>>;

function judgedPairs(qrels: Qrels | undefined): Pairs {
  if (qrels) return withoutNumbers(qrels);
  throw new DkvError('INPUT_INVALID', 'The candidates "judged" need judgements: give --qrels.');
}

/** Parses candidates by the number of columns: a run has six, judgements four (BEIR's three and a header), pairs two. */
export function parseCandidates(text: string, file: string): Pairs {
  const [first = ''] = text.trim().split('\n', 1);
  const columns = first.trim().split(/\s+/).length;
  if (columns === 6) return parseRun(text, file);
  if (columns === 4 || columns === 3) return withoutNumbers(parseQrels(text, file));
  if (columns === 2) return parsePairs(text, file);
  throw new DkvError(
    'INPUT_INVALID',
    `${file}: expected "qid Q0 docid rank score tag", "qid 0 docid grade" or "qid docid", found "${first.trim()}".`,
  );
}

/** The header of pairs, which is known by the name in its first column. */
const PAIR_HEADER = /^\s*(?:\ufeff)?(?:query[-_]?id|qid|query)\s+\S+\s*$/i;

function parsePairs(text: string, file: string): Pairs {
  const pairs = new Map<string, Map<string, undefined>>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || (at === 0 && PAIR_HEADER.test(line))) continue;
    const [query, document, ...more] = line.trim().split(/\s+/);
    if (query === undefined || document === undefined || more.length > 0) {
      throw new DkvError('INPUT_INVALID', `${file}, line ${at + 1}: expected "qid docid", found "${line.trim()}".`);
    }
    pairs.set(query, (pairs.get(query) ?? new Map<string, undefined>()).set(document, undefined));
  }
  return pairs;
}

function withoutNumbers(qrels: Qrels): Pairs {
  return new Map(
    [...qrels].map(([query, grades]) => [query, new Map([...grades.keys()].map((id) => [id, undefined]))]),
  );
}

async function readCandidates(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (error) {
    throw new DkvError('INPUT_INVALID', `Candidates: ${messageOf(error)} Expected ${FORMS}.`);
  }
}
