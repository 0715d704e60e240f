/** `POST /v1/rerank`, `/v2/rerank` and `/rerank`: three addresses of one service, in the dialects of Cohere and Jina, and of text-embeddings-inference. */
import { DkvError } from '../../base/errors.js';
import { grouped } from '../../base/groups.js';
import { PRIMING_DEFAULTS } from '../../serving/prime.js';
import type { StatesOptions } from '../../serving/provenance.js';
import type { Store } from '../../store/store.js';
import {
  anyRerankRequestSchema,
  anyRerankResponseSchema,
  type RerankRequest,
  type RerankResponse,
  type RerankTextsRequest,
  type RerankTextsResponse,
} from '../../wire/http/rerank.js';
import type { RankAgain, Source } from '../deciding.js';
import type { Edition } from '../edition.js';
import type { Exchange } from '../exchange.js';
import { filterOf } from '../filters.js';
import { expectCount, expectModelName, type Parts } from '../parts.js';
import { rerank } from '../rerank.js';
import type { RerankAsked, RerankContext, Reranked } from '../rerank-asked.js';
import { type Route, route } from '../route.js';
import type { ServerSettings } from '../settings.js';

export function rerankRoutes(parts: Parts): readonly Route[] {
  const { shelf, settings } = parts;
  return ['/v1/rerank', '/v2/rerank', '/rerank'].map((url) =>
    route({
      method: 'POST',
      url,
      scope: 'read',
      tag: 'inference',
      summary: 'Ranks primed documents or texts by a query.',
      description:
        'A body with `documents` is Cohere’s and Jina’s, one with `texts` that of text-embeddings-inference, which gets its list.',
      body: anyRerankRequestSchema,
      answer: anyRerankResponseSchema,
      pairs: (body) => ('texts' in body ? body.texts : body.documents).length,
      handle: ({ body, exchange }) =>
        shelf.use('texts' in body ? undefined : body.generation, async (edition) => {
          const { model } = edition;
          exchange.header('x-decision-id', exchange.id);
          if ('texts' in body) {
            expectCount(body.texts.length, settings.limits.documents, 'texts');
            const context = await contextOf(parts, edition, exchange, settings.deadline.ms);
            const { reranked, decided } = await answered(parts, edition, context, exchange, askedOfTexts(body));
            const answer = textsAnswer(body, reranked);
            decided(reranked.ranked.length);
            return answer;
          }
          expectModelName(model.name, body.model);
          expectCount(body.documents.length, settings.limits.documents, 'documents');
          const context = await contextOf(parts, edition, exchange, body.deadlineMs ?? settings.deadline.ms);
          const { reranked, decided } = await answered(parts, edition, context, exchange, askedOf(body), body);
          const { id } = exchange;
          const results = await resultsOf(body, reranked, context.store);
          const version = url.startsWith('/v2') ? '2' : '1';
          decided(results.length);
          return { id, decisionId: id, model: model.name, ...answerOf(body, reranked, results, version) };
        }),
    }),
  );
}

/** The request on its way through an experiment: what an arm changes in it is changed before it is ranked, and what became of it is logged behind. */
async function answered(
  parts: Parts,
  edition: Edition,
  context: RerankContext,
  exchange: Exchange,
  given: RerankAsked,
  { unit, generation }: Pick<RerankRequest, 'unit' | 'generation'> = {},
): Promise<{ readonly reranked: Reranked; decided(answered: number): void }> {
  const { deciding, shelf } = parts;
  const asking = { id: exchange.id, caller: exchange.caller, unit };
  const assigned = deciding.assign(given, asking);
  const own = await rerank(assigned.asked, context);
  const leftOut = own.leftOut.map(({ index, error }) => ({ index, error: exchange.inOwnWords(error) as DkvError }));
  const reranked = { ...own, leftOut };
  exchange.cached(reranked.hits, given.candidates.length - reranked.hits);
  const again: RankAgain = (asked, signal) =>
    shelf.use(generation, async (present) => {
      const unhurried = { signal, msLeft: () => undefined, onPhases: () => undefined };
      const other = { ...(await contextOf(parts, present, exchange, undefined)), ...unhurried };
      return { ...sourceOf(present, other), reranked: await rerank(asked, other) };
    });
  return {
    reranked,
    decided: (count) =>
      deciding.decided(asking, assigned, sourceOf(edition, context), { reranked, answered: count, again }),
  };
}

function sourceOf({ model, generation }: Edition, { store }: RerankContext): Source {
  return { model, store, generation: generation?.id ?? null };
}

