/**
 * Measures of one query's ranking, as trec_eval computes them. Names are ir_measures': `nDCG@10`, `RR`, `AP(rel=2)`, `P@5`, `Success@1`,
 * `AUC`. Means over queries are the caller's.
 */
import { DkvError } from '../base/errors.js';
import { expectFiniteNumbers } from '../base/finite.js';
import { didYouMean } from '../base/near.js';
import { compareUtf8 } from '../base/utf8-order.js';

/** The grade of each judged document. A document that is not in it counts as 0. */
export type Grades = ReadonlyMap<string, number>;

/** The score of each retrieved document; higher is better. */
export type Scores = ReadonlyMap<string, number>;

export interface Measure {
  readonly name: string;
  /**
   * Measures a ranking. The value is undefined where the query has no relevant document, so that there is nothing to find, or for AUC where there
   * is nothing to tell apart. It is 0 where there is something to find and nothing was retrieved.
   * @throws DkvError INPUT_INVALID for a score that is no number, and for grades whose gain overflows
   */
  readonly of: (scores: Scores, grades: Grades) => number | undefined;
  /**
   * The value of a query without a relevant document in a mean over all judged queries: 0 as in trec_eval; undefined for a measure that leaves it
   * out.
   */
  readonly nothingToFind: 0 | undefined;
}

/** The worth to nDCG of a document of a grade above 0. As in trec_eval, grades below 0 are worth as little as 0. */
type Gain = (grade: number) => number;

const GAINS = {
  /** The gain of trec_eval and the research: the grade itself. */
  linear: (grade) => grade,
  /** The gain of Burges et al. 2005. */
  exponential: (grade) => 2 ** grade - 1,
  /** The ESCI task's own gains: exact 1, substitute 0.1, complement 0.01, irrelevant 0. */
  esci: (grade) => [0, 0.01, 0.1, 1][grade] ?? 0,
} as const satisfies Record<string, Gain>;

/**
 * Orders document ids, the best first, by trec_eval's rule: by score, which it holds in single precision, and for equal scores by id, descending.
 * So a tie is never broken by the order of the input.
 * @throws DkvError INPUT_INVALID for a score that is not finite, which has no place in an order
 */
export function rank(scores: Scores): string[] {
  for (const [id, score] of scores) {
    if (!Number.isFinite(score)) {
      throw new DkvError(
        'INPUT_INVALID',
        `The score of ${JSON.stringify(id)} is not a number that is finite: ${score}.`,
      );
    }
  }
  return [...scores]
    .map(([id, score]) => ({ id, score: Math.fround(score) }))
    .sort((a, b) => b.score - a.score || compareUtf8(b.id, a.id))
    .map(({ id }) => id);
}

/** nDCG over the first `cutoff` (Järvelin and Kekäläinen 2002); the ideal ranking has every judged document, retrieved or not. */
function ndcg(
  scores: Scores,
  grades: Grades,
  cutoff = Number.POSITIVE_INFINITY,
  gain: Gain = GAINS.linear,
): number | undefined {
  const discounted = (gains: readonly number[]) =>
    gains.slice(0, cutoff).reduce((sum, value, at) => sum + value / Math.log2(at + 2), 0);
  const worth = (grade: number) => (grade > 0 ? gain(grade) : 0);
  const ideal = discounted([...grades.values()].map(worth).sort((a, b) => b - a));
  if (ideal === 0) return undefined;
  if (!Number.isFinite(ideal)) {
    throw new DkvError('INPUT_INVALID', `The gain of the grade ${Math.max(...grades.values())} is too large for nDCG.`);
  }
  return discounted(rank(scores).map((id) => worth(grades.get(id) ?? 0))) / ideal;
}

/**
 * Area under the ROC curve: the chance that a relevant document scores above another one, ties counting half (Mann and Whitney 1947).
 * @param relevant the lowest grade that counts as relevant
 */
function auc(scores: Scores, grades: Grades, relevant = 1): number | undefined {
  expectFiniteNumbers([...scores.values()], 'scores');
  const split: [number[], number[]] = [[], []];
  for (const [id, score] of scores) split[(grades.get(id) ?? 0) >= relevant ? 0 : 1].push(score);
  const [good, bad] = split;
  if (good.length === 0 || bad.length === 0) return undefined;
  let above = 0;
  for (const g of good) for (const b of bad) above += g > b ? 1 : g === b ? 0.5 : 0;
  return above / (good.length * bad.length);
}

