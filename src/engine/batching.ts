/**
 * Which items share a batch: a pure plan, made before anything runs.
 *
 * Items of equal padded shape share batches. The padded length is a function of an item's own length alone, so an item meets the
 * same arithmetic in any company and its result does not depend on the batch. (Matrix products of different padded lengths may
 * differ in the last bits.)
 */
import { grouped } from '../base/groups.js';

export interface ItemSize {
  /** Rows that are computed in every layer. */
  readonly rows: number;
  /** Encoder rows that these attend to, and a number for which: items that read the same ones stand together. */
  readonly memory?: { readonly rows: number; readonly id: number };
}

export interface Batch {
  /** Indices into the planned list, in its order. */
  readonly items: readonly number[];
  /** Rows that each item's own are padded to. */
  readonly rows: number;
  /** Rows that each item's memory is padded to; 0 if the items have none. */
  readonly memoryRows: number;
}

/** The number of rows that `length` rows are padded to. Steps grow with the length: at most 7 rows up to 256, then under 13%. */
export function paddedLength(length: number): number {
  return roundUp(length, length <= 256 ? 8 : length <= 1024 ? 32 : 128);
}

/**
 * The same for encoder rows that are only read. They cost little, and documents of many lengths in one batch save reading the weights again:
 * with 270m-270m and int8, 3 pairs of 8 tokens take 40 ms and 16 pairs 137 ms.
 */
export function paddedMemory(length: number): number {
  return roundUp(length, length <= 512 ? 32 : 128);
}

function roundUp(length: number, step: number): number {
  return Math.max(step, Math.ceil(length / step) * step);
}

/**
 * What an encoder row costs that is only read, in rows that are computed: it becomes keys and values, and that is all. Measured: a fiftieth (270m-270m,
 * int8, with the head); in large models, with more keys a row, and in generation, which keeps them, more.
 */
const READ_COST = 1 / 8;

type Shape = Omit<Batch, 'items'>;

function shapeOf({ rows, memory }: ItemSize): Shape {
  return { rows: paddedLength(rows), memoryRows: memory ? paddedMemory(memory.rows) : 0 };
}

function cost({ rows, memoryRows }: Shape): number {
  return rows + memoryRows * READ_COST;
}

/** All that these count in batches, in rows. */
export function plannedRows(sizes: readonly ItemSize[]): number {
  return sizes.reduce((total, size) => total + cost(shapeOf(size)), 0);
}

/**
 * @param batchTokens rows that a batch may have, padding included, with what is read for its part; an item above it is a batch of its own
 * @returns batches in order of cost, largest items first, so that memory is at its peak in the beginning
 */
export function planBatches(sizes: readonly ItemSize[], batchTokens: number): Batch[] {
  const groups = new Map<string, Shape & { items: number[] }>();
  for (const [item, size] of sizes.entries()) {
    const shape = shapeOf(size);
    const key = `${shape.rows},${shape.memoryRows}`;
    const group = groups.get(key);
    if (group) group.items.push(item);
    else groups.set(key, { ...shape, items: [item] });
  }
  const memory = (item: number) => sizes[item]!.memory?.id ?? 0;
  return [...groups.values()]
    .sort((a, b) => cost(b) - cost(a))
    .flatMap(({ items, ...shape }) => {
      const together = items.sort((a, b) => memory(a) - memory(b));
      const most = Math.max(1, Math.floor(batchTokens / cost(shape)));
      return Array.from(grouped(together, most), (group) => ({ ...shape, items: group }));
    });
}
