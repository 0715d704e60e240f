/** Long work in the thread that also hears Ctrl-C and timers: it lets them have their turn. */
import { setImmediate } from 'node:timers/promises';
import { DkvError } from './errors.js';

/** Work may hold the thread for about so long. */
const TURN_MS = 50;

export class Breather {
  readonly #signal: AbortSignal | undefined;
  readonly #stopped: string;
  #since = performance.now();

  /** @param stopped the message of CANCELLED */
  constructor(signal: AbortSignal | undefined, stopped = 'The work was stopped.') {
    this.#signal = signal;
    this.#stopped = stopped;
  }

  /** To be awaited between pieces of work; costs next to nothing until the turn is over. @throws DkvError CANCELLED */
  async breathe(): Promise<void> {
    await this.rest();
    if (this.#signal?.aborted) throw new DkvError('CANCELLED', this.#stopped);
  }

  /** The same for work that ends in its own way. */
  async rest(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }

  /** What `make` gives for each item, in their order. @throws DkvError CANCELLED and what `make` throws */
  async map<T, R>(items: Iterable<T>, make: (item: T) => R): Promise<R[]> {
    const made: R[] = [];
    for (const item of items) {
      made.push(make(item));
      await this.breathe();
    }
    return made;
  }
}
