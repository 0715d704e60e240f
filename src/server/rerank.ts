/**
 * Ranks the candidates of one request, which are stored documents, texts, or both: what each of them is scored with, what is left out and why, and what is
 * answered where the model's order cannot be had. It knows nothing of HTTP and of no dialect.
 */
import { DkvError } from '../base/errors.js';
import { deadlineOf } from '../engine/deadline.js';
import { readCalibration } from '../serving/calibration.js';
import { questionOf, scoredBy } from '../serving/objectives.js';
import { expectPrimedBy, type Provenance, readProvenance } from '../serving/provenance.js';
import { expectReferenceDigest } from '../serving/reference-queries.js';
import { askStored, type Question } from '../serving/score.js';
import { BARE } from '../serving/variants.js';
import type { Metadata, Store } from '../store/store.js';
import { fallbackOf, isForFallback } from './fallback.js';
import type { Answers, Order, Plan, RerankAsked, RerankContext, Reranked } from './rerank-asked.js';
import { byFallback, byModel } from './rerank-orders.js';
import { askTexts, variantOfTexts } from './rerank-texts.js';

/**
 * @throws DkvError INPUT_INVALID for a request that makes no sense, STORE_MISMATCH for a store of another model, CANCELLED, and, where there is no fallback,
 * DEADLINE_PASSED, ENGINE_FAILED, DEVICE_LOST and STORE_UNREACHABLE
 */
export async function rerank(asked: RerankAsked, context: RerankContext): Promise<Reranked> {
  const plan = planOf(asked, context);
  const { candidates } = asked;
  let found: Answers;
  try {
    found = await answersOf(asked, plan, context);
  } catch (error) {
    if (!isForFallback(error)) throw error;
    found = { scores: candidates.map(() => error), tokens: 0, references: null, calibration: undefined };
  }
  const { scores, tokens } = found;
  const hits = scores.filter((own, at) => !(own instanceof DkvError) && candidates[at]!.id !== undefined).length;
  const reason = scores.find(isForFallback);
  const made = reason ? await byFallback(asked, plan, context, scores, reason) : byModel(asked, plan, scores, found);
  const { variant, scored } = plan;
  return { ...made, reason, variant, objective: scored.objective, hits, tokens };
}

function planOf(asked: RerankAsked, { model, index }: RerankContext): Plan {
  const { query, candidates, objective = 'query-likelihood', variant = BARE, filter } = asked;
  const refuse = (message: string) => new DkvError('INPUT_INVALID', message);
  if (query.trim() === '') throw refuse('The query is empty.');
  if (objective === 'answer-likelihood' && !asked.answer?.trim()) {
    throw refuse('The objective answer-likelihood scores an answer, and there is none. Give it as "answer".');
  }
  if (objective !== 'answer-likelihood' && asked.answer !== undefined) {
    throw refuse(`An answer is for the objective answer-likelihood, and the objective is ${objective}.`);
  }
  if (asked.prior && objective !== 'query-likelihood') {
    throw refuse(
      `A prior is the likelihood of queries: it cannot be taken off ${objective}. Leave one of the two out.`,
    );
  }
  const textAt = candidates.findIndex(({ text }) => text !== undefined);
  if (asked.prior && textAt >= 0) {
    throw refuse(`A prior is stored with a document, and documents.${textAt} is a text. Leave out "prior", or texts.`);
  }
  if (filter && textAt >= 0) {
    throw refuse(`A filter is on fields of stored documents, and documents.${textAt} is a text.`);
  }
  const unscored = candidates.findIndex(({ firstStage }) => firstStage === undefined);
  if (asked.interpolate !== undefined && unscored >= 0) {
    throw refuse(`Interpolation needs a first_stage_score of every document, and documents.${unscored} has none.`);
  }
  if (textAt >= 0) variantOfTexts(variant);
  const metadata = new Map<string, Metadata>();
  const refused = new Map<string, DkvError>();
  return {
    variant,
    scored: scoredBy(model, objective, asked.relevance),
    fallback: fallbackOf(asked.fallback, candidates, index !== null),
    metadata,
    refused,
    admit(id, own) {
      metadata.set(id, own);
      const unmet = filter?.(own.fields);
      if (unmet === undefined) return undefined;
      const error = new DkvError(
        'FILTERED',
        `Document ${JSON.stringify(id)} does not meet the filter on ${JSON.stringify(unmet)}.`,
      );
      refused.set(id, error);
      return error;
    },
  };
}

/** Scores all candidates: stored documents and texts side by side, with one deadline. */
async function answersOf(asked: RerankAsked, plan: Plan, context: RerankContext): Promise<Answers> {
  const { variant, scored, admit } = plan;
  const { query: text, answer, candidates, priority, maxTokensPerText, cut = 'end' } = asked;
  const { model: given, store, signal, onPhases } = context;
  const deadline = deadlineOf(context.msLeft());
  const found = await readProvenance(store);
  const model = found ? expectPrimedBy(store.location, found, given) : given;
  const texts = candidates.flatMap((own) => (own.text === undefined ? [] : [own.text]));
  const ids = candidates.flatMap((own) => (own.id === undefined ? [] : [own.id]));
  const base = found ?? context.how;
  const how =
    texts.length === 0 ? base : { ...base, maxTokens: Math.min(base.maxTokens, maxTokensPerText ?? base.maxTokens) };
  const order = await orderOf(asked, plan, store, found && { ...found, maxTokens: how.maxTokens });
  let decodedTokens = 0;
  const question = counting(questionOf(scored), (rows) => {
    decodedTokens += rows;
  });
  const options = { deadline, signal, onPhases, priority, dropLate: true };
  const query = { text, answer };
  const [stored, encoded] = await Promise.all([
    ids.length === 0
      ? []
      : unlessLate(
          askStored(
            model,
            store,
            ids.map((id) => ({ id, variant, ...query })),
            question,
            { ...options, admit },
          ),
          (error) => ids.map(() => error),
        ),
    texts.length === 0
      ? { answers: [], encodedTokens: 0 }
      : unlessLate(askTexts(model, { texts, variant, asked: query, question, how, cut }, options), (error) => ({
          answers: texts.map(() => error),
          encodedTokens: 0,
        })),
  ]);
  const [fromStore, fromTexts] = [stored.values(), encoded.answers.values()];
  const scores = candidates.map((own) => (own.text === undefined ? fromStore : fromTexts).next().value!);
  return { ...order, scores, tokens: decodedTokens + encoded.encodedTokens };
}

/** @param provenance undefined where nothing was primed */
async function orderOf(
  { prior = false, interpolate }: RerankAsked,
  { variant, scored: { objective, relevance } }: Plan,
  store: Store,
  provenance: Provenance | undefined,
): Promise<Order> {
  const references = prior ? await expectReferenceDigest(store) : null;
  const calibration =
    provenance === undefined || interpolate !== undefined
      ? undefined
      : await readCalibration(store, provenance, { variant, objective, references, relevance });
  return { references, calibration };
}

/** What one part of the candidates is answered, so that the other part's answers stay. */
async function unlessLate<T>(answers: Promise<T>, otherwise: (error: DkvError) => T): Promise<T> {
  try {
    return await answers;
  } catch (error) {
    if (isForFallback(error)) return otherwise(error);
    throw error;
  }
}

/** The question, with the rows counted that the decoder reads for it. */
function counting<Item, Answer>(
  question: Question<Item, Answer>,
  count: (rows: number) => void,
): Question<Item, Answer> {
  return {
    ...question,
    ask(engine, items, options) {
      for (const item of items) count(question.rows(item));
      return question.ask(engine, items, options);
    },
  };
}
