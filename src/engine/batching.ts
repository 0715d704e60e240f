/**
 * Which items share a batch: a pure plan, made before anything runs.
 *
 * Items of equal padded shape share batches. The padded length is a function of an item's own length alone, so an item meets the
 * same arithmetic in any company and its result does not depend on the batch. (Matrix products of different padded lengths may
 * differ in the last bits.)
 */

export interface Batch {
  /** Indices into the planned list, in its order. */
  readonly items: readonly number[];
  /** The padded sizes that the items share. */
  readonly shape: readonly number[];
}

/** The number of rows that `length` rows are padded to. Steps grow with the length: at most 7 rows up to 256, then under 13%. */
export function paddedLength(length: number): number {
  const step = length <= 256 ? 8 : length <= 1024 ? 32 : 128;
  return Math.max(step, Math.ceil(length / step) * step);
}

/** Of rows that are computed for another item, or at another time, and only read for this one. */
const SHARED_COST = 1 / 8;

/**
 * @param lengths per item, the lengths of its parts (encoder rows; or decoder and encoder rows)
 * @param batchTokens rows that a batch may have, all parts and padding together; an item above it is a batch of its own
 * @param last per item, a number for what its last part is: items with the same one stand together, and its rows count in full for the first
 * @returns batches in order of shape, largest first, so that memory is at its peak in the beginning
 */
export function planBatches(
  lengths: readonly (readonly number[])[],
  batchTokens: number,
  last: readonly number[] = lengths.map((_, item) => item),
): Batch[] {
  const groups = new Map<string, { shape: number[]; items: number[] }>();
  for (const [item, parts] of lengths.entries()) {
    const shape = parts.map(paddedLength);
    const key = shape.join();
    const group = groups.get(key);
    if (group) group.items.push(item);
    else groups.set(key, { shape, items: [item] });
  }
  const sum = (shape: readonly number[]) => shape.reduce((a, b) => a + b, 0);
  const batches: Batch[] = [];
  for (const { shape, items } of [...groups.values()].sort((a, b) => sum(b.shape) - sum(a.shape))) {
    const whole = sum(shape);
    const further = whole - (1 - SHARED_COST) * shape.at(-1)!;
    let batch: number[] = [];
    let rows = 0;
    for (const item of items.sort((a, b) => last[a]! - last[b]!)) {
      const before = batch.at(-1);
      const cost = before !== undefined && last[before] === last[item] ? further : whole;
      if (before !== undefined && rows + cost > batchTokens) {
        batches.push({ shape, items: batch });
        batch = [];
        rows = 0;
      }
      rows += batch.length === 0 ? whole : cost;
      batch.push(item);
    }
    batches.push({ shape, items: batch });
  }
  return batches;
}
