/**
 * How long batches take, learned from those that were run: milliseconds = fixed + perRow * rows for each kind, by least squares that
 * forget. Machines get slower when others use them, and faster again.
 */

/** The share of what was known that is left after one more batch: about the last twenty batches count. */
const KEPT = 0.95;

interface Sums {
  readonly weight: number;
  readonly rows: number;
  readonly ms: number;
  readonly rowsSquared: number;
  readonly rowsMs: number;
  readonly largest: number;
}

export class Pace {
  readonly #kinds = new Map<string, Sums>();

  learn(kind: string, rows: number, ms: number): void {
    const known = this.#kinds.get(kind);
    const kept = (of: keyof Sums, own: number) => KEPT * (known?.[of] ?? 0) + own;
    this.#kinds.set(kind, {
      weight: kept('weight', 1),
      rows: kept('rows', rows),
      ms: kept('ms', ms),
      rowsSquared: kept('rowsSquared', rows * rows),
      rowsMs: kept('rowsMs', rows * ms),
      largest: Math.max(known?.largest ?? 0, rows),
    });
  }

  /** The number of rows of a batch that takes about this long; undefined while nothing is known, and never more than twice what was tried. */
  rowsWithin(kind: string, ms: number): number {
    const sums = this.#kinds.get(kind);
    if (!sums) return 0;
    const spread = sums.weight * sums.rowsSquared - sums.rows ** 2;
    const perRow = (sums.weight * sums.rowsMs - sums.rows * sums.ms) / spread;
    const fixed = (sums.ms - perRow * sums.rows) / sums.weight;
    // Batches of one size do not tell what is fixed, and noise may say that more rows take less time.
    const isTold = spread > 1e-6 * sums.weight * sums.rowsSquared && perRow > 0 && fixed > 0;
    const rows = isTold ? (ms - fixed) / perRow : (ms * sums.rows) / sums.ms;
    return Math.min(2 * sums.largest, Math.max(0, rows));
  }
}
