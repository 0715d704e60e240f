/** `POST /v1/score`. */
import { DkvError } from '../../base/errors.js';
import { scoreTexts, type TextToScore } from '../../scoring/inputs.js';
import { type StoredToScore, score } from '../../serving/score.js';
import { type ScoreRequestItem, scoreRequestSchema, scoreResponseSchema } from '../../wire/http/score.js';
import { expectCount, expectModelName, type Parts } from '../parts.js';
import { type Route, route } from '../route.js';

export function scoreRoute({ shelf, settings }: Parts): Route {
  const { documents: most, maxTokens } = settings.limits;
  return route({
    method: 'POST',
    url: '/v1/score',
    scope: 'read',
    tag: 'inference',
    summary: 'NLLs of targets given primed documents or texts.',
    body: scoreRequestSchema,
    answer: scoreResponseSchema,
    pairs: ({ items }) => items.length,
    handle: ({ body, exchange }) =>
      shelf.use(body.generation, async (edition) => {
        const { model } = edition;
        expectModelName(model.name, body.model);
        const { items, deadlineMs = settings.deadline.ms } = body;
        expectCount(items.length, most);
        const { caller, signal, measure } = exchange;
        const options = () => {
          const left = exchange.msLeft(deadlineMs);
          return { signal, onPhases: measure, ...(left !== undefined && { deadlineMs: left }) };
        };
        const named = items.map(sourceOf);
        const stored = named.flatMap((own) => ('id' in own ? [own] : []));
        const texts = named.flatMap((own) => ('document' in own ? [own] : []));
        const [fromStore, fromTexts] = await Promise.all([
          stored.length > 0 ? score(model, await edition.storeOf(caller.tenantSalt), stored, options()) : [],
          texts.length > 0 ? scoreTexts(model, texts, { ...options(), maxTokens }) : [],
        ]);
        const answers = { stored: fromStore.values(), texts: fromTexts.values() };
        const hits = fromStore.filter((own) => !(own instanceof DkvError)).length;
        exchange.cached(hits, items.length - hits);
        return {
          model: model.name,
          items: items.map(({ id }, at) => {
            const own = ('id' in named[at]! ? answers.stored : answers.texts).next().value!;
            const name = id === undefined ? {} : { id };
            if (own instanceof DkvError) return { ...name, error: { code: own.code, message: own.message } };
            const { nll, nllSum, tokenNlls } = own;
            const key = 'key' in own ? own.key : null;
            const numTokens = tokenNlls.length;
            return { ...name, nll, nllSum, numTokens, tokenNlls, cache: { hit: key !== null, key } };
          }),
        };
      }),
  });
}

/** @throws DkvError INPUT_INVALID for an item with both or none of `document` and `document_id` */
function sourceOf(item: ScoreRequestItem, at: number): StoredToScore | TextToScore {
  const { document, documentId, variant, prefix, visibility, query, target } = item;
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `The body: items.${at}: ${message}`);
  const asked = { target, ...(query !== undefined && { query }) };
  if (documentId !== undefined && document === undefined) {
    if (prefix !== undefined || visibility !== undefined) {
      throw refuse('prefix and visibility are of a text; what a stored document was primed with is its variant.');
    }
    return { id: documentId, ...asked, ...(variant !== undefined && { variant }) };
  }
  if (document !== undefined && documentId === undefined) {
    if (variant !== undefined) throw refuse('variant is of a stored document; give a text its prefix.');
    return { document, ...asked, ...(prefix !== undefined && { prefix }), ...(visibility && { visibility }) };
  }
  throw refuse('expected exactly one of document and document_id.');
}
