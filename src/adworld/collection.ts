/**
 * AdWorld as a collection to search: documents, queries and judgements, BEIR's three parts.
 *
 * The judged documents are those of the pools; others are advertisements that nobody judged, to make the collection larger. As in any
 * collection some of them may be relevant to some query.
 */
import { DkvError } from '../base/errors.js';
import type { Pool } from '../samples/sample.js';
import { type AdRange, DEFAULT_ADWORLD_SEED, generateAd } from './adworld.js';
import { adworldAnswerPools, adworldPools } from './pools.js';

export interface CollectionRange extends AdRange {
  /** Queries that have an answer in one of the documents, instead of searches with graded documents. */
  readonly answers: boolean;
  /** The number of documents in all. By default only those of the pools. */
  readonly documents?: number | undefined;
}

export interface Collection {
  readonly queries: readonly { readonly id: string; readonly text: string; readonly answer?: string }[];
  /** The grade of each judged document, by query. */
  readonly qrels: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Every document once, the judged ones first. */
  readonly documents: Iterable<{ readonly id: string; readonly text: string }>;
}

/**
 * @param range `count` is the number of queries
 * @throws DkvError INPUT_INVALID when there are to be fewer documents than the pools have
 */
export function adworldCollection({ answers, documents, ...range }: CollectionRange): Collection {
  const pools: Pool[] = answers ? adworldAnswerPools(range) : adworldPools(range);
  const judged = new Map(pools.flatMap(({ candidates }) => candidates.map(({ id, document }) => [id, document])));
  const total = documents ?? judged.size;
  if (total < judged.size) {
    throw new DkvError(
      'INPUT_INVALID',
      `The ${pools.length} queries have ${judged.size} judged documents, and ${total} in all were asked for. Ask for more documents or fewer queries.`,
    );
  }
  return {
    queries: pools.map(({ id, query, answer }) => ({ id, text: query, ...(answer !== undefined && { answer }) })),
    qrels: new Map(pools.map(({ id, candidates }) => [id, new Map(candidates.map(({ id, grade }) => [id, grade]))])),
    documents: documentsOf(judged, total, range),
  };
}

function* documentsOf(
  judged: ReadonlyMap<string, string>,
  total: number,
  { seed = DEFAULT_ADWORLD_SEED, split }: AdRange,
): Generator<{ id: string; text: string }> {
  for (const [id, text] of judged) yield { id, text };
  for (let index = 0, given = judged.size; given < total; index++) {
    const { id, text } = generateAd({ seed, split, index });
    if (judged.has(id)) continue;
    given++;
    yield { id, text };
  }
}
