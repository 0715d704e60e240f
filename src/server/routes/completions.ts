/** `POST /v1/completions`: a text that goes on with a prompt, given a document. */
import { randomInt } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { scoreTexts } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { type GeneratedText, generate, generateTexts, type ToWrite, type WrittenPart } from '../../serving/generate.js';
import { score } from '../../serving/score.js';
import { type TextPart, TextPieces } from '../../serving/written-text.js';
import {
  type CompletionLogprobs,
  type CompletionRequest,
  type CompletionResponse,
  completionRequestSchema,
  completionResponseSchema,
} from '../../wire/http/completions.js';
import type { Edition } from '../edition.js';
import type { Exchange } from '../exchange.js';
import { expectModelName, type Parts } from '../parts.js';
import { type Asked, type Route, route } from '../route.js';

/** OpenAI's number of tokens where a request says none. */
const DEFAULT_TOKENS = 16;

export function completionsRoute({ shelf, settings }: Parts): Route {
  return route({
    method: 'POST',
    url: '/v1/completions',
    scope: 'read',
    tag: 'inference',
    summary: 'A text that goes on with a prompt, given a primed document or a text.',
    description:
      'OpenAI’s legacy form with `document` or `document_id`. With `stream` the answer is server-sent events. The default temperature is 1, as OpenAI’s: say 0 for the likeliest tokens. With `echo` and `max_tokens` 0 it gives the log probabilities of the prompt given the document, its first token included.',
    body: completionRequestSchema,
    answer: completionResponseSchema,
    pairs: () => 1,
    handle: (asked) => {
      const { body, exchange } = asked;
      return shelf.use(body.generation, async (edition) => {
        expectModelName(edition.model.name, body.model);
        expectSupported(body);
        const wish = wishOf(body, settings.limits.generatedTokens);
        const work = new Completion(edition, exchange, body, wish, {
          maxTokens: settings.limits.maxTokens,
          deadlineMs: body.deadlineMs ?? settings.deadline.ms,
        });
        return body.stream ? streamed(work, asked, body) : work.answer();
      });
    },
  });
}

/** What is not there is refused by its name: to leave it out in silence would answer something else than was asked. */
function expectSupported(body: CompletionRequest): void {
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `The body: ${message}`);
  const { n, bestOf, logprobs, suffix, logitBias, presencePenalty, frequencyPenalty, echo, maxTokens } = body;
  for (const [name, value] of Object.entries({ n, best_of: bestOf })) {
    if ((value ?? 1) !== 1) throw refuse(`${name} is ${value}; one completion is written for a request. Send several.`);
  }
  if (![0, 1].includes(logprobs ?? 0)) {
    throw refuse(`logprobs is ${logprobs}; alternatives to a token are not computed, so 0 and 1 are what there is.`);
  }
  if (suffix) throw refuse('suffix is not supported: the decoder goes on with a prompt and sees nothing behind it.');
  if (logitBias && Object.keys(logitBias).length > 0) throw refuse('logit_bias is not supported. Leave it out.');
  for (const [name, value] of Object.entries({
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
  })) {
    if ((value ?? 0) !== 0) throw refuse(`${name} is ${value}; penalties are not supported. Leave it out.`);
  }
  if (maxTokens === 0 && !echo) throw refuse('max_tokens is 0, which leaves nothing to answer without echo.');
}

/** What is to be written, as the library takes it; `maxTokens` of 0 writes nothing. */
function wishOf(body: CompletionRequest, mostTokens: number): ToWrite & { readonly prompt: string } {
  const { prompt, maxTokens, temperature, topP, seed, stop } = body;
  const tokens = maxTokens ?? Math.min(DEFAULT_TOKENS, mostTokens);
  if (tokens > mostTokens) {
    throw new DkvError('INPUT_INVALID', `The body: max_tokens is ${tokens}; this server writes up to ${mostTokens}.`);
  }
  return {
    prompt: (typeof prompt === 'string' ? prompt : prompt?.[0]) ?? '',
    maxTokens: tokens,
    sampling: { temperature: temperature ?? 1, topP: topP ?? 1, seed: seed ?? randomInt(2 ** 31) },
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
  };
}

