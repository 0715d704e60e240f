/**
 * Ranks stored documents by how likely the model finds the query, or its answer, given each of them. Only the decoder runs.
 *
 * Scores of one query compare with each other: same target, same model, same variant. Between queries they do not, because targets
 * differ; a document's prior takes out how much it likes any query, a calibration makes probabilities of them.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import { expectKnownOptions } from '../base/option-names.js';
import { parse } from '../base/parse.js';
import { deadlineOf } from '../engine/deadline.js';
import { PRIORITIES, type RequestOptions } from '../engine/engine.js';
import type { Model } from '../scoring/load-model.js';
import { zScores } from '../stats/describe.js';
import { rank as ordered } from '../stats/ranking.js';
import type { Metadata, Store } from '../store/store.js';
import { type Calibration, OBJECTIVES, type Objective, readCalibration, relevanceOf } from './calibration.js';
import { parseDocumentMetadata } from './document-metadata.js';
import { missingDocuments, missingMessage } from './missing.js';
import { type OwnScore, questionOf, scoredBy } from './objectives.js';
import { expectProvenance } from './provenance.js';
import { expectReferenceDigest } from './reference-queries.js';
import type { Relevance } from './relevance.js';
import { askStored, type StoredSource } from './score.js';
import { BARE } from './variants.js';

export interface CandidateToRank {
  /** The id of a stored document. */
  readonly id: string;
  /** The score that an earlier stage gave the document; higher is better. */
  readonly firstStage?: number | undefined;
}

export interface QueryToRank {
  readonly id: string;
  readonly text: string;
  readonly answer?: string | undefined;
  readonly candidates: readonly CandidateToRank[];
}

/**
 * What happens to candidates that the store does not have: `error` ends the ranking, `last` puts them last, `skip` leaves them out. With `error`, a
 * damaged record ends the ranking too; with the others the candidate is rejected.
 */
export const ON_MISSING = ['error', 'last', 'skip'] as const;
export type OnMissing = (typeof ON_MISSING)[number];

const optionsSchema = z.strictObject({
  /** What is scored; `query-likelihood` by default. */
  objective: z.enum(OBJECTIVES).optional(),
  /** Which words of the decoder mean relevant and irrelevant. It is for the objective `relevance` only, which needs it. */
  relevance: z.custom<Relevance>().optional(),
  /** The variant to score. `bare` by default, since no surrogate has been shown to rank better. */
  variant: z.string().min(1).optional(),
  /**
   * Add each document's prior, its mean NLL of reference queries, to its score. That takes out how likely the document makes any query: see
   * docs/ranking.md.
   */
  prior: z.boolean().optional(),
  /**
   * The weight w of the first stage, in [0, 1]. Scores are then w z(first stage) + (1 - w) z(ours), where z is the distance from the mean of the
   * query's candidates in standard deviations, or 0 where all are equal.
   */
  interpolate: z.number().min(0).max(1).optional(),
  /** Give relevance scores. True demands a calibration; by default they are given where the store has one. Interpolated scores have none. */
  calibration: z.boolean().optional(),
  /** What happens to missing candidates; `error` by default. */
  onMissing: z.enum(ON_MISSING).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  /** The class of the requests in the engine's queue; `interactive` by default. */
  priority: z.enum(PRIORITIES).optional(),
  /** A time limit in milliseconds from the call. What has not begun by then is dropped with DEADLINE_PASSED. */
  deadlineMs: z.number().positive().optional(),
  onProgress: z.custom<NonNullable<RequestOptions['onProgress']>>().optional(),
});

/** Options of a ranking. `onProgress` counts the candidates that have been scored, over all queries. */
export type RankOptions = z.input<typeof optionsSchema>;

export interface RankedDocument {
  readonly id: string;
  /**
   * The score; higher is better. It is the negative mean NLL of the target's tokens, or for the objective `relevance` the log of the odds. Where
   * asked for, the document's prior is added, or the score is interpolated with the first stage's.
   */
  readonly score: number;
  /** The mean NLL of the target's tokens, in nats. It is null, like the sum, for odds and for a missing document that was put last. */
  readonly nll: number | null;
  readonly nllSum: number | null;
  /** The number of the target's tokens. */
  readonly tokens: number;
  /** The probability of relevance, by the calibration of the model's own score. */
  readonly relevanceScore?: number;
  readonly firstStage?: number;
}

export interface RankedQuery {
  readonly id: string;
  /** The ranked documents, the best first. Equal scores are ordered by id as in `trec_eval`. */
  readonly documents: readonly RankedDocument[];
  /** The ids of candidates that the store does not have. */
  readonly missing: readonly string[];
  /**
   * Candidates that have no score, with the reasons; they are not among the documents. Their scores are not finite, or the decoder would have to
   * read more than its positions allow, or, unless missing candidates are an error, their records are damaged.
   */
  readonly rejected: readonly RejectedCandidate[];
}

