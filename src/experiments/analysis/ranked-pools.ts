/** Pools whose candidates have scores: what measures of rankings are taken of. */
import type { Trial } from '../../runs/schema/entry.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { Measure, Scores } from '../../stats/ranking.js';

export interface RankedPool {
  readonly name: string;
  /** The grades of all judged candidates, scored or not. */
  readonly grades: ReadonlyMap<string, number>;
  readonly relevant: number;
  /** The places of the pool's scored candidates among all scored candidates. */
  readonly places: readonly number[];
  readonly candidates: readonly string[];
}

/**
 * @param scored the candidates that have trials, in their order
 * @param records all candidates that were to be scored
 */
export function rankedPools(scored: readonly SampleRecord[], records: readonly SampleRecord[]): RankedPool[] {
  const byPool = new Map<string, SampleRecord[]>();
  // In the order of the columns, so that resamples do not depend on what was rejected.
  for (const record of [...records].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { pool = '' } = record;
    byPool.set(pool, [...(byPool.get(pool) ?? []), record]);
  }
  const placesByPool = new Map<string, number[]>();
  for (const [place, { pool = '' }] of scored.entries()) {
    placesByPool.set(pool, [...(placesByPool.get(pool) ?? []), place]);
  }
  const nameOf = ({ candidate, id }: SampleRecord) => candidate ?? id;
  return [...byPool].map(([name, judged]) => {
    const places = placesByPool.get(name) ?? [];
    return {
      name,
      places,
      candidates: places.map((place) => nameOf(scored[place]!)),
      relevant: judged[0]!.relevant ?? 1,
      grades: new Map(judged.map((record) => [nameOf(record), record.grade ?? 0])),
    };
  });
}

/** A candidate's score is the negative mean NLL of the target: higher is better. */
export function valuesOf(
  measures: readonly Measure[],
  pool: RankedPool,
  trials: readonly Trial[],
): (number | undefined)[] {
  const scores: Scores = new Map(pool.candidates.map((candidate, i) => [candidate, -trials[pool.places[i]!]!.nll]));
  const binary = new Map([...pool.grades].map(([candidate, grade]) => [candidate, Number(grade >= pool.relevant)]));
  return measures.map(({ name, of }) => of(scores, name.startsWith('nDCG') ? pool.grades : binary));
}