interface Bounds {
  /** The tokens that the encoder reads. */
  readonly maxTokens: number;
  readonly deadlineMs: number | undefined;
}

/** The place of a choice's tokens in its text, which a stream goes on with from part to part. */
class Offsets {
  #next = 0;

  logprobs(pieces: readonly string[], logProbabilities: Iterable<number>): CompletionLogprobs {
    const textOffset = pieces.map((piece) => {
      const own = this.#next;
      this.#next += [...piece].length;
      return own;
    });
    return { tokens: pieces, tokenLogprobs: [...logProbabilities], topLogprobs: null, textOffset };
  }
}

class Completion {
  readonly #edition: Edition;
  readonly #exchange: Exchange;
  readonly #body: CompletionRequest;
  readonly #wish: ToWrite & { readonly prompt: string };
  readonly #bounds: Bounds;
  readonly #offsets = new Offsets();
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(
    edition: Edition,
    exchange: Exchange,
    body: CompletionRequest,
    wish: ToWrite & { readonly prompt: string },
    bounds: Bounds,
  ) {
    this.#edition = edition;
    this.#exchange = exchange;
    this.#body = body;
    this.#wish = wish;
    this.#bounds = bounds;
    const [stored, text] = [body.documentId !== undefined, body.document !== undefined];
    const refuse = (message: string) => new DkvError('INPUT_INVALID', `The body: ${message}`);
    if (stored === text) throw refuse('expected exactly one of document and document_id.');
    if (stored && (body.prefix !== undefined || body.visibility !== undefined)) {
      throw refuse('prefix and visibility are of a text; what a stored document was primed with is its variant.');
    }
    if (text && body.variant !== undefined) throw refuse('variant is of a stored document; give a text its prefix.');
    exchange.cached(stored ? 1 : 0, stored ? 0 : 1);
  }

