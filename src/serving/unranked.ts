/** Judged queries that a ranking says nothing about, which means over all judged queries take as 0, as ir_measures does and trec_eval with -c. */
import type { Qrels } from '../datasets/trec.js';

export interface Unranked {
  /** The ids of judged queries that were asked and had no candidates. */
  readonly withoutCandidates: readonly string[];
  /** The ids of judged queries that are not among the queries. */
  readonly notAsked: readonly string[];
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
    withoutCandidates: left.filter((id) => asked.has(id)),
    notAsked: left.filter((id) => !asked.has(id)),
  };
}
