/** Judged queries that a ranking says nothing about, which means over all judged queries take as 0, as ir_measures does and trec_eval with -c. */
import type { Qrels } from '../datasets/trec.js';

export interface Unranked {
  /** Ids of judged queries that were asked, and had no candidates. */
  readonly without_candidates: readonly string[];
  /** Ids of judged queries that are not among the queries. */
  readonly not_asked: readonly string[];
}

/**
 * @param queries that were asked
 * @param ranked those of them that have a ranking
 */
export function unrankedOf(
  qrels: Qrels,
  queries: Iterable<{ readonly id: string }>,
  ranked: Iterable<{ readonly id: string }>,
): Unranked {
  const idsOf = (list: Iterable<{ readonly id: string }>) => new Set(Array.from(list, ({ id }) => id));
  const [asked, done] = [idsOf(queries), idsOf(ranked)];
  const left = [...qrels.keys()].filter((id) => !done.has(id));
  return {
    without_candidates: left.filter((id) => asked.has(id)),
    not_asked: left.filter((id) => !asked.has(id)),
  };
}