  get #wantsLogprobs(): boolean {
    return this.#body.logprobs !== undefined && this.#body.logprobs !== null;
  }

  async answer(): Promise<CompletionResponse> {
    const echoed = await this.echoed();
    const written = await this.written();
    const parts = [...(echoed ? [echoed] : []), ...(written ? [written] : [])];
    const logprobs = this.#wantsLogprobs
      ? this.#offsets.logprobs(
          parts.flatMap(({ pieces }) => pieces),
          parts.flatMap(({ logProbabilities }) => [...logProbabilities]),
        )
      : null;
    const text = parts.map((part) => part.text).join('');
    const choice = { index: 0, text, logprobs, finishReason: written?.finish ?? 'length' } as const;
    return { ...this.#head(), choices: [choice], usage: this.usage(written) };
  }

  /** One part of a stream. */
  part({ text, pieces, logProbabilities }: Pick<TextPart, 'text' | 'pieces' | 'logProbabilities'>): CompletionResponse {
    const logprobs = this.#wantsLogprobs ? this.#offsets.logprobs(pieces, logProbabilities) : null;
    return { ...this.#head(), choices: [{ index: 0, text, logprobs, finishReason: null }] };
  }

  /** The part of a stream that says why the text ended. */
  last(written: GeneratedText | undefined): CompletionResponse {
    const finishReason = written?.finish ?? 'length';
    return { ...this.#head(), choices: [{ index: 0, text: '', logprobs: null, finishReason }] };
  }

  withUsage(written: GeneratedText | undefined): CompletionResponse {
    return { ...this.#head(), choices: [], usage: this.usage(written) };
  }

  usage(written: GeneratedText | undefined) {
    const promptTokens = written?.promptTokens ?? this.#model.tokenizer.encode(this.#wish.prompt).length;
    const completionTokens = written?.tokenIds.length ?? 0;
    return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
  }

  /** The prompt, with its log probabilities where they are wanted; undefined where it is not to come back. */
  async echoed(): Promise<TextPart | undefined> {
    const { prompt } = this.#wish;
    if (!this.#body.echo) return undefined;
    const tokenIds = this.#model.tokenizer.encode(prompt);
    if (tokenIds.length === 0 || !this.#wantsLogprobs) {
      if (tokenIds.length === 0 && this.#wish.maxTokens === 0) {
        throw new DkvError('INPUT_INVALID', 'The body: prompt is empty: there is nothing to look at.');
      }
      return { text: prompt, tokenIds, pieces: [], logProbabilities: new Float32Array(0) };
    }
    const { document = '', prefix, visibility, documentId, variant } = this.#body;
    const target = { target: prompt };
    const [scored] =
      documentId !== undefined
        ? await score(this.#model, await this.#store(), [{ ...target, id: documentId, variant }], this.#options())
        : await scoreTexts(this.#model, [{ ...target, document, prefix, visibility }], {
            ...this.#options(),
            maxTokens: this.#bounds.maxTokens,
          });
    if (scored instanceof DkvError) throw scored;
    const decoded = new TextPieces(this.#model.tokenizer);
    const pieces = [...tokenIds].map((id) => decoded.next(id));
    return { text: prompt, tokenIds, pieces, logProbabilities: scored!.tokenNlls.map((nll) => -nll) };
  }

  /** What is written behind the prompt; undefined where nothing is asked for. */
  async written(onText?: (part: WrittenPart) => void): Promise<GeneratedText | undefined> {
    if (this.#wish.maxTokens === 0) return undefined;
    const { document = '', prefix, visibility, documentId, variant } = this.#body;
    const options = { ...this.#options(), onText };
    const [written] =
      documentId !== undefined
        ? await generate(this.#model, await this.#store(), [{ ...this.#wish, id: documentId, variant }], options)
        : await generateTexts(this.#model, [{ ...this.#wish, document, prefix, visibility }], {
            ...options,
            maxTokens: this.#bounds.maxTokens,
          });
    if (written instanceof DkvError) throw written;
    return written;
  }

  get #model(): Model {
    return this.#edition.model;
  }

  #store() {
    return this.#edition.storeOf(this.#exchange.caller.tenantSalt);
  }

  #options() {
    const deadlineMs = this.#exchange.msLeft(this.#bounds.deadlineMs);
    const { signal, measure } = this.#exchange;
    return { signal, onPhases: measure, ...(deadlineMs !== undefined && { deadlineMs }) };
  }

  #head() {
    const id = `cmpl-${this.#exchange.id}`;
    return { id, object: 'text_completion', created: this.#created, model: this.#model.name } as const;
  }
}

/**
 * Answers by server-sent events. Until the first of them a failure has its status; later it is an event of its own, after which nothing comes.
 * @returns nothing: it has answered
 */
async function streamed(
  work: Completion,
  { reply, exchange, request }: Asked<unknown, unknown>,
  { streamOptions }: CompletionRequest,
): Promise<undefined> {
  let stream: PassThrough | undefined;
  const send = (data: string) => {
    if (!stream) {
      stream = new PassThrough();
      for (const [name, value] of exchange.headers) reply.header(name, value);
      void reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-cache').send(stream);
    }
    if (!stream.destroyed) stream.write(`data: ${data}\n\n`);
  };
  const tell = (part: CompletionResponse) => send(JSON.stringify(z.encode(completionResponseSchema, part)));
  try {
    const echoed = await work.echoed();
    if (echoed) tell(work.part(echoed));
    const written = await work.written((part) => tell(work.part(part)));
    tell(work.last(written));
    if (streamOptions?.includeUsage) tell(work.withUsage(written));
    send('[DONE]');
  } catch (error) {
    if (!stream) throw error;
    if (!(error instanceof DkvError)) request.log.error({ err: error, request_id: request.id }, 'a defect');
    const { code, message } = error instanceof DkvError ? error : new DkvError('INTERNAL', 'The server has a defect.');
    send(JSON.stringify({ error: { code, message } }));
  }
  stream?.end();
  return undefined;
}
