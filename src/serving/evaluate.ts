/**
 * Does priming rank better here? Compares BM25, bare documents and every primed variant on a user's judged queries, over the same
 * candidates, query by query.
 */

import { DkvError, isResult } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Qrels } from '../datasets/trec.js';
import type { RequestOptions } from '../engine/engine.js';
import type { Model } from '../scoring/load-model.js';
import { type Grades, measure, type Scores } from '../stats/ranking.js';
import { compareSystems, type SystemComparison } from '../stats/systems.js';
import { missingDocument, type Store } from '../store/store.js';
import type { Bm25 } from './bm25.js';
import {
  calibrate,
  type Judged,
  type Objective,
  type Reliability,
  reliabilityOf,
  writeCalibration,
} from './calibration.js';
import { crossEncoderScores, textsOf } from './cross-encoder.js';
import { missingDocuments, missingMessage } from './missing.js';
import { rawProbability, scoredBy } from './objectives.js';
import { expectProvenance, expectWritable, type Provenance } from './provenance.js';
import { rank } from './rank.js';
import type { QueryToRank, RejectedCandidate } from './ranked-query.js';
import { expectReferenceDigest } from './reference-queries.js';
import type { Relevance, WholeRelevance } from './relevance.js';
import { type Unranked, unrankedOf } from './unranked.js';
import { BARE } from './variants.js';
import { BM25, CROSS_ENCODER, type Verdict, verdictOf } from './verdict.js';

export const DEFAULT_MEASURES: readonly string[] = ['nDCG@10', 'RR@10', 'AP', 'P@5', 'Success@1'];

export interface EvaluateOptions extends RequestOptions {
  /** The variants to compare. By default all variants that the candidates have. `bare` is always among them. */
  readonly variants?: readonly string[];
  /** What is scored; `query-likelihood` by default. */
  readonly objective?: Objective;
  /** Which words of the decoder mean relevant and irrelevant. It is for the objective `relevance` only, which needs it. */
  readonly relevance?: Relevance;
  /**
   * Also rank with the model as a full cross-encoder, which reads query and document together. It takes one encoder pass for every candidate and
   * needs the stored texts.
   */
  readonly upperBound?: boolean;
  /** Add each document's prior to its score, as `rank` does. */
  readonly prior?: boolean;
  /** The measures, by their names in ir_measures; nDCG@10, RR@10, AP, P@5 and Success@1 by default. */
  readonly measures?: readonly string[];
  /** The measure that decides the verdict; the first one by default. */
  readonly primary?: string;
  /** An index of the stored texts. Without it BM25 is not among the systems. */
  readonly bm25?: Bm25;
  /** Fit and store a calibration for each variant. */
  readonly calibrate?: boolean;
  /**
   * What happens to candidates that lack a variant: they are an `error`, the default, or are left out for every system (`skip`). With `skip`,
   * candidates whose records are damaged are rejected one by one.
   */
  readonly onMissing?: 'error' | 'skip';
  readonly seed?: number;
  /** This callback receives the computation of the statistics, which holds the thread for seconds, and has to run it and return its result. */
  readonly whileBlocked?: (work: () => SystemComparison) => SystemComparison;
}

/** What a system costs in encoder passes, the expensive part of a ranking. */
export interface EncoderPasses {
  /** The mean number of encoder passes that each query needs when it is asked. */
  readonly perQuery: number;
  /** The number of passes for each document, made beforehand. */
  readonly perDocument: number;
}

export interface Evaluation extends SystemComparison {
  readonly systems: readonly (SystemComparison['systems'][number] & { readonly encoderPasses: EncoderPasses })[];
  readonly store: string;
  readonly primed: Provenance;
  readonly objective: Objective;
  /** The words that mean relevant and irrelevant, with defaults filled in, for the objective `relevance`. */
  readonly relevance?: WholeRelevance;
  readonly prior: boolean;
  readonly seed: number;
  /** The number of queries that have judgements and candidates. */
  readonly queries: number;
  /** The judged queries that got no ranking. They count as 0 for every system. */
  readonly unranked: Unranked;
  /** The number of candidates of all queries together. */
  readonly candidates: number;
  /** The ids of candidates that were left out for every system. */
  readonly missing: readonly string[];
  /** The candidates that have no score under some variant, as `rank` rejects them. Their queries are left out for every system. */
  readonly rejected: readonly (RejectedCandidate & { readonly query: string })[];
  /** The measure that decides the verdict. */
  readonly primary: string;
  readonly verdict: Verdict;
  readonly calibrations: readonly (Reliability & { readonly variant: string })[];
}

