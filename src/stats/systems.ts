/** Several systems that rank the same candidates: measures query by query, their means, and paired differences. */
import type { Random } from '../base/random.js';
import { partitionBy } from './dependence.js';
import { mean } from './describe.js';
import {
  correctFamilies,
  type Estimate,
  finite,
  type GainSummary,
  inferredMeasures,
  samplingOf,
  summarizeMeasureDifferences,
} from './gains.js';
import { type Grades, measure, measured, type Scores } from './ranking.js';

export interface SystemDifference {
  readonly treatment: string;
  readonly baseline: string;
  /** For each measure, the treatment's value minus the baseline's over the queries with a relevant document; null where there are none. */
  readonly differences: readonly (GainSummary | null)[];
  /** For each measure, the p-value of random signs, corrected by Holm over all pairs of systems. */
  readonly holm: readonly (number | null)[];
}

export interface SystemComparison {
  /** For each measure, the number of queries that it was taken over: those with a relevant document, and all judged ones. */
  readonly measures: readonly { readonly name: string; readonly queries: number; readonly judgedQueries: number }[];
  /**
   * For each measure, the mean over the queries with a relevant document and the mean over all judged queries. The second is null where the measure
   * has no value for queries without one.
   */
  readonly systems: readonly {
    readonly name: string;
    readonly means: readonly Estimate[];
    readonly judgedMeans: readonly (number | null)[];
  }[];
  /** Every pair of systems: one that stands later in the list, minus one that stands earlier. */
  readonly comparisons: readonly SystemDifference[];
}

/**
 * @param systems per system, the simplest first, the scores of each judged query's candidates, which are the same for all; a query that nothing was
 * retrieved for has an empty map
 * @param grades of each judged query
 * @param names of measures
 * @param keys of each judged query: queries of one key are one cluster
 * @throws DkvError INPUT_INVALID for a measure that there is none of
 */
export function compareSystems(
  systems: ReadonlyMap<string, readonly Scores[]>,
  grades: readonly Grades[],
  names: readonly string[],
  keys: readonly string[],
  random: Random,
): SystemComparison {
  const measures = names.map(measure);
  const values = new Map(
    [...systems].map(([name, scores]) => [name, measures.map((own) => measured(own, scores, grades))]),
  );
  const of = (system: string, m: number) => values.get(system)![m]!.withRelevant;
  const pairs = [...systems.keys()].flatMap((treatment, at, all) =>
    all.slice(0, at).map((baseline) => [treatment, baseline] as const),
  );
  // All systems are measured over the same queries, so that they share resamples.
  const [first] = values.values();
  const samplings = measures.map((_, m) => {
    const places = first?.[m]?.places ?? [];
    return samplingOf({ clusters: partitionBy(places.map((place) => keys[place]!)) }, random);
  });
  const means = samplings.map((sampling, m) =>
    inferredMeasures(
      [...systems.keys()].map((name) => of(name, m)),
      sampling,
    ),
  );
  const differences = samplings.map((sampling, m) =>
    summarizeMeasureDifferences(
      pairs.map(([treatment, baseline]) => of(treatment, m).map((value, query) => value - of(baseline, m)[query]!)),
      sampling,
      random,
    ).map((summary) => (of(pairs[0]![0], m).length > 0 ? summary : null)),
  );
  const holms = differences.map((list) =>
    correctFamilies(
      pairs.map(() => 'all'),
      list.map((difference) => difference?.p.signFlip ?? null),
    ),
  );
  return {
    measures: names.map((name, m) => ({
      name,
      queries: first?.[m]?.withRelevant.length ?? 0,
      judgedQueries: grades.length,
    })),
    systems: [...values].map(([name, own], s) => ({
      name,
      means: own.map((_, m) => means[m]![s]!),
      judgedMeans: own.map(({ judged }) => finite(judged && mean(judged))),
    })),
    comparisons: pairs.map(([treatment, baseline], c) => ({
      treatment,
      baseline,
      differences: differences.map((list) => list[c] ?? null),
      holm: holms.map((family) => family[c]!.holm),
    })),
  };
}
