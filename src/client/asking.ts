/** The way of a request to the server: its key, how long it may take, and when it is asked again. Knows no route. */
import { refusalOf } from './errors.js';

export interface ClientOptions {
  /** The server's address, such as `http://127.0.0.1:8080`. */
  readonly baseUrl: string;
  /** A key of `dkv keys create`. */
  readonly apiKey?: string | undefined;
  /** What asks; the global `fetch` by default. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long a call may take with all that it is repeated, in milliseconds; 60,000 by default. Of streams it is the time to the beginning of the answer. */
  readonly timeoutMs?: number | undefined;
  /** How often a request is repeated that the server refuses for the moment; 2 by default. */
  readonly retries?: number | undefined;
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface Ask extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: string | undefined;
  readonly type?: string | undefined;
  /** Statuses that are answers and no refusals, beside those below 400. */
  readonly accepted?: readonly number[];
}

/** A response whose body has not been read, and what ends the reading of it. */
export interface Answer {
  readonly response: Response;
  /** Stops the clock: the rest of the answer may take as long as it takes. */
  release(): void;
}

export class Asker {
  readonly #url: string;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#url = options.baseUrl.replace(/\/+$/, '');
    this.#options = options;
  }

  /** Asks and reads JSON. @throws DkvApiError, and what `fetch` throws */
  async json<T>(ask: Ask): Promise<T> {
    const { response, release } = await this.ask(ask);
    try {
      return (await response.json()) as T;
    } finally {
      release();
    }
  }

  /**
   * A request that is refused with 429 or 503 and a `retry-after` is asked again after that time, unless the time that is left is shorter.
   * @throws DkvApiError, and what `fetch` throws
   */
  async ask({ method, path, body, type = 'application/json', accepted = [], ...call }: Ask): Promise<Answer> {
    const { apiKey, timeoutMs = 60_000, retries = 2, fetch = globalThis.fetch } = this.#options;
    const allowed = call.timeoutMs ?? timeoutMs;
    const end = Date.now() + allowed;
    const ending = new AbortController();
    const timer = setTimeout(
      () => ending.abort(new DOMException('The request took too long.', 'TimeoutError')),
      allowed,
    );
    const release = () => clearTimeout(timer);
    const signal = call.signal ? AbortSignal.any([call.signal, ending.signal]) : ending.signal;
    const request: RequestInit = {
      method,
      signal,
      headers: {
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body }),
    };
    try {
      for (let again = retries; ; again--) {
        const response = await fetch(`${this.#url}${path}`, request);
        if (response.status < 400 || accepted.includes(response.status)) return { response, release };
        const refusal = await refusalOf(response);
        const isForNow = refusal.status === 429 || refusal.status === 503;
        const waitMs = 1000 * (refusal.retryAfter ?? Number.POSITIVE_INFINITY);
        if (!isForNow || again <= 0 || Date.now() + waitMs >= end) throw refusal;
        await resting(waitMs, signal);
      }
    } catch (error) {
      release();
      throw error;
    }
  }
}

function resting(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