/** Relevance of the ranking's documents, best first, and how many relevant ones there are in all. */
function relevance(scores: Scores, grades: Grades, relevant: number): { found: boolean[]; all: number } {
  const isRelevant = (id: string) => (grades.get(id) ?? 0) >= relevant;
  return { found: rank(scores).map(isRelevant), all: [...grades.keys()].filter(isRelevant).length };
}

type Binary = (ranking: { found: boolean[]; all: number }, cutoff: number) => number;

const BINARY: Readonly<Record<string, Binary>> = {
  RR: ({ found }, cutoff) => {
    const first = found.slice(0, cutoff).indexOf(true);
    return first < 0 ? 0 : 1 / (first + 1);
  },
  Success: ({ found }, cutoff) => Number(found.slice(0, cutoff).includes(true)),
  P: ({ found }, cutoff) => found.slice(0, cutoff).filter(Boolean).length / cutoff,
  AP: ({ found, all }, cutoff) => {
    let [sum, hits] = [0, 0];
    for (const [at, hit] of found.slice(0, cutoff).entries()) if (hit) sum += ++hits / (at + 1);
    return sum / all;
  },
};

/** The kinds of measure, with which their names begin. */
export const MEASURE_KINDS: readonly string[] = ['nDCG', 'AUC', ...Object.keys(BINARY)];

const FORM = /^(?<kind>[A-Za-z]+)(?:\((?<parameter>rel|gain)=(?<value>\w+)\))?(?:@(?<cutoff>[1-9]\d*))?$/;

/**
 * A measure by its name: `nDCG@k`, `nDCG(gain=exponential)@k`, `RR@k`, `AP@k`, `P@k`, `Success@k`, `AUC`; `(rel=2)` behind a binary one
 * sets the lowest grade that counts as relevant, 1 or more, 1 otherwise.
 * @throws DkvError INPUT_INVALID
 */
export function measure(name: string): Measure {
  const { kind, parameter, value, cutoff } = FORM.exec(name)?.groups ?? {};
  const k = cutoff === undefined ? Number.POSITIVE_INFINITY : Number(cutoff);
  const relevant = parameter === 'rel' ? Number(value) : 1;
  const gain = GAINS[(parameter === 'gain' ? value : 'linear') as keyof typeof GAINS];
  const binary = kind === undefined ? undefined : BINARY[kind];
  if (kind === 'nDCG' && parameter !== 'rel' && gain)
    return { name, of: (s, g) => ndcg(s, g, k, gain), nothingToFind: 0 };
  // From 0 on what nobody judged would be relevant, of which there is no end.
  if (parameter !== 'gain' && Number.isInteger(relevant) && relevant > 0) {
    if (kind === 'AUC' && cutoff === undefined)
      return { name, of: (s, g) => auc(s, g, relevant), nothingToFind: undefined };
    if (binary && !(kind === 'P' && cutoff === undefined)) {
      return {
        name,
        nothingToFind: 0,
        of: (s, g) => {
          const ranking = relevance(s, g, relevant);
          return ranking.all === 0 ? undefined : binary(ranking, k);
        },
      };
    }
  }
  throw new DkvError(
    'INPUT_INVALID',
    `There is no measure "${name}".${didYouMean(name.replace(/[(@].*/s, ''), MEASURE_KINDS)} Expected one like nDCG@10, nDCG(gain=${Object.keys(GAINS).join('|')})@10, RR@10, AP, P@5, Success@1, AUC, AP(rel=2).`,
  );
}

/** A measure's values over judged queries. */
export interface Measured {
  /** The values of the queries with a relevant document (for AUC, with candidates of both kinds). */
  readonly withRelevant: readonly number[];
  /** The places of these queries among all judged ones. */
  readonly places: readonly number[];
  /** The values of all judged queries, as ir_measures takes them and trec_eval with -c; undefined for AUC, which has no value without two kinds. */
  readonly judged: readonly number[] | undefined;
}

/** @param scores of each judged query, in the order of `grades`; none retrieved is an empty map */
export function measured(
  { of, nothingToFind }: Measure,
  scores: readonly Scores[],
  grades: readonly Grades[],
): Measured {
  const values = scores.map((own, query) => of(own, grades[query]!));
  return {
    withRelevant: values.filter((value) => value !== undefined),
    places: values.flatMap((value, place) => (value === undefined ? [] : [place])),
    judged: nothingToFind === undefined ? undefined : values.map((value) => value ?? nothingToFind),
  };
}
