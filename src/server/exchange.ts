/** One request on its way to its answer: who asks, until when, and what is told beside the answer. It knows no route. */
import { DkvError } from '../base/errors.js';
import type { PhaseTimes } from '../engine/engine.js';
import type { Caller } from './caller.js';

export interface ExchangeFacts {
  readonly id: string;
  readonly caller: Caller;
  /** Aborted when the client hangs up. */
  readonly signal: AbortSignal;
  /** Aborted when the server takes nothing more: what has not come yet is not waited for. */
  readonly closing: AbortSignal;
  /** When the request arrived, by `performance.now()`. */
  readonly arrivedAt: number;
}

export class Exchange {
  readonly id: string;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
  readonly #arrivedAt: number;
  readonly #headers = new Map<string, string>();
  #deadlineMs: number | undefined;
  #queueMs = 0;
  #inferenceMs = 0;
  #hits = 0;
  #misses = 0;

  constructor({ id, caller, signal, closing, arrivedAt }: ExchangeFacts) {
    this.id = id;
    this.caller = caller;
    this.signal = signal;
    this.closing = closing;
    this.#arrivedAt = arrivedAt;
  }

  /** Headers of the answer. */
  get headers(): ReadonlyMap<string, string> {
    return this.#headers;
  }

  /** Milliseconds since the request arrived. */
  get elapsedMs(): number {
    return performance.now() - this.#arrivedAt;
  }

  /** How many documents were answered from stored states, and how many were not. */
  get cache(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  get queueMs(): number {
    return this.#queueMs;
  }

  get inferenceMs(): number {
    return this.#inferenceMs;
  }

  /**
   * The milliseconds that are left of a deadline, which counts from the request's arrival.
   * @throws DkvError DEADLINE_PASSED where nothing is left
   */
  msLeft(deadlineMs: number | undefined): number | undefined {
    this.#deadlineMs = deadlineMs;
    if (deadlineMs === undefined) return undefined;
    const left = deadlineMs - this.elapsedMs;
    if (left > 0) return left;
    throw deadlinePassed(deadlineMs);
  }

  /** An error with the caller's own deadline in it, where it speaks of what was left of that. */
  inOwnWords(error: unknown): unknown {
    const isLate = error instanceof DkvError && error.code === 'DEADLINE_PASSED' && this.#deadlineMs !== undefined;
    return isLate ? deadlinePassed(this.#deadlineMs!) : error;
  }

  readonly header = (name: string, value: string): void => {
    this.#headers.set(name, value);
  };

  /** Takes in what a request to the engine spent its time on. It may be called several times. */
  readonly measure = (times: PhaseTimes): void => {
    this.#queueMs += times.waiting;
    this.#inferenceMs += times.reading + times.tokenising + times.encoding + times.decoding;
    this.header('x-queue-time-ms', this.#queueMs.toFixed(1));
    this.header('x-inference-time-ms', this.#inferenceMs.toFixed(1));
  };

  /** Says how many documents were answered from stored states, and how many were not. */
  cached(hits: number, misses: number): void {
    this.#hits += hits;
    this.#misses += misses;
    this.header('x-cache', `hit=${hits}, miss=${misses}`);
  }
}

function deadlinePassed(ms: number): DkvError {
  return new DkvError(
    'DEADLINE_PASSED',
    `The request's deadline of ${ms} ms passed before its work began. Give it more time, or the server fewer requests.`,
  );
}
