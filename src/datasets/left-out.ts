/** Rows of a data set that were read and cannot be used, counted by what they lack. */
import type { RowsLeftOut } from '../samples/dataset.js';

export class LeftOutRows {
  readonly #byReason = new Map<string, number>();

  /** @param texts what a row needs, by names for people; one of nothing but white space is not there @returns whether it lacks one, the first of which is its reason */
  lacks(texts: Readonly<Record<string, string | null | undefined>>): boolean {
    const missing = Object.keys(texts).find((name) => !texts[name]?.trim());
    if (missing === undefined) return false;
    const reason = `no ${missing}`;
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
    return true;
  }

  /** The rows left out, for the description of a data set's origin; empty where none was. */
  get recorded(): { readonly leftOut?: readonly RowsLeftOut[] } {
    if (this.#byReason.size === 0) return {};
    return { leftOut: [...this.#byReason].map(([reason, rows]) => ({ rows, reason })) };
  }
}