export interface RejectedCandidate {
  readonly id: string;
  readonly reason: string;
}

/** Candidates scored together: enough for full batches. A query's own are never split from each other. */
const GROUP_CANDIDATES = 256;

/**
 * Ranks the candidates of queries by the decoder alone, from stored states.
 * @returns rankings in the order of the queries, a few queries at a time
 * @throws DkvError INPUT_INVALID, STORE_MISMATCH when the store was primed with another model, DOCUMENT_MISSING, CANCELLED
 */
export async function* rank(
  given: Model,
  store: Store,
  queries: readonly QueryToRank[],
  options: RankOptions = {},
): AsyncGenerator<RankedQuery> {
  const { objective = 'query-likelihood', variant = BARE, prior = false, ...rest } = checkedOptions(options);
  const { onMissing = 'error', signal, onProgress, interpolate, priority, deadlineMs } = rest;
  const scored = scoredBy(given, objective, rest.relevance);
  const { relevance } = scored;
  const deadline = deadlineOf(deadlineMs);
  const { provenance, model } = await expectProvenance(store, given);
  for (const query of queries) expectQuery(query, objective, interpolate);
  const references = prior ? await expectReferenceDigest(store) : null;
  const calibration =
    rest.calibration === false || interpolate !== undefined
      ? undefined
      : await readCalibration(store, provenance, { variant, objective, references, relevance });
  if (rest.calibration && !calibration) throw uncalibrated(store, variant, objective, prior);
  // Every query may have the whole store as its candidates: one list at a time.
  const ids = new Set<string>();
  for (const { candidates } of queries) for (const { id } of candidates) ids.add(id);
  const expectNone = async (missing: readonly string[]) => {
    if (missing.length === 0) return;
    throw new DkvError('DOCUMENT_MISSING', await missingMessage(store, variant, missing, ids.size, ['last', 'skip']));
  };
  const groups = [...grouped(queries, GROUP_CANDIDATES, ({ candidates }) => candidates.length)];
  // Of a single group its own reads are the check; of more, nothing is to be scored in vain.
  const isCheckedByReading = onMissing === 'error' && groups.length === 1;
  if (onMissing === 'error' && groups.length > 1) await expectNone(await missingDocuments(store, ids, variant));

  const total = queries.reduce((sum, { candidates }) => sum + candidates.length, 0);
  let done = 0;
  for (const group of groups) {
    const items = group.flatMap(({ text, answer, candidates }) =>
      candidates.map(({ id }) => ({ id, variant, text, answer })),
    );
    const scores = await askStored(model, store, items, questionOf(scored), {
      signal,
      priority,
      deadline,
      ...(isCheckedByReading && { onMissing: expectNone }),
      onProgress: (answered) => onProgress?.(done + answered, total),
    });
    if (isCheckedByReading) await expectNone(missingAmong(items, scores));
    let next = 0;
    for (const query of group) {
      const own = scores.slice(next, next + query.candidates.length);
      next += own.length;
      yield rankedQuery(query, own, { variant, references, interpolate, onMissing, calibration });
    }
    done += items.length;
  }
}

function checkedOptions(options: RankOptions) {
  expectKnownOptions(options, optionsSchema.shape, 'Ranking');
  const checked = parse(optionsSchema, options, 'INPUT_INVALID', 'Ranking');
  const { objective, prior, interpolate, calibration } = checked;
  if (prior && objective !== undefined && objective !== 'query-likelihood') {
    throw new DkvError(
      'INPUT_INVALID',
      `A prior is the likelihood of queries: it cannot be taken off ${objective === 'relevance' ? 'relevance' : 'the likelihood of answers'}. Leave one of the two out.`,
    );
  }
  if (calibration && interpolate !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      "A calibration is for the model's own score: leave out either it or interpolation with the first stage.",
    );
  }
  return checked;
}

function expectQuery(
  { id, text, answer, candidates }: QueryToRank,
  objective: Objective,
  interpolate: number | undefined,
): void {
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `Query ${JSON.stringify(id)} ${message}`);
  if (text.trim() === '') throw refuse('is empty.');
  if (objective === 'answer-likelihood' && !answer?.trim()) {
    throw refuse(
      'has no answer, and the objective answer-likelihood scores answers. Give one, or rank by query-likelihood.',
    );
  }
  const ids = new Set(candidates.map(({ id }) => id));
  if (ids.size < candidates.length) {
    const twice = candidates.find(({ id }) => !ids.delete(id))!;
    throw refuse(`has the candidate ${JSON.stringify(twice.id)} twice.`);
  }
  const unscored = interpolate !== undefined && candidates.find(({ firstStage }) => !Number.isFinite(firstStage));
  if (unscored) {
    throw refuse(
      `has no first-stage score for ${JSON.stringify(unscored.id)}, and interpolation needs one for every candidate. Give a TREC run, or bm25.`,
    );
  }
}

