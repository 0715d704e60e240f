/** One after the other by name: work on the same thing waits for what was begun before it, work on different things does not. */

export class KeyedLocks {
  /** The end of the work that came last, by name. */
  readonly #last = new Map<string, Promise<unknown>>();

  async hold<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const own = before ? before.then(work, work) : work();
    this.#last.set(name, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(name) === own) this.#last.delete(name);
    }
  }
}
