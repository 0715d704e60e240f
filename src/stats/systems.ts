/** Several systems that rank the same candidates: measures query by query, their means, and paired differences. */
import type { Random } from '../random.js';
import { correctFamilies, type Estimate, type GainSummary, meanEstimate, summarizeGains } from './gains.js';
import { type Grades, type Measure, measure, type Scores } from './ranking.js';

export interface SystemDifference {
  readonly treatment: string;
  readonly baseline: string;
  /** Per measure: the treatment's value less the baseline's, query by query; null where no query has something to find. */
  readonly differences: readonly (GainSummary | null)[];
  /** Per measure: p of random signs, corrected by Holm over the comparisons with this baseline. */
  readonly holm: readonly (number | null)[];
}

export interface SystemComparison {
  /** How many queries have something to find by each measure. */
  readonly measures: readonly { readonly name: string; readonly queries: number }[];
  /** Per measure the mean over queries. */
  readonly systems: readonly { readonly name: string; readonly means: readonly Estimate[] }[];
  readonly comparisons: readonly SystemDifference[];
}

/**
 * @param systems per system the scores of each query's candidates; the candidates are the same for all
 * @param grades of each query
 * @param names of measures
 * @param pairs treatment and baseline, names of systems
 * @throws DkvError INPUT_INVALID for a measure that there is none of
 */
export function compareSystems(
  systems: ReadonlyMap<string, readonly Scores[]>,
  grades: readonly Grades[],
  names: readonly string[],
  pairs: readonly (readonly [treatment: string, baseline: string])[],
  random: Random,
): SystemComparison {
  const measures = names.map(measure);
  const values = new Map([...systems].map(([name, scores]) => [name, valuesOf(measures, scores, grades)]));
  const of = (system: string, m: number) => values.get(system)![m]!;
  const differences = pairs.map(([treatment, baseline]) =>
    measures.map((_, m) => differenceOf(of(treatment, m), of(baseline, m), random)),
  );
  const families = pairs.map(([, baseline]) => baseline);
  const holms = measures.map((_, m) =>
    correctFamilies(
      families,
      differences.map((list) => list[m]?.p.sign_flip ?? null),
    ),
  );
  const [first] = [...values.values()];
  return {
    measures: names.map((name, m) => ({ name, queries: first?.[m]?.length ?? 0 })),
    systems: [...values].map(([name, lists]) => ({ name, means: lists.map((list) => meanEstimate(list, random)) })),
    comparisons: pairs.map(([treatment, baseline], c) => ({
      treatment,
      baseline,
      differences: differences[c]!,
      holm: holms.map((family) => family[c]!.holm),
    })),
  };
}

/** Per measure the values of the queries that have something to find: which those are follows from grades and candidates alone. */
function valuesOf(measures: readonly Measure[], scores: readonly Scores[], grades: readonly Grades[]): number[][] {
  return measures.map(({ of }) => scores.flatMap((own, query) => of(own, grades[query]!) ?? []));
}

function differenceOf(treatment: readonly number[], baseline: readonly number[], random: Random): GainSummary | null {
  if (treatment.length === 0) return null;
  const single = treatment.map((_, query) => [query]);
  return summarizeGains([treatment.map((value, query) => value - baseline[query]!)], single, random).summaries[0]!;
}
