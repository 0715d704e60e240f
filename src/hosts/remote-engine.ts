/** The host's side of an engine that lives elsewhere: numbers requests, keeps who waits for which, and tells them how it went. */

import { DkvError } from '../base/errors.js';
import {
  type EncodeItem,
  type Engine,
  type EngineInfo,
  type Generated,
  type GenerateItem,
  ItemsFailedError,
  type Probed,
  type ProbeLayers,
  type RequestOptions,
  type ScoreItem,
  type States,
} from '../engine/engine.js';
import { withNamedStates } from '../engine/named-states.js';
import type { Failure, FromEngine, Method, ToEngine } from './messages.js';

/** The way to a thread or process that serves an engine. */
export interface Channel {
  send(message: ToEngine): void;
  /** Keep this program running, or not, on the channel's account. */
  ref(): void;
  unref(): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: DkvError | Unstarted): void;
  /** Has its turn come? */
  started: boolean;
  readonly onProgress: RequestOptions['onProgress'];
}

/** The fate of a request that was still queued when its thread or process ended: nothing was done, so it may be sent elsewhere. */
class Unstarted extends Error {}

/** The requests of one thread or process, from its start to its end. */
export class Session {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #closing = false;
  #ended: DkvError | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  async request<Result>(
    method: Method,
    args: readonly unknown[],
    { signal, onProgress }: RequestOptions = {},
  ): Promise<Result> {
    if (this.#ended) throw this.#ended;
    if (this.#closing) throw closedError();
    if (signal?.aborted) throw new DkvError('CANCELLED', 'The request was cancelled.');
    const id = this.#nextId++;
    const cancel = () => this.#channel.send({ type: 'cancel', id });
    const aborted = signal && abortOf(signal);
    this.#channel.ref();
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, started: false, onProgress });
        aborted?.add(cancel);
        this.#channel.send({ type: 'request', id, method, args });
      });
    } finally {
      aborted?.delete(cancel);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#channel.unref();
    }
  }

  /** Asks for the end; what still waits then is rejected with ENGINE_CLOSED. */
  close(): void {
    this.#closing = true;
    this.#channel.ref();
    if (!this.#ended) this.#channel.send({ type: 'close' });
  }

  receive(message: FromEngine): void {
    if (message.type === 'ready' || message.type === 'failed') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'started') waiting.started = true;
    else if (message.type === 'progress') waiting.onProgress?.(message.done, message.total);
    else if (message.type === 'result') waiting.resolve(message.value);
    else if (this.#closing && message.error.code === 'CANCELLED') waiting.reject(closedError());
    else waiting.reject(asError(message.error));
  }

  /** The thread or process is gone; nothing more will be answered. */
  end(reason: DkvError): void {
    this.#ended ??= this.#closing ? closedError() : reason;
    for (const { started, reject } of this.#waiting.values()) {
      reject(started || this.#closing ? this.#ended : new Unstarted());
    }
  }
}

/** Whom a signal tells: one listener for all requests on it, since Node takes many listeners for a leak. */
const aborts = new WeakMap<AbortSignal, Set<() => void>>();

function abortOf(signal: AbortSignal): Set<() => void> {
  let told = aborts.get(signal);
  if (!told) {
    const all = new Set<() => void>();
    const tellAll = () => {
      for (const tell of all) tell();
    };
    signal.addEventListener('abort', tellAll, { once: true });
    aborts.set(signal, all);
    told = all;
  }
  return told;
}

/** An engine over sessions; a host says where a request finds one. */
export abstract class RemoteEngine implements Engine {
  abstract readonly info: EngineInfo;

  /** The session that takes requests now. @throws DkvError ENGINE_CLOSED, ENGINE_FAILED */
  protected abstract session(): Promise<Session>;

  abstract close(): Promise<void>;

  encode(items: readonly EncodeItem[], options?: RequestOptions): Promise<States[]> {
    return this.#request('encode', [items], options);
  }

  score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]> {
    return withNamedStates(items, options?.signal, (ready) => this.#request('score', [ready], options));
  }

  generate(items: readonly GenerateItem[], options?: RequestOptions): Promise<Generated[]> {
    return withNamedStates(items, options?.signal, (ready) => this.#request('generate', [ready], options));
  }

  probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]> {
    return this.#request('probe', [items, layers], options);
  }

  async #request<Result>(method: Method, args: readonly unknown[], options?: RequestOptions): Promise<Result> {
    for (;;) {
      const session = await this.session();
      try {
        return await session.request<Result>(method, args, options);
      } catch (error) {
        if (!(error instanceof Unstarted)) throw error;
      }
    }
  }
}

export function asError({ code, message, items }: Failure): DkvError {
  if (items) {
    const errors = items.errors.map(([item, error]): [number, DkvError] => [item, asError(error)]);
    return new ItemsFailedError(new Map(errors), items.results);
  }
  return new DkvError(code ?? 'ENGINE_FAILED', message);
}

export function closedError(): DkvError {
  return new DkvError('ENGINE_CLOSED', 'The engine was closed.');
}

/** Run from source, as the tests do, threads and processes are still the built ones: Node starts no TypeScript in them. */
export function entry(name: 'worker' | 'child'): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../../dist/hosts/${name}.js` : `./${name}.js`, import.meta.url);
}
