/**
 * Has a language model at an OpenAI-compatible endpoint write one text a document. Every answer goes to the disk cache as it arrives;
 * what fails in passing is tried again; what finally fails costs its own document only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DkvError } from '../base/errors.js';
import { shownAddress } from '../base/redact.js';
import { queryIn } from '../priming/answers.js';
import type { TextWriter, WriteOptions } from '../priming/prepare.js';
import { askForQuery, QUERY_PROMPTS, shownWords } from '../priming/prompts.js';
import { type ChatAnswer, completeChat, excerpt, PassingFailure, type Sampling, WantsTokenLimit } from './chat.js';
import type { LlmSettings, TokenLimit } from './settings.js';
import { type KeptAnswer, TextCache } from './text-cache.js';

export interface EndpointOptions {
  readonly cacheDirectory: string;
  /** The number of requests that may be under way at once; 4 by default. */
  readonly concurrency?: number;
  /** The milliseconds after which a request counts as failed; 60,000 by default. */
  readonly timeoutMs?: number;
  /** The pause before the second attempt, in milliseconds; 500 by default. It doubles before each further attempt. */
  readonly firstPauseMs?: number;
  /** The milliseconds that answers on their way may still take after a cancellation, since they will be paid for; 3,000 by default. */
  readonly graceMs?: number;
}

/** What the writer has used since it was made. */
export interface WritingSummary {
  /** The number of requests sent over the network, repetitions included. */
  readonly requests: number;
  readonly fromCache: number;
  /** The number of documents that got no text. */
  readonly failures: number;
  /** The number of texts whose last word was dropped because the token limit cut it. */
  readonly shortened: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly seconds: number;
  /** The cost of all answers; null where prices are not set. */
  readonly cost: number | null;
}

/** The sampling of the research's experiment 05. */
const SAMPLING: Sampling = { maxTokens: 30, temperature: 0.7, topP: 0.9 };

const ATTEMPTS = 5;
/** The longest pause that is waited for. An endpoint that asks for a longer one is given up. */
const MAX_RETRY_AFTER_MS = 120_000;
/** The number of documents in a row without a text after which the reason is taken to lie outside the documents. */
const GIVE_UP_AFTER = 8;

