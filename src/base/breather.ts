/**
 * Long work in the thread that also hears Ctrl-C, timers and requests: it lets them have their turn. Several pieces of work of one thread
 * share it: while one has its turn the others wait for theirs, so that the loop is held no longer by many than by one.
 */
import { DkvError } from './errors.js';

/** The time in milliseconds for which work may hold the thread. */
const TURN_MS = 50;

/** The time at which the present turn of the event loop began, as far as anybody has asked. All Breathers of the thread look at it. */
let turnSince: number | undefined;
/** Work that rests, first come first served: one goes on in each turn of the loop. */
const resting: (() => void)[] = [];

function turnBegun(): number {
  if (turnSince === undefined) {
    turnSince = performance.now();
    setImmediate(endTurn);
  }
  return turnSince;
}

function endTurn(): void {
  turnSince = undefined;
  const next = resting.shift();
  if (!next) return;
  turnBegun();
  next();
}

export class Breather {
  readonly #signal: AbortSignal | undefined;
  readonly #stopped: string;
  readonly #turnMs: number;

  /**
   * @param stopped the message of CANCELLED
   * @param turnMs for so long the thread is held without a rest
   */
  constructor(signal: AbortSignal | undefined, stopped = 'The work was stopped.', turnMs = TURN_MS) {
    this.#signal = signal;
    this.#stopped = stopped;
    this.#turnMs = turnMs;
    turnBegun();
  }

  /**
   * Awaited between pieces of work. It costs next to nothing until the turn is over.
   * @throws DkvError CANCELLED
   */
  async breathe(): Promise<void> {
    await this.rest();
    if (this.#signal?.aborted) throw new DkvError('CANCELLED', this.#stopped);
  }

  /** Rests like `breathe`, for work that is cancelled in its own way. */
  async rest(): Promise<void> {
    if (performance.now() - turnBegun() < this.#turnMs) return;
    await new Promise<void>((resolve) => resting.push(resolve));
  }

  /**
   * Applies `make` to each item, in order.
   * @throws DkvError CANCELLED and what `make` throws
   */
  async map<T, R>(items: Iterable<T>, make: (item: T) => R): Promise<R[]> {
    const made: R[] = [];
    for (const item of items) {
      made.push(make(item));
      await this.breathe();
    }
    return made;
  }
}