async function contextOf(
  { settings, indexes }: Parts,
  edition: Edition,
  exchange: Exchange,
  deadlineMs: number | undefined,
): Promise<RerankContext> {
  const { signal, measure, caller } = exchange;
  return {
    model: edition.model,
    store: await edition.storeOf(caller.tenantSalt),
    how: statesOptionsOf(settings),
    index: indexes === null ? null : indexes.of(edition, caller.tenantSalt),
    signal,
    msLeft: () => exchange.msLeft(deadlineMs),
    onPhases: measure,
  };
}

function statesOptionsOf({ priming, limits }: ServerSettings): StatesOptions {
  return {
    visibility: priming.visibility ?? PRIMING_DEFAULTS.visibility,
    statesPrecision: priming.statesPrecision ?? PRIMING_DEFAULTS.statesPrecision,
    maxTokens: limits.maxTokens,
  };
}

function askedOf({ documents, filter, maxTokensPerDoc, priority = 0, ...body }: RerankRequest): RerankAsked {
  const { query, variant, objective, answer, relevance, prior, interpolate, fallback } = body;
  return {
    candidates: documents.map((own) =>
      typeof own === 'string'
        ? { text: own }
        : 'id' in own
          ? { id: own.id, firstStage: own.firstStageScore }
          : { text: own.text, firstStage: own.firstStageScore },
    ),
    ...{ query, variant, objective, answer, relevance, prior, interpolate, fallback },
    maxTokensPerText: maxTokensPerDoc,
    ...(filter && { filter: filterOf(filter) }),
    priority: priority > 0 ? 'bulk' : 'interactive',
  };
}

function askedOfTexts({ query, texts, truncate, truncationDirection }: RerankTextsRequest): RerankAsked {
  const isRefused = truncate === false || truncationDirection?.toLowerCase() === 'left';
  return { query, candidates: texts.map((text) => ({ text })), cut: isRefused ? 'refuse' : 'end' };
}

/** A list has no place for what is left out: the first such text is the request's error. */
function textsAnswer({ texts, rawScores, returnText }: RerankTextsRequest, reranked: Reranked): RerankTextsResponse {
  const [first] = reranked.leftOut;
  if (first) throw new DkvError(first.error.code, `texts.${first.index}: ${first.error.message}`);
  return reranked.ranked.map(({ index, score, relevanceScore }) => ({
    index,
    score: rawScores ? score : relevanceScore,
    ...(returnText && { text: texts[index]! }),
  }));
}

async function resultsOf(
  { documents, topN, returnDocuments }: RerankRequest,
  { ranked, variant }: Reranked,
  store: Store,
): Promise<RerankResponse['results']> {
  const shown = topN === undefined ? ranked : ranked.slice(0, topN);
  if (!returnDocuments) return shown;
  const ids = shown.flatMap(({ index }) => {
    const own = documents[index]!;
    return typeof own !== 'string' && 'id' in own ? [own.id] : [];
  });
  const texts = await storedTexts(store, new Set(ids), variant);
  return shown.map((result) => {
    const own = documents[result.index]!;
    if (typeof own === 'string') return { ...result, document: { text: own } };
    if ('text' in own) return { ...result, document: { text: own.text } };
    const text = texts.get(own.id);
    return { ...result, document: { id: own.id, ...(text !== undefined && { text }) } };
  });
}

/** Records that are held at a time: a text is read with its states. */
const READ_TOGETHER = 16;

/** The texts that the store keeps. What cannot be read any more has none. */
async function storedTexts(store: Store, ids: Iterable<string>, variant: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const some of grouped(ids, READ_TOGETHER)) {
    for (const [at, found] of (await store.getDocuments(some, variant)).entries()) {
      if (!(found instanceof DkvError) && found.record.text !== undefined) texts.set(some[at]!, found.record.text);
    }
  }
  return texts;
}

function answerOf(
  { documents }: RerankRequest,
  { calibrated, orderedBy, reason, leftOut, tokens }: Reranked,
  results: RerankResponse['results'],
  version: string,
): Omit<RerankResponse, 'id' | 'decisionId' | 'model'> {
  return {
    results,
    calibrated,
    orderedBy,
    ...(reason && { degraded: true, reason: reason.code }),
    leftOut: leftOut.map(({ index, error: { code, message } }) => {
      const own = documents[index]!;
      return { index, ...(typeof own !== 'string' && 'id' in own && { id: own.id }), code, message };
    }),
    usage: { totalTokens: tokens },
    meta: { apiVersion: { version }, billedUnits: { searchUnits: 1 } },
  };
}
