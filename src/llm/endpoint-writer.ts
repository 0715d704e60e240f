/**
 * Has a language model at an OpenAI-compatible endpoint write one text a document. Every answer goes to the disk cache as it arrives;
 * what fails in passing is tried again; what finally fails costs its own document only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DkvError } from '../errors.js';
import type { TextWriter, WriteOptions } from '../priming/prepare.js';
import { askForQuery, shownWords, tidyAnswer } from '../priming/prompts.js';
import { type ChatAnswer, completeChat, PassingFailure, type Sampling } from './chat.js';
import type { LlmSettings } from './settings.js';
import { TextCache } from './text-cache.js';

export interface EndpointOptions {
  readonly cacheDirectory: string;
  /** Requests under way at once; 4 when left out. */
  readonly concurrency?: number;
  /** After which a request counts as failed; 60 s when left out. */
  readonly timeoutMs?: number;
  /** Before the second attempt; doubled before each further one. 500 ms when left out. */
  readonly firstPauseMs?: number;
  /** How long answers on their way may still arrive after a cancellation, since they will be paid for; 3 s when left out. */
  readonly graceMs?: number;
}

/** What writing has taken since the writer was made. */
export interface WritingSummary {
  /** Sent over the network, repetitions included. */
  readonly requests: number;
  readonly fromCache: number;
  /** Documents without a text. */
  readonly failures: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly seconds: number;
  /** Null where prices are not set. */
  readonly cost: number | null;
}

/** Of the research's experiment 05. */
const SAMPLING: Sampling = { maxTokens: 30, temperature: 0.7, topP: 0.9 };

const ATTEMPTS = 5;
/** An endpoint that asks for a longer pause is not waited for. */
const MAX_RETRY_AFTER_MS = 120_000;
/** So many documents in a row without a text, and it is not about the documents. */
const GIVE_UP_AFTER = 8;

export class EndpointWriter {
  /** Who writes: for a run's record. */
  readonly identity: string;
  readonly #settings: LlmSettings;
  readonly #cache: TextCache;
  readonly #options: Required<EndpointOptions>;
  readonly #counts = { requests: 0, fromCache: 0, failures: 0, promptTokens: 0, completionTokens: 0, seconds: 0 };

  constructor(settings: LlmSettings, options: EndpointOptions) {
    this.identity = `${settings.model} at ${settings.baseUrl}`;
    this.#settings = settings;
    this.#cache = new TextCache(options.cacheDirectory);
    this.#options = { concurrency: 4, timeoutMs: 60_000, firstPauseMs: 500, graceMs: 3000, ...options };
  }

  get summary(): WritingSummary {
    const { promptTokens, completionTokens } = this.#counts;
    const prices = this.#settings.pricePerMillionTokens;
    const cost = prices ? (promptTokens * prices.input + completionTokens * prices.output) / 1e6 : null;
    return { ...this.#counts, cost };
  }

  /** For `TextSources.llm`. The writer throws CANCELLED, LLM_DENIED, DISK_FULL, and the last failure when all fail. */
  readonly asked = (prompt: string): TextWriter => {
    return (documents, options) => this.#write(prompt, documents, options);
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
    const key = [baseUrl, model, prompt, shown, SAMPLING];
    const known = await this.#cache.get(key);
    if (known !== undefined) {
      this.#counts.fromCache++;
      return tidyAnswer(known);
    }
    const { text, promptTokens, completionTokens } = await this.#ask(askForQuery(prompt, shown), stopped);
    this.#counts.promptTokens += promptTokens;
    this.#counts.completionTokens += completionTokens;
    const tidy = tidyAnswer(text);
    if (tidy === '') {
      throw new DkvError(
        'LLM_REJECTED',
        `${model} answered without a word in its first ${SAMPLING.maxTokens} tokens. A model that thinks before it answers cannot be used: choose another with DKV_LLM_MODEL.`,
      );
    }
    await this.#cache.put(key, `${this.identity}, asked: ${prompt}`, text);
    return tidy;
  }

  async #ask(content: string, stopped: AbortSignal): Promise<ChatAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(content, stopped);
      } catch (error) {
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
      return await completeChat(this.#settings, content, SAMPLING, ending.signal);
    } catch (error) {
      throw late ? new PassingFailure(`${this.#settings.baseUrl}: no answer within ${timeoutMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      stopped.removeEventListener('abort', onStop);
    }
  }
}

/** Failures that leave hope for the next document. */
function isOfOneDocument(error: unknown): error is DkvError {
  return error instanceof DkvError && (error.code === 'LLM_REJECTED' || error.code === 'LLM_UNREACHABLE');
}
