/**
 * When a process that has ended is started again. One that had worked for a while is replaced at once. Processes that end soon after their start, one
 * after another, are started after longer and longer waits, since each start reads the model anew and takes what others on the machine need.
 */

/** The times of the waits, in milliseconds. */
export interface BackOffTimes {
  /** The wait after the first process that ends soon; 100 by default. It doubles from one to the next. */
  readonly firstMs?: number;
  /** The longest wait; 30,000 by default. */
  readonly longestMs?: number;
  /** The time after which a process has worked for a while; 10,000 by default. */
  readonly soundMs?: number;
}

export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #soundMs: number;
  #endedSoon = 0;

  constructor({ firstMs = 100, longestMs = 30_000, soundMs = 10_000 }: BackOffTimes = {}) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#soundMs = soundMs;
  }

  /** The number of processes that ended soon after their start, since one has worked for a while. */
  get endedSoon(): number {
    return this.#endedSoon;
  }

  /**
   * Takes note of a process's end.
   * @param livedMs from when it was ready; 0 for one that was never
   * @returns the milliseconds from its end to the next start
   */
  waitAfter(livedMs: number): number {
    if (livedMs >= this.#soundMs) {
      this.#endedSoon = 0;
      return 0;
    }
    return Math.min(this.#longestMs, this.#firstMs * 2 ** this.#endedSoon++);
  }
}