/**
 * Compares BM25, `bare` and every variant as rankings of the same candidates, on judged queries.
 * @param queries the queries with the candidates that every system ranks; those without judgements are left out. `onProgress` counts candidates,
 * once for each variant
 * @param qrels the judgements. All their queries count: one that has no candidates, or is not among `queries`, is worth 0 to every system
 * @throws DkvError INPUT_INVALID, DOCUMENT_MISSING, and what `rank` throws
 */
export async function evaluate(
  given: Model,
  store: Store,
  queries: readonly QueryToRank[],
  qrels: Qrels,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { objective = 'query-likelihood', prior = false, seed = 42, bm25 } = options;
  const named = options.measures ?? DEFAULT_MEASURES;
  const primary = options.primary ?? named[0]!;
  const names = [...new Set([primary, ...named])];
  // A misspelt measure is told before the scoring, not after it.
  names.forEach(measure);
  if (options.calibrate) expectWritable(store);
  const { provenance: primed, model } = await expectProvenance(store, given);
  const scoring = scoredBy(model, objective, options.relevance);
  const judged = judgedQueries(queries, qrels);
  const variants = [...new Set([BARE, ...(options.variants ?? (await variantsOf(store, judged)))])];
  const missing = await missingOf(store, judged, variants, options.onMissing);
  if (missing.ids.size > 0 && options.onMissing !== 'skip') throw new DkvError('DOCUMENT_MISSING', missing.message);
  const complete = missing.ids.size > 0 ? judgedQueries(without(judged, missing.ids), qrels) : judged;

  const scored = new Map<string, Scores[]>();
  if (bm25) scored.set(BM25, bm25Scores(bm25, complete));
  const rejected: (RejectedCandidate & { query: string })[] = [];
  const texts = options.upperBound ? await textsOf(store, idsOf(complete), options) : undefined;
  const each = candidatesOf(complete);
  const total = (variants.length + (texts ? 1 : 0)) * each;
  for (const [v, variant] of variants.entries()) {
    const done = v * each;
    const ranking = {
      objective,
      ...(options.relevance && { relevance: options.relevance }),
      variant,
      prior,
      calibration: false,
      ...(options.onMissing && { onMissing: options.onMissing }),
      ...(options.signal && { signal: options.signal }),
    };
    const rankings = rank(model, store, complete, {
      ...ranking,
      onProgress: (candidates) => options.onProgress?.(done + candidates, total),
    });
    const scores: Scores[] = [];
    for await (const { id: query, documents, rejected: own, missing: lost } of rankings) {
      scores.push(new Map(documents.map(({ id, score }) => [id, score])));
      rejected.push(...own.map((one) => ({ query, ...one })));
      // It was there a moment ago.
      rejected.push(...lost.map((id) => ({ query, id, reason: missingDocument(store.location, id, variant).message })));
    }
    scored.set(variant, scores);
  }
  if (texts) {
    const found = await crossEncoderScores(model, complete, texts, scoring, primed, {
      ...(options.signal && { signal: options.signal }),
      onProgress: (pairs) => options.onProgress?.(variants.length * each + pairs, total),
    });
    scored.set(CROSS_ENCODER, found.scores);
    rejected.push(...found.rejected);
  }
  // What is compared is the same candidates of the same queries, whichever variant broke.
  const broken = new Set(rejected.map(({ query }) => query));
  const isWhole = (_: unknown, query: number) => !broken.has(complete[query]!.id);
  const ranked = complete.filter(isWhole);
  if (ranked.length === 0) {
    throw new DkvError('NUMBERS_NOT_FINITE', `No query has finite scores of all candidates. ${rejected[0]!.reason}`);
  }
  const systems = new Map([...scored].map(([name, scores]) => [name, scores.filter(isWhole)]));

  const grades = ranked.map(({ id }) => qrels.get(id)!);
  const unranked = unrankedOf(new Map([...qrels].filter(([id]) => !broken.has(id))), queries, ranked);
  const rest = [...unranked.withoutCandidates, ...unranked.notAsked];
  // Queries of one text are one cluster, and those that only the judgements know are queries of their own.
  const textOf = new Map(queries.map(({ id, text }) => [id, text]));
  const { whileBlocked = (work) => work() } = options;
  const compared = whileBlocked(() =>
    compareSystems(
      new Map([...systems].map(([name, scores]) => [name, [...scores, ...rest.map((): Scores => new Map())]])),
      [...grades, ...rest.map((id) => qrels.get(id)!)],
      names,
      [...ranked.map(({ text }) => text), ...rest.map((id) => textOf.get(id) ?? id)],
      new Random('evaluate', seed),
    ),
  );
  const references = prior ? await expectReferenceDigest(store) : null;
  const calibrations = [];
  for (const variant of options.calibrate ? variants : []) {
    const cases = casesOf(systems.get(variant)!, grades);
    const { relevance } = scoring;
    await writeCalibration(store, primed, { variant, objective, references, relevance }, calibrate(cases));
    const reliability = reliabilityOf(cases, new Random('calibration', seed), rawProbability(scoring));
    calibrations.push({ variant, ...reliability });
  }
  const passes = candidatesOf(ranked) / ranked.length;
  return {
    store: store.location,
    primed,
    objective,
    ...(scoring.relevance && { relevance: scoring.relevance.said }),
    prior,
    seed,
    queries: ranked.length,
    unranked,
    candidates: candidatesOf(ranked),
    missing: [...missing.ids],
    rejected,
    primary,
    ...compared,
    systems: compared.systems.map((system) => ({ ...system, encoderPasses: encoderPassesOf(system.name, passes) })),
    verdict: verdictOf(compared, primary),
    calibrations,
  };
}

