/** Several systems that rank the same candidates: measures query by query, their means, and paired differences. */
import type { Random } from '../base/random.js';
import { independent } from './dependence.js';
import { mean } from './describe.js';
import {
  correctFamilies,
  type Estimate,
  finite,
  type GainSummary,
  meanEstimate,
  samplingOf,
  summarizeGains,
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
 * @throws DkvError INPUT_INVALID for a measure that there is none of
 */
export function compareSystems(
  systems: ReadonlyMap<string, readonly Scores[]>,
  grades: readonly Grades[],
  names: readonly string[],
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
  const differences = pairs.map(([treatment, baseline]) =>
    measures.map((_, m) => differenceOf(of(treatment, m), of(baseline, m), random)),
  );
  const holms = measures.map((_, m) =>
    correctFamilies(
      pairs.map(() => 'all'),
      differences.map((list) => list[m]?.p.signFlip ?? null),
    ),
  );
  const [first] = [...values.values()];
  return {
    measures: names.map((name, m) => ({
      name,
      queries: first?.[m]?.withRelevant.length ?? 0,
      judgedQueries: grades.length,
    })),
    systems: [...values].map(([name, own]) => ({
      name,
      means: own.map(({ withRelevant }) => meanEstimate(withRelevant, random)),
      judgedMeans: own.map(({ judged }) => finite(judged && mean(judged))),
    })),
    comparisons: pairs.map(([treatment, baseline], c) => ({
      treatment,
      baseline,
      differences: differences[c]!,
      holm: holms.map((family) => family[c]!.holm),
    })),
  };
}

function differenceOf(treatment: readonly number[], baseline: readonly number[], random: Random): GainSummary | null {
  if (treatment.length === 0) return null;
  const sampling = samplingOf(independent(treatment.length), random);
  return summarizeGains([treatment.map((value, query) => value - baseline[query]!)], sampling, random).summaries[0]!;
}