function uncalibrated(store: Store, variant: string, objective: Objective, prior: boolean): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${store.location} has no calibration of the variant ${JSON.stringify(variant)} for ${objective}${prior ? ' with priors' : ''}. Make one with dkv evaluate --calibrate.`,
  );
}

/** The items that the store lacks, each once. */
function missingAmong(items: readonly { readonly id: string }[], scores: readonly object[]): readonly string[] {
  const isMissing = (own: object | undefined) => own instanceof DkvError && own.code === 'DOCUMENT_MISSING';
  return [...new Set(items.filter((_, at) => isMissing(scores[at])).map(({ id }) => id))];
}

interface Ranking {
  readonly variant: string;
  /** The digest of the reference queries whose prior is added; null without priors. */
  readonly references: string | null;
  readonly interpolate: number | undefined;
  readonly onMissing: OnMissing;
  readonly calibration: Calibration | undefined;
}

function rankedQuery(
  { id, candidates }: QueryToRank,
  scores: readonly ((OwnScore & StoredSource) | DkvError)[],
  { variant, references, interpolate, onMissing, calibration }: Ranking,
): RankedQuery {
  const found: (RankedDocument & { readonly own: number })[] = [];
  const missing: CandidateToRank[] = [];
  const rejected: RejectedCandidate[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const scored = scores[i]!;
    if (scored instanceof DkvError && isRejected(scored, onMissing)) {
      rejected.push({ id: candidate.id, reason: scored.message });
      continue;
    }
    if (scored instanceof DkvError) {
      if (scored.code !== 'DOCUMENT_MISSING' || onMissing === 'error') throw scored;
      missing.push(candidate);
      continue;
    }
    const { nll, nllSum, tokens, metadata } = scored;
    const own = scored.score + (references === null ? 0 : priorOf(candidate.id, metadata, variant, references));
    const relevance = calibration && { relevanceScore: relevanceOf(calibration, own) };
    found.push({ ...named(candidate), own, score: own, nll, nllSum, tokens, ...relevance });
  }
  const mixed = interpolate === undefined ? found : mixedWith(found, interpolate);
  const lowest = mixed.reduce((low, { score }) => Math.min(low, score), 0);
  const tokens = mixed[0]?.tokens ?? 0;
  const last = missing.map((candidate) => ({
    ...named(candidate),
    score: lowest - 1,
    nll: null,
    nllSum: null,
    tokens,
  }));
  const documents = new Map<string, RankedDocument>();
  for (const { own: _, ...document } of mixed) documents.set(document.id, document);
  if (onMissing === 'last') for (const document of last) documents.set(document.id, document);
  const order = ordered(new Map([...documents].map(([id, { score }]) => [id, score])));
  return { id, documents: order.map((id) => documents.get(id)!), missing: missing.map(({ id }) => id), rejected };
}

/** Tells whether an error concerns this candidate alone, so that the others are ranked without it. */
function isRejected({ code }: DkvError, onMissing: OnMissing): boolean {
  return (
    code === 'NUMBERS_NOT_FINITE' || code === 'INPUT_TOO_LONG' || (code === 'STORE_DAMAGED' && onMissing !== 'error')
  );
}

function named({ id, firstStage }: CandidateToRank): Pick<RankedDocument, 'id' | 'firstStage'> {
  return firstStage === undefined ? { id } : { id, firstStage };
}

/** @throws DkvError INPUT_INVALID when the document was primed without reference queries, or with others than the store's */
function priorOf(id: string, metadata: Metadata, variant: string, references: string): number {
  const { priors, priorDigest } = parseDocumentMetadata(id, metadata);
  const prior = priors?.[variant];
  if (prior !== undefined && priorDigest === references) return prior;
  throw new DkvError(
    'INPUT_INVALID',
    `Document ${JSON.stringify(id)} has ${prior === undefined ? 'no prior' : 'a prior by other reference queries'} of the variant ${JSON.stringify(variant)}. Prime it with reference queries (dkv prime --prior), or rank without priors.`,
  );
}

function mixedWith<T extends { readonly own: number; readonly firstStage?: number }>(
  documents: readonly T[],
  weight: number,
): (T & { score: number })[] {
  const ours = zScores(documents.map(({ own }) => own));
  const first = zScores(documents.map(({ firstStage }) => firstStage!));
  return documents.map((document, i) => ({ ...document, score: weight * first[i]! + (1 - weight) * ours[i]! }));
}
