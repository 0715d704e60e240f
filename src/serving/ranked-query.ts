/** The ranking of one query, from what its candidates were scored with. */
import { DkvError } from '../base/errors.js';
import { zScores } from '../stats/describe.js';
import { rank as ordered } from '../stats/ranking.js';
import type { Metadata } from '../store/store.js';
import { type Calibration, relevanceOf } from './calibration.js';
import { parseDocumentMetadata } from './document-metadata.js';
import type { OwnScore } from './objectives.js';
import type { StoredSource } from './score.js';

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
  /** With `dropLate`, the ids of candidates that were dropped when the deadline passed. They were never scored and are not among the documents. */
  readonly late: readonly string[];
}

export interface RejectedCandidate {
  readonly id: string;
  readonly reason: string;
}

interface Ranking {
  readonly variant: string;
  /** The digest of the reference queries whose prior is added; null without priors. */
  readonly references: string | null;
  readonly interpolate: number | undefined;
  readonly onMissing: OnMissing;
  readonly calibration: Calibration | undefined;
}

/** Puts a query's candidates in order by their scores. @throws DkvError for a candidate whose error is everybody's */
export function rankedQuery(
  { id, candidates }: QueryToRank,
  scores: readonly ((OwnScore & StoredSource) | DkvError)[],
  { variant, references, interpolate, onMissing, calibration }: Ranking,
): RankedQuery {
  const found: (RankedDocument & { readonly own: number })[] = [];
  const missing: CandidateToRank[] = [];
  const rejected: RejectedCandidate[] = [];
  const late: string[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const scored = scores[i]!;
    if (scored instanceof DkvError && scored.code === 'DEADLINE_PASSED') {
      late.push(candidate.id);
      continue;
    }
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
  const documentsInOrder = order.map((own) => documents.get(own)!);
  return { id, documents: documentsInOrder, missing: missing.map((own) => own.id), rejected, late };
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
export function priorOf(id: string, metadata: Metadata, variant: string, references: string): number {
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
