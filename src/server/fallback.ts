/** The order that is answered where the model's cannot be had in time: the first stage's, that of the documents' stored priors, or BM25's. */
import { DkvError, type ErrorCode } from '../base/errors.js';
import { Bm25, bm25Of } from '../serving/bm25.js';
import type { FALLBACKS } from '../wire/http/rerank.js';
import type { Edition } from './edition.js';

export type Fallback = Exclude<(typeof FALLBACKS)[number], 'none'>;

/** A candidate as far as a fallback looks at it. */
export interface FallbackCandidate {
  readonly id?: string | undefined;
  readonly text?: string | undefined;
  readonly firstStage?: number | undefined;
}

/** The failures for which the model's order is not there, though the request is in order. */
const CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DEADLINE_PASSED',
  'ENGINE_FAILED',
  'DEVICE_LOST',
  'STORE_UNREACHABLE',
]);

export function isForFallback(error: unknown): error is DkvError {
  return error instanceof DkvError && CODES.has(error.code);
}

/**
 * The fallback of a request, before anything is done for it.
 * @param asked what the request says; by default the first stage, where every candidate has its score
 * @param hasIndex tells whether stored texts are indexed
 * @returns undefined for none
 * @throws DkvError INPUT_INVALID for one that these candidates do not have
 */
export function fallbackOf(
  asked: Fallback | 'none' | undefined,
  candidates: readonly FallbackCandidate[],
  hasIndex: boolean,
): Fallback | undefined {
  if (asked === 'none') return undefined;
  const unscored = candidates.findIndex(({ firstStage }) => firstStage === undefined);
  if (asked === undefined) return unscored < 0 ? 'first_stage' : undefined;
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `The fallback ${asked} ${message}`);
  const textAt = candidates.findIndex(({ text }) => text !== undefined);
  if (asked === 'first_stage' && unscored >= 0) {
    throw refuse(`needs a first_stage_score of every document, and documents.${unscored} has none.`);
  }
  if (asked === 'prior' && textAt >= 0) {
    throw refuse(`is by the priors of stored documents, and documents.${textAt} is a text.`);
  }
  if (asked === 'bm25' && candidates.some(({ text }) => text === undefined)) {
    if (textAt >= 0) {
      throw refuse('takes its weights from all texts that it ranks: give texts alone, or stored documents alone.');
    }
    if (!hasIndex) {
      throw refuse('needs an index of the stored texts, and this server makes none: its setting is deadline.bm25.');
    }
  }
  return asked;
}

export interface FallbackSources {
  readonly query: string;
  /** The mean NLL that a candidate's document gives the reference queries; undefined where it is not known. */
  priorOf(candidate: FallbackCandidate): number | undefined;
  /** The index of the stored texts; undefined while there is none. */
  readonly index: Bm25 | undefined;
}

/** Scores candidates by a fallback, higher is better. @returns undefined for a candidate that it does not know */
export function fallbackScores(
  fallback: Fallback,
  candidates: readonly FallbackCandidate[],
  { query, priorOf, index }: FallbackSources,
): (number | undefined)[] {
  if (fallback === 'first_stage') return candidates.map(({ firstStage }) => firstStage);
  if (fallback === 'prior') {
    // A document that makes queries likely in general is the better bet while nothing is known of this one.
    return candidates.map((candidate) => {
      const prior = priorOf(candidate);
      return prior === undefined ? undefined : 0 - prior;
    });
  }
  if (candidates.every(({ text }) => text !== undefined)) {
    const own = new Bm25();
    for (const [at, { text }] of candidates.entries()) own.add(String(at), text!);
    return own.score(
      query,
      candidates.map((_, at) => String(at)),
    );
  }
  return (
    index?.score(
      query,
      candidates.map(({ id }) => id!),
    ) ?? candidates.map(() => undefined)
  );
}

/** Scores between the lowest, 0, and the highest, 1; all 0 where they are equal, since they say nothing then. */
export function scaled(scores: readonly number[]): number[] {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  // Halves, so that the largest numbers have a difference, too.
  return scores.map((score) => (high === low ? 0 : (score / 2 - low / 2) / (high / 2 - low / 2)));
}

/**
 * Indexes of stored texts, one for each tenant of an edition. What is primed after an index is made is not in it; what is deleted is found missing before the
 * order is made.
 */
export class TextIndexes {
  readonly #ofEditions = new WeakMap<Edition, Map<string, Bm25 | undefined>>();

  /** Makes a tenant's index. @throws DkvError INPUT_INVALID for a document that was stored without its text, and what the store throws */
  async make(edition: Edition, tenantSalt: string): Promise<void> {
    const own = this.#ofEditions.get(edition) ?? new Map<string, Bm25 | undefined>();
    this.#ofEditions.set(edition, own);
    own.set(tenantSalt, undefined);
    own.set(tenantSalt, await bm25Of(await edition.storeOf(tenantSalt)));
  }

  /** A tenant's index; undefined while it is being made, which the first call begins. */
  of(edition: Edition, tenantSalt: string): Bm25 | undefined {
    const own = this.#ofEditions.get(edition);
    // Without an index the fallback is not possible, which is what the request is told.
    if (!own?.has(tenantSalt)) void this.make(edition, tenantSalt).catch(() => undefined);
    return own?.get(tenantSalt);
  }
}
