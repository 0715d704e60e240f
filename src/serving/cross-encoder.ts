/**
 * The model as a full cross-encoder: the encoder reads query and document together, one pass for every pair. What that gives is the upper bound that
 * caches are held against, which are made before any query is known.
 *
 * For one-token relevance the encoder reads the reranker's template, as the reranker was trained to. For likelihoods it reads the query in front of
 * the document, where a cache has a surrogate, and the decoder sees what it sees of the caches: the oracle of the research.
 */

import { Breather } from '../base/breather.js';
import { counted } from '../base/counted.js';
import { DkvError, isResult } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import type { RequestOptions } from '../engine/engine.js';
import { type Presented, present } from '../priming/condition.js';
import { decodeEach, type InputToScore, tokensRead } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import type { Scores } from '../stats/ranking.js';
import type { Store } from '../store/store.js';
import { questionOf, type ScoredBy } from './objectives.js';
import type { Provenance } from './provenance.js';
import type { QueryToRank, RejectedCandidate } from './ranked-query.js';
import { filled } from './relevance.js';
import { BARE } from './variants.js';

/** The number of documents read together. Their states come with them, and are let go. */
const READ_TOGETHER = 16;
/** The number of pairs whose states are held. */
const PAIRS_TOGETHER = 32;

/**
 * The stored texts of documents, each read once. Damaged ones are left out where missing ones are no error.
 * @throws DkvError INPUT_INVALID for a document that was stored without its text; DOCUMENT_MISSING, CANCELLED
 */
export async function textsOf(
  store: Store,
  ids: Iterable<string>,
  { signal, onMissing = 'error' }: Pick<RequestOptions, 'signal'> & { readonly onMissing?: 'error' | 'skip' } = {},
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const some of grouped([...ids], READ_TOGETHER)) {
    if (signal?.aborted) throw new DkvError('CANCELLED', `Stopped after reading ${counted(texts.size, 'text')}.`);
    for (const [at, found] of (await store.getDocuments(some, BARE)).entries()) {
      if (found instanceof DkvError) {
        if (onMissing === 'error' || found.code !== 'STORE_DAMAGED') throw found;
        continue;
      }
      const { text } = found.record;
      if (text === undefined) {
        throw new DkvError(
          'INPUT_INVALID',
          `Document ${JSON.stringify(some[at])} in ${store.location} was stored without its text, and a cross-encoder reads it with every query. Prime with texts, or leave the upper bound out.`,
        );
      }
      texts.set(some[at]!, text);
    }
  }
  return texts;
}

/** What the store's documents were read with, so that all systems are cut alike. */
type Limits = Pick<Provenance, 'visibility' | 'maxTokens'>;

/**
 * Scores pairs of query and document. Progress counts pairs.
 * @param texts of all candidates; those without one have no score
 * @returns for each query the scores of its candidates, and those that have none
 * @throws DkvError INPUT_TOO_LONG for a query that leaves no room for a document; CANCELLED, and what the engine throws
 */
export async function crossEncoderScores(
  model: Model,
  queries: readonly QueryToRank[],
  texts: ReadonlyMap<string, string>,
  scored: ScoredBy,
  limits: Limits,
  { signal, onProgress }: Pick<RequestOptions, 'signal' | 'onProgress'> = {},
): Promise<{ readonly scores: Scores[]; readonly rejected: (RejectedCandidate & { readonly query: string })[] }> {
  const { engine } = model;
  const { ask, answer } = questionOf(scored);
  const options = signal ? { signal } : {};
  const pairs = queries
    .flatMap((query, at) => query.candidates.map(({ id }) => ({ query, at, id })))
    .filter(({ id }) => texts.has(id));
  const scores = queries.map(() => new Map<string, number>());
  const rejected: (RejectedCandidate & { query: string })[] = [];
  const turns = new Breather(signal);
  let done = 0;
  for (const some of grouped(pairs, PAIRS_TOGETHER)) {
    const inputs = await turns.map(some, ({ query, id }) => inputOf(model, query, texts.get(id)!, scored, limits));
    const found = await decodeEach(engine, inputs, (items, own) => ask(engine, items, own), options);
    for (const [i, { query, at, id }] of some.entries()) {
      const own = found[i]!;
      if (isResult(own)) scores[at]!.set(id, answer(own).score);
      else if (own.code === 'NUMBERS_NOT_FINITE' || own.code === 'INPUT_TOO_LONG')
        rejected.push({ query: query.id, id, reason: own.message });
      else throw own;
    }
    done += some.length;
    onProgress?.(done, pairs.length);
  }
  return { scores, rejected };
}

function inputOf(
  model: Model,
  query: QueryToRank,
  document: string,
  scored: ScoredBy,
  { visibility, maxTokens }: Limits,
): InputToScore {
  const { tokenizer } = model;
  const limit = tokensRead(model, maxTokens);
  if (!scored.relevance) {
    const part = present(tokenizer, { visibility }, document, query.text, { maxTokens: limit });
    return { parts: [part], ...questionOf(scored).say(tokenizer, query, 0) };
  }
  const { said, tokens } = scored.relevance;
  const part = fitted(model, said.template, { query: query.text, document }, limit);
  return { parts: [part], prompt: new Int32Array(0), target: tokens };
}

/** Fills the template with its texts, tokenised as one: of the document as much from its beginning as there is room for. */
function fitted(
  { tokenizer }: Pick<Model, 'tokenizer'>,
  template: string,
  { query, document }: { readonly query: string; readonly document: string },
  maxTokens: number,
): Presented {
  const readable = tokenizer.head(document, maxTokens + 1);
  const upTo = (end: number) => {
    const isWithin = end < readable.length && /[\udc00-\udfff]/.test(readable.charAt(end));
    const text = filled(template, { query, document: readable.slice(0, isWithin ? end - 1 : end) });
    return present(tokenizer, { visibility: 'full' }, text, undefined, { maxTokens });
  };
  const fits = ({ input }: Presented) => input.cutTokens === 0;
  const whole = upTo(readable.length);
  if (fits(whole)) return whole;
  let best = upTo(0);
  if (!fits(best)) {
    throw new DkvError(
      'INPUT_TOO_LONG',
      `The query ${JSON.stringify(query.slice(0, 40))}... in its template takes more than the ${maxTokens} tokens allowed and leaves none for a document. Shorten one of the two.`,
    );
  }
  for (let [low, high] = [0, readable.length]; high - low > 1; ) {
    const middle = Math.floor((low + high) / 2);
    const tried = upTo(middle);
    if (fits(tried)) [low, best] = [middle, tried];
    else high = middle;
  }
  return best;
}
