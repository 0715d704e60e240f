/** Times of use, for eviction: no two of one process are the same, so that uses have an order. */

/** The number of uses that have a place in each millisecond. */
const USES_A_MILLISECOND = 4096;

export class UseClock {
  #last = 0;

  /** The time now, in 1/4096 milliseconds since 1970; later than any before. */
  next(): number {
    this.#last = Math.max(this.#last + 1, Date.now() * USES_A_MILLISECOND);
    return this.#last;
  }
}
