/** What of a dataset is scored: samples, or the candidates of pools, one after the other. */
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import type { Candidate, Pool, Sample } from '../../samples/sample.js';

/** A document to score under every condition. */
export interface Unit {
  readonly sample: Sample;
  /** The unit's place in the list that surrogates borrow from: the sample's own, or its pool's. */
  readonly index: number;
}

/** What a plan takes from a dataset. */
export interface Scored {
  readonly units: readonly Unit[];
  /** The samples that surrogates borrow words from. For pools these are the first relevant candidates. */
  readonly references: readonly Sample[];
  readonly padding: readonly string[];
}

export function unitsOf(data: Dataset | PoolSet): Scored {
  if ('samples' in data) {
    const { samples, padding } = data;
    return { units: samples.map((sample, index) => ({ sample, index })), references: samples, padding };
  }
  const sampleOf = ({ id, query, answer = '' }: Pool, candidate: Candidate): Sample => ({
    id: `${id}/${candidate.id}`,
    document: candidate.document,
    query,
    answer,
    cluster: id,
    ...(candidate.title !== undefined && { title: candidate.title }),
    ...(candidate.columns && { columns: candidate.columns }),
  });
  return {
    units: data.pools.flatMap((pool, index) =>
      pool.candidates.map((candidate) => ({ sample: sampleOf(pool, candidate), index })),
    ),
    references: data.pools.map((pool) => {
      const relevant = pool.candidates.find(({ grade }) => grade >= (pool.relevant ?? 1));
      return sampleOf(pool, relevant ?? pool.candidates[0]!);
    }),
    padding: [],
  };
}
