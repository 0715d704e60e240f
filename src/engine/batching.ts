/**
 * Which items make the next batch: a pure choice from what waits, made before anything runs.
 *
 * Items of equal padded shape share batches, whoever asked for them. The padded length is a function of an item's own length alone, so an item
 * meets the same sums in any company, and its result depends on the batch in no more than last bits: the runtime's products take another way for
 * other numbers of rows. Encodes and generated tokens were equal bit for bit wherever it was measured, int8's scores nearly always; float32's
 * scores of large batches differ by up to about 1e-5, relative to max(1, x).
 */
import { ATTENTION_BYTES, attentionBytes } from '../model/memory.js';
import { PRIORITIES, type Priority } from './engine.js';

export interface ItemSize {
  /** The rows that are computed in every layer. */
  readonly rows: number;
  /** The encoder rows that these attend to, with a number for them: items that read the same rows stand together. */
  readonly memory?: { readonly rows: number; readonly id: number };
}

export interface Shape {
  /** The number of rows that each item's own rows are padded to. */
  readonly rows: number;
  /** The number of rows that each item's memory is padded to; 0 if the items have none. */
  readonly memoryRows: number;
}

/** The number of rows that `length` rows are padded to. Steps grow with the length: at most 7 rows up to 256, then under 13%. */
export function paddedLength(length: number): number {
  return roundUp(length, length <= 256 ? 8 : length <= 1024 ? 32 : 128);
}

/**
 * The number of rows that `length` encoder rows are padded to where they are only read. Such rows cost little, and documents of many lengths in one
 * batch save reading the weights again: with 270m-270m and int8, 3 pairs of 8 tokens take 40 ms and 16 pairs 137 ms.
 */
export function paddedMemory(length: number): number {
  return roundUp(length, length <= 512 ? 32 : 128);
}

function roundUp(length: number, step: number): number {
  return Math.max(step, Math.ceil(length / step) * step);
}

/**
 * The cost of an encoder row that is only read, in rows that are computed: it becomes keys and values, and that is all. Measured as a fiftieth
 * (270m-270m, int8, with the head); it is more in large models, which have more keys a row, and in generation, which keeps them.
 */
const READ_COST = 1 / 8;

export function shapeOf({ rows, memory }: ItemSize): Shape {
  return { rows: paddedLength(rows), memoryRows: memory ? paddedMemory(memory.rows) : 0 };
}

/** The cost of an item of this shape in a batch, in rows. */
export function costOf({ rows, memoryRows }: Shape): number {
  return rows + memoryRows * READ_COST;
}

/** Items of this shape that a batch may have by the memory that their attention takes. @param bytes that a batch's attention may take */
export function mostByMemory(
  { rows, memoryRows }: Shape,
  { encoder, decoder }: Conditions['heads'],
  bytes = ATTENTION_BYTES,
): number {
  // What the decoder reads is never of no rows.
  return bytes / attentionBytes(memoryRows > 0 ? decoder : encoder, rows, rows + memoryRows);
}

/** Items of one request that wait and may share a batch. */
export interface Group extends Shape {
  /** The method that computes them. Items of different kinds share no batch. */
  readonly kind: string;
  readonly count: number;
}

/** A request that has waiting items. */
export interface Waiting {
  readonly priority: Priority;
  /** The groups of items, at least one. */
  readonly groups: readonly Group[];
  /** The time since when the request could have been worked on, in milliseconds on any clock. */
  readonly since: number;
  /** True where the request's items share no batch with another request's, because a batch that they shared failed. */
  readonly isAlone?: boolean;
}

export interface Conditions {
  /**
   * The largest number of rows in a batch, padding included, with rows that are only read counted at their cost. An item above it is a batch of its
   * own.
   */
  readonly batchTokens: number;
  /** The model's heads, which say how much memory attention takes: of long inputs fewer share a batch than their rows would allow. */
  readonly heads: { readonly encoder: number; readonly decoder: number };
  /** The bytes that attention may take; `ATTENTION_BYTES` by default. */
  readonly attentionBytes?: number | undefined;
  /** The number of runners that have nothing to do, at least one. One of them gets the batch. */
  readonly freeRunners: number;
  /** The present time on the clock of `Waiting.since`. */
  readonly now: number;
  /** The time since when there has been a free runner. */
  readonly freeSince: number;
  /** The milliseconds that a free runner waits for company. */
  readonly waitMs: number;
  /** The number of rows that a batch of this kind may have so that it takes no longer than it should. */
  readonly mostRows: (kind: string) => number;
  /** The number of requests of this kind that are expected, because as many were there when the last batch of the kind ended. */
  readonly company: (kind: string, priority: Priority) => number;
}

/** The next batch, as it is chosen. */
export interface Choice extends Shape {
  readonly kind: string;
  /** The items that are taken: how many of which waiting request, from its group of this kind and shape. */
  readonly takes: readonly { readonly request: number; readonly count: number }[];
}

/**
 * Interactive requests come before bulk ones, and the first of them leads: its most costly items, so that memory is at its peak in the
 * beginning, then items of the same kind and shape from those behind it, in their order.
 * @param waiting in order of arrival
 * @returns the batch, or for how many milliseconds more company may come; undefined when nothing waits
 */
export function nextBatch(waiting: readonly Waiting[], conditions: Conditions): Choice | number | undefined {
  const lead = PRIORITIES.map((priority) => waiting.findIndex((own) => own.priority === priority)).find(
    (at) => at >= 0,
  );
  if (lead === undefined) return undefined;
  const { priority, groups, since, isAlone } = waiting[lead]!;
  const { kind, ...own } = groups.reduce((most, group) => (costOf(group) > costOf(most) ? group : most));
  const shape = { rows: own.rows, memoryRows: own.memoryRows };
  const others = isAlone
    ? []
    : [...waiting.keys()].filter((at) => {
        const other = waiting[at]!;
        return (
          at !== lead && other.priority === priority && !other.isAlone && other.groups.some((of) => of.kind === kind)
        );
      });
  const sharers = [lead, ...others];
  // Something for every runner that is free, of what would fit into fewer batches too.
  const rows = sharers
    .flatMap((at) => waiting[at]!.groups)
    .reduce((sum, group) => sum + (group.kind === kind ? group.count * costOf(group) : 0), 0);
  const budget = Math.min(
    conditions.batchTokens,
    rows / conditions.freeRunners,
    conditions.mostRows(kind),
    mostByMemory(shape, conditions.heads, conditions.attentionBytes) * costOf(shape),
  );
  const most = Math.max(1, Math.floor(budget / costOf(shape)));
  const takes: { request: number; count: number }[] = [];
  let left = most;
  for (const request of sharers) {
    if (left === 0) break;
    const group = waiting[request]!.groups.find(
      (of) => of.kind === kind && of.rows === shape.rows && of.memoryRows === shape.memoryRows,
    );
    if (!group) continue;
    const count = Math.min(left, group.count);
    takes.push({ request, count });
    left -= count;
  }
  const waitLeft = conditions.waitMs - (conditions.now - Math.max(since, conditions.freeSince));
  const isFull = left === 0 && budget < rows / conditions.freeRunners;
  if (!isAlone && !isFull && waitLeft > 0 && sharers.length < conditions.company(kind, priority)) return waitLeft;
  return { kind, ...shape, takes };
}