function encoderPassesOf(system: string, candidates: number): EncoderPasses {
  if (system === CROSS_ENCODER) return { perQuery: candidates, perDocument: 0 };
  return { perQuery: 0, perDocument: system === BM25 ? 0 : 1 };
}

function judgedQueries(queries: readonly QueryToRank[], qrels: Qrels): readonly QueryToRank[] {
  const judged = queries.filter(({ id, candidates }) => qrels.has(id) && candidates.length > 0);
  if (judged.length > 0) return judged;
  throw new DkvError(
    'INPUT_INVALID',
    `None of the ${queries.length} queries has both judgements and candidates. Are the ids of queries and qrels the same, and the documents primed?`,
  );
}

function candidatesOf(queries: readonly QueryToRank[]): number {
  return queries.reduce((sum, { candidates }) => sum + candidates.length, 0);
}

function idsOf(queries: readonly QueryToRank[]): Set<string> {
  const ids = new Set<string>();
  for (const { candidates } of queries) for (const { id } of candidates) ids.add(id);
  return ids;
}

/** The variants of all candidates, in the order in which they are met. */
async function variantsOf(store: Store, queries: readonly QueryToRank[]): Promise<Set<string>> {
  const variants = new Set<string>();
  // What is damaged is told, or rejected, where it is ranked.
  for (const entry of (await store.entries([...idsOf(queries)])).filter(isResult)) {
    for (const variant of Object.keys(entry?.variants ?? {})) variants.add(variant);
  }
  return variants;
}

/** Candidates that lack one of the variants. */
async function missingOf(
  store: Store,
  queries: readonly QueryToRank[],
  variants: readonly string[],
  onMissing: EvaluateOptions['onMissing'],
): Promise<{ readonly ids: ReadonlySet<string>; readonly message: string }> {
  const all = idsOf(queries);
  const ids = new Set<string>();
  const messages: string[] = [];
  for (const variant of variants) {
    const missing = await missingDocuments(store, all, variant, onMissing);
    if (missing.length > 0) messages.push(await missingMessage(store, variant, missing, all.size, ['skip']));
    for (const id of missing) ids.add(id);
  }
  return { ids, message: messages.join('\n') };
}

function without(queries: readonly QueryToRank[], ids: ReadonlySet<string>): QueryToRank[] {
  return queries.map((query) => ({ ...query, candidates: query.candidates.filter(({ id }) => !ids.has(id)) }));
}

function bm25Scores(index: Bm25, queries: readonly QueryToRank[]): Scores[] {
  return queries.map(({ text, candidates }) => {
    const ids = candidates.map(({ id }) => id);
    const scores = index.score(text, ids);
    return new Map(ids.map((id, i) => [id, scores[i] ?? 0]));
  });
}

/** The judged cases of a calibration. Candidates that nobody judged count as irrelevant, as they do for the measures. */
function casesOf(scores: readonly Scores[], grades: readonly Grades[]): Judged[][] {
  return scores.map((own, query) =>
    [...own].map(([id, score]) => ({ score, relevant: (grades[query]!.get(id) ?? 0) > 0 })),
  );
}
