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
  /** When the last batch ended, by `performance.now()`. */
  readonly at: number;
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
      at: performance.now(),
    });
  }

  /** The number of rows of a batch that takes about this long; undefined while nothing is known, and never more than twice what was tried. */
  rowsWithin(kind: string, ms: number): number {
    const fit = this.#fit(kind);
    if (!fit) return 0;
    const rows = (ms - fit.fixed) / fit.perRow;
    return Math.min(2 * fit.largest, Math.max(0, rows));
  }

  /**
   * The milliseconds that so many rows take in batches of this kind; undefined while nothing is known, or nothing recent: a machine that was slow a while ago may be
   * fast again.
   * @param sinceMs how old the last batch of the kind may be
   */
  msOf(kind: string, rows: number, sinceMs: number): number | undefined {
    const fit = this.#fit(kind);
    if (!fit || performance.now() - fit.at > sinceMs) return undefined;
    // More rows than fit into a batch pay for what is fixed more than once.
    return Math.ceil(rows / fit.largest) * fit.fixed + rows * fit.perRow;
  }

  #fit(kind: string) {
    const sums = this.#kinds.get(kind);
    if (!sums) return undefined;
    const { largest, at } = sums;
    const spread = sums.weight * sums.rowsSquared - sums.rows ** 2;
    const perRow = (sums.weight * sums.rowsMs - sums.rows * sums.ms) / spread;
    const fixed = (sums.ms - perRow * sums.rows) / sums.weight;
    // Batches of one size do not tell what is fixed, and noise may say that more rows take less time.
    const isTold = spread > 1e-6 * sums.weight * sums.rowsSquared && perRow > 0 && fixed > 0;
    return isTold ? { fixed, perRow, largest, at } : { fixed: 0, perRow: sums.ms / sums.rows, largest, at };
  }
}
