/** From the scores of a request's candidates to their order: the model's, or where that cannot be had the fallback's. */
import { DkvError } from '../base/errors.js';
import { relevanceOf } from '../serving/calibration.js';
import { rawProbability } from '../serving/objectives.js';
import { priorOf } from '../serving/ranked-query.js';
import { expectReferenceDigest } from '../serving/reference-queries.js';
import { zScores } from '../stats/describe.js';
import { keyOfVariant } from '../store/records/entry.js';
import { type Metadata, missingDocument, type Store } from '../store/store.js';
import { fallbackScores, isForFallback, scaled } from './fallback.js';
import type {
  LeftOut,
  Order,
  Plan,
  RankedCandidate,
  RerankAsked,
  RerankContext,
  Reranked,
  Scored,
} from './rerank-asked.js';

export type Made = Pick<Reranked, 'ranked' | 'leftOut' | 'calibrated' | 'orderedBy'>;

export function byModel(
  { candidates, interpolate }: RerankAsked,
  { variant, scored, metadata }: Plan,
  scores: readonly Scored[],
  { references, calibration }: Order,
): Made {
  const leftOut: LeftOut[] = [];
  const raw = rawProbability(scored);
  const ranked: (RankedCandidate & { readonly firstStage: number | undefined })[] = [];
  for (const [index, { id, firstStage }] of candidates.entries()) {
    const own = scores[index]!;
    const prior =
      own instanceof DkvError
        ? own
        : references === null
          ? 0
          : priorOrError(id!, metadata.get(id!)!, variant, references);
    if (own instanceof DkvError || prior instanceof DkvError) {
      leftOut.push({ index, error: prior as DkvError });
      continue;
    }
    const score = own.score + prior;
    const relevanceScore = calibration ? relevanceOf(calibration, score) : raw(own.score);
    ranked.push({ index, score, relevanceScore, nll: own.nll, firstStage });
  }
  const calibrated = calibration !== undefined;
  if (interpolate === undefined) {
    const orderedBy = references === null ? 'model' : 'model_and_prior';
    return { ranked: inOrder(ranked), leftOut, calibrated, orderedBy };
  }
  const ours = zScores(ranked.map(({ score }) => score));
  const first = zScores(ranked.map(({ firstStage }) => firstStage!));
  const mixed = ranked.map((own, at) => ({ ...own, score: interpolate * first[at]! + (1 - interpolate) * ours[at]! }));
  return { ranked: inOrder(mixed), leftOut, calibrated, orderedBy: 'model_and_first_stage' };
}

export async function byFallback(
  { candidates, query, filter }: RerankAsked,
  { variant, fallback, metadata, refused, admit }: Plan,
  { store, index }: RerankContext,
  scores: readonly Scored[],
  reason: DkvError,
): Promise<Made> {
  if (fallback === undefined) throw reason;
  const isLate = (at: number) => isForFallback(scores[at]);
  // What nobody has looked at yet may be deleted, or not meet the filter.
  const unseen = new Set(
    candidates.flatMap(({ id }, at) => (id !== undefined && isLate(at) && !metadata.has(id) ? [id] : [])),
  );
  const missing = await missingAmong(store, [...unseen], variant, admit).catch((error: unknown) => {
    // A storage that is away says nothing of any document: they stay, unless a filter has to be kept.
    if (isForFallback(error) && !filter && fallback !== 'prior') return new Map<string, DkvError>();
    throw error;
  });
  const references = fallback === 'prior' ? await expectReferenceDigest(store) : null;
  const estimates = fallbackScores(fallback, candidates, {
    query,
    index: index ?? undefined,
    priorOf({ id }) {
      const own = metadata.get(id!);
      const prior = own && priorOrError(id!, own, variant, references!);
      return prior instanceof DkvError ? undefined : prior;
    },
  });
  const leftOut: LeftOut[] = [];
  const kept: { readonly index: number; readonly score: number; readonly nll: number | null }[] = [];
  for (const [index, { id }] of candidates.entries()) {
    const own = scores[index]!;
    const score = estimates[index];
    const error = own instanceof DkvError && !isLate(index) ? own : (refused.get(id!) ?? missing.get(id!));
    if (error) leftOut.push({ index, error });
    else if (score === undefined) leftOut.push({ index, error: reason });
    else kept.push({ index, score, nll: own instanceof DkvError ? null : own.nll });
  }
  if (kept.length === 0 && leftOut.some(({ error }) => error === reason)) throw reason;
  const shares = scaled(kept.map(({ score }) => score));
  const ranked = kept.map((own, at) => ({ ...own, relevanceScore: shares[at]! }));
  return { ranked: inOrder(ranked), leftOut, calibrated: false, orderedBy: fallback };
}

/** The documents that are not there, or are not admitted, by their ids. */
async function missingAmong(
  store: Store,
  ids: readonly string[],
  variant: string,
  admit: Plan['admit'],
): Promise<Map<string, DkvError>> {
  const refused = new Map<string, DkvError>();
  if (ids.length === 0) return refused;
  for (const [at, entry] of (await store.entries(ids)).entries()) {
    const id = ids[at]!;
    const isThere = entry !== undefined && !(entry instanceof DkvError) && keyOfVariant(entry, variant) !== undefined;
    const error = isThere
      ? admit(id, entry.metadata)
      : entry instanceof DkvError
        ? entry
        : missingDocument(store.location, id, variant);
    if (error) refused.set(id, error);
  }
  return refused;
}

function priorOrError(id: string, metadata: Metadata, variant: string, references: string): number | DkvError {
  try {
    return priorOf(id, metadata, variant, references);
  } catch (error) {
    if (error instanceof DkvError) return error;
    throw error;
  }
}

function inOrder<T extends RankedCandidate>(ranked: readonly T[]): RankedCandidate[] {
  return ranked
    .toSorted((a, b) => b.score - a.score || a.index - b.index)
    .map(({ index, score, relevanceScore, nll }) => ({ index, score, relevanceScore, nll }));
}