export class EndpointWriter {
  /** The writer's name in a run's record. */
  readonly identity: string;
  readonly #settings: LlmSettings;
  readonly #cache: TextCache;
  readonly #options: Required<EndpointOptions>;
  readonly #sampling: Sampling;
  #tokenLimit: TokenLimit;
  readonly #counts = {
    requests: 0,
    fromCache: 0,
    failures: 0,
    shortened: 0,
    promptTokens: 0,
    completionTokens: 0,
    seconds: 0,
  };

  constructor(settings: LlmSettings, options: EndpointOptions) {
    const { model, baseUrl, maxTokens = SAMPLING.maxTokens, tokenLimit = 'max_tokens' } = settings;
    const limit = maxTokens === SAMPLING.maxTokens ? '' : `, ${maxTokens} tokens`;
    this.identity = `${model} at ${shownAddress(baseUrl)}${limit}`;
    this.#settings = settings;
    this.#sampling = { ...SAMPLING, maxTokens };
    this.#tokenLimit = tokenLimit;
    this.#cache = new TextCache(options.cacheDirectory);
    this.#options = { concurrency: 4, timeoutMs: 60_000, firstPauseMs: 500, graceMs: 3000, ...options };
  }

  get summary(): WritingSummary {
    const { promptTokens, completionTokens } = this.#counts;
    const prices = this.#settings.pricePerMillionTokens;
    const cost = prices ? (promptTokens * prices.input + completionTokens * prices.output) / 1e6 : null;
    return { ...this.#counts, cost };
  }

  /**
   * Gives the writer for a prompt, for `TextSources.llm`. The writer throws CANCELLED, LLM_DENIED, DISK_FULL, and the last failure when all
   * documents fail.
   */
  readonly asked = (prompt: string): TextWriter => {
    const write: TextWriter = (documents, options) => this.#write(prompt, documents, options);
    const sampling = { ...this.#sampling, seed: null };
    return Object.assign(write, { authorship: { writer: this.identity, prompt, sampling } });
  };

  async #write(prompt: string, documents: readonly string[], { signal, onProgress }: WriteOptions) {
    await this.#cache.expectWritable();
    const startedAt = performance.now();
    const texts = new Array<string | DkvError>(documents.length);
    const stopping = new AbortController();
    const stop = () => stopping.abort();
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    let [next, done, failedInARow] = [0, 0, 0];
    let fatal: unknown;
    const work = async () => {
      while (next < documents.length && !stopping.signal.aborted) {
        const at = next++;
        try {
          texts[at] = await this.#textFor(prompt, documents[at]!, stopping.signal);
          failedInARow = 0;
        } catch (error) {
          if (stopping.signal.aborted) return;
          if (!isOfOneDocument(error)) {
            fatal = error;
            stop();
            return;
          }
          texts[at] = error;
          this.#counts.failures++;
          if (++failedInARow >= GIVE_UP_AFTER) {
            fatal = new DkvError(
              error.code,
              `${failedInARow} documents in a row got no text. The last: ${error.message} What has been written is kept.`,
              { cause: error },
            );
            stop();
            return;
          }
        }
        onProgress?.(++done, documents.length);
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#options.concurrency }, work));
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#counts.seconds += (performance.now() - startedAt) / 1000;
    }
    if (fatal !== undefined) throw fatal;
    if (signal?.aborted) {
      throw new DkvError('CANCELLED', 'The writing of surrogates was stopped; what has been written is kept.');
    }
    return texts;
  }

  /** @param stopped ends pauses at once and requests after the grace */
  async #textFor(prompt: string, document: string, stopped: AbortSignal): Promise<string> {
    const { baseUrl, model } = this.#settings;
    const shown = shownWords(document);
    const key = [baseUrl, model, prompt, shown, this.#sampling];
    const known = await this.#cache.get(key);
    const kept = known && this.#queryOf(known, prompt);
    if (kept !== undefined && !(kept instanceof DkvError)) {
      this.#counts.fromCache++;
      return kept;
    }
    const answer = await this.#ask(askForQuery(prompt, shown), stopped);
    this.#counts.promptTokens += answer.promptTokens;
    this.#counts.completionTokens += answer.completionTokens;
    const query = this.#queryOf(answer, prompt);
    if (query instanceof DkvError) throw query;
    await this.#cache.put(key, `${this.identity}, asked: ${prompt}`, answer);
    return query;
  }

  /** The query in a kept answer. Old answers are read by the present rules too, since the rules grow. */
  #queryOf({ text, cutOff, thought = false }: KeptAnswer & { thought?: boolean }, prompt: string): string | DkvError {
    const found = queryIn(text, { cutOff, keywords: prompt === QUERY_PROMPTS.keywords });
    if (found.query !== undefined) {
      if (found.shortened) this.#counts.shortened++;
      return found.query;
    }
    const { maxTokens } = this.#sampling;
    const beside = thought ? ', and thoughts beside it' : '';
    const end = cutOff ? `; its ${maxTokens} tokens were used up` : '';
    return new DkvError(
      'LLM_REJECTED',
      `The answer of ${this.#settings.model} is no query: ${found.reason}${end}. It is ${excerpt(text, this.#settings)}${beside}. Choose a model that answers at once and with the text alone (DKV_LLM_MODEL), or let it say more (DKV_LLM_MAX_TOKENS).`,
    );
  }

  async #ask(content: string, stopped: AbortSignal): Promise<ChatAnswer> {
    let switched = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(content, stopped);
      } catch (error) {
        if (error instanceof WantsTokenLimit) {
          if (this.#settings.tokenLimit !== undefined) {
            throw new DkvError('LLM_DENIED', `${error.message} Set DKV_LLM_TOKEN_LIMIT to ${error.tokenLimit}.`);
          }
          if (switched) throw error.refusal;
          switched = true;
          // Remembered, so that no other request is made in vain.
          this.#tokenLimit = error.tokenLimit;
          attempt--;
          continue;
        }
        if (!(error instanceof PassingFailure)) throw error;
        if (attempt === ATTEMPTS) {
          throw new DkvError('LLM_UNREACHABLE', `${error.message} (tried ${ATTEMPTS} times)`, { cause: error });
        }
        if ((error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) {
          const seconds = Math.ceil(error.retryAfterMs! / 1000);
          throw new DkvError('LLM_UNREACHABLE', `${error.message} (it asks for a pause of ${seconds} s)`, {
            cause: error,
          });
        }
        // Half of the pause is drawn, so that requests that failed together do not come back together. It decides no result.
        const pauseMs = this.#options.firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
        await sleep(Math.max(pauseMs, error.retryAfterMs ?? 0), undefined, { signal: stopped });
      }
    }
  }

  async #attempt(content: string, stopped: AbortSignal): Promise<ChatAnswer> {
    stopped.throwIfAborted();
    const { timeoutMs, graceMs } = this.#options;
    const ending = new AbortController();
    const end = () => ending.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeoutMs);
    let grace: NodeJS.Timeout | undefined;
    const onStop = () => {
      grace = setTimeout(end, graceMs);
    };
    stopped.addEventListener('abort', onStop);
    this.#counts.requests++;
    try {
      return await completeChat(this.#settings, content, this.#sampling, this.#tokenLimit, ending.signal);
    } catch (error) {
      throw late ? new PassingFailure(`${this.#settings.baseUrl}: no answer within ${timeoutMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      stopped.removeEventListener('abort', onStop);
    }
  }
}

/** Tells whether a failure concerns one document, so that the next one may succeed. */
function isOfOneDocument(error: unknown): error is DkvError {
  return error instanceof DkvError && (error.code === 'LLM_REJECTED' || error.code === 'LLM_UNREACHABLE');
}
