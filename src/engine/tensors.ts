/** Items to padded tensors, and padded tensors back to items. */
import type { EncodeItem, Memory, States } from './engine.js';
import type { HalfStates } from './runner.js';
import type { Feeds, HostTensor } from './runtime.js';

export function int64(values: readonly number[] | BigInt64Array, dimensions: readonly number[]): HostTensor {
  const data = values instanceof BigInt64Array ? values : BigInt64Array.from(values, BigInt);
  return { type: 'int64', data, dims: dimensions };
}

export function int32(values: BigInt64Array, dimensions: readonly number[]): HostTensor {
  return { type: 'int32', data: Int32Array.from(values, Number), dims: dimensions };
}

export function booleans(values: Uint8Array, dimensions: readonly number[]): HostTensor {
  return { type: 'bool', data: values, dims: dimensions };
}

export function float32(values: Float32Array, dimensions: readonly number[]): HostTensor {
  return { type: 'float32', data: values, dims: dimensions };
}

export function memoryRows(memory: Memory): number {
  return memory.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** The distinct memories, and for each memory which of the distinct ones it is. */
export function distinctMemories(memories: readonly Memory[]): { distinct: Memory[]; which: number[] } {
  const ids = new Map<States, number>();
  const known = new Map<string, number>();
  const distinct: Memory[] = [];
  const which = memories.map((memory) => {
    const key = JSON.stringify(
      memory.map(({ states, start, end, masked }) => {
        const id = ids.get(states) ?? ids.size;
        ids.set(states, id);
        return [id, start, end, masked ?? false];
      }),
    );
    const at = known.get(key) ?? distinct.length;
    if (at === distinct.length) distinct.push(memory);
    known.set(key, at);
    return at;
  });
  return { distinct, which };
}

/** `token_ids`, `positions`, `row_mask` and `pair_mask` of the encoder, each item padded to `rows`. */
export function encoderFeeds(batch: readonly EncodeItem[], rows: number): Feeds {
  const tokenIds = new BigInt64Array(batch.length * rows);
  const positions = new BigInt64Array(batch.length * rows);
  const rowMask = new Uint8Array(batch.length * rows);
  const pairs = batch.some(({ pairMask }) => pairMask);
  const pairMask = new Uint8Array(pairs ? batch.length * rows * rows : 1).fill(1);
  for (const [b, item] of batch.entries()) {
    const length = item.tokenIds.length;
    for (let i = 0; i < length; i++) {
      tokenIds[b * rows + i] = BigInt(item.tokenIds[i]!);
      positions[b * rows + i] = BigInt(item.positions?.[i] ?? i);
      rowMask[b * rows + i] = 1;
      if (item.pairMask) pairMask.set(item.pairMask.subarray(i * length, (i + 1) * length), (b * rows + i) * rows);
    }
  }
  return {
    token_ids: int64(tokenIds, [batch.length, rows]),
    positions: int64(positions, [batch.length, rows]),
    row_mask: booleans(rowMask, [batch.length, rows]),
    pair_mask: booleans(pairMask, pairs ? [batch.length, rows, rows] : [1, 1, 1]),
  };
}

/** `states` [batch, stateRows, width] and `visible` [batch, stateRows]; rows beyond a memory's own are zero and invisible. */
export function memoryFeeds(memories: readonly Memory[], stateRows: number, width: number) {
  const states = new Float32Array(memories.length * stateRows * width);
  const visible = new Uint8Array(memories.length * stateRows);
  for (const [b, memory] of memories.entries()) {
    let row = b * stateRows;
    for (const { states: source, start, end, masked } of memory) {
      states.set(source.data.subarray(start * width, end * width), row * width);
      visible.fill(masked ? 0 : 1, row, row + end - start);
      row += end - start;
    }
  }
  return {
    states: float32(states, [memories.length, stateRows, width]),
    visible: booleans(visible, [memories.length, stateRows]),
  };
}

/** The real rows of each item of a [batch, rows, width] tensor, all in one piece of memory, one that threads can share if wanted. */
export function cutRows(tensor: HostTensor, lengths: readonly number[], sharedMemory: boolean): States[] {
  const [, rows, width] = tensor.dims as [number, number, number];
  const data = tensor.data as Float32Array;
  const total = lengths.reduce((a, b) => a + b, 0);
  const sizeBytes = total * width * Float32Array.BYTES_PER_ELEMENT;
  const together = new Float32Array(sharedMemory ? new SharedArrayBuffer(sizeBytes) : new ArrayBuffer(sizeBytes));
  let at = 0;
  return lengths.map((length, b) => {
    const own = together.subarray(at, at + length * width);
    own.set(data.subarray(b * rows * width, (b * rows + length) * width));
    at += own.length;
    return { rows: length, width, data: own };
  });
}

/** Cuts the real rows of each item from a tensor of float16, each item in memory of its own. */
export function cutHalfRows(tensor: HostTensor, lengths: readonly number[]): HalfStates[] {
  const [, rows, width] = tensor.dims as [number, number, number];
  // Where JavaScript has a Float16Array the runtime gives one.
  const { buffer, byteOffset, length: count } = tensor.data as Uint16Array;
  const data = new Uint16Array(buffer, byteOffset, count);
  return lengths.map((length, b) => ({
    rows: length,
    width,
    halves: data.slice(b * rows * width, (b * rows + length) * width),
  }));
}

/** The real rows and columns of each item of a [batch, heads, rows, rows] tensor: [heads * length * length] each. */
export function cutSquares(tensor: HostTensor, lengths: readonly number[]): Float32Array[] {
  const [, heads, rows] = tensor.dims as [number, number, number];
  const data = tensor.data as Float32Array;
  return lengths.map((length, b) => {
    const own = new Float32Array(heads * length * length);
    for (let head = 0; head < heads; head++) {
      for (let row = 0; row < length; row++) {
        const from = ((b * heads + head) * rows + row) * rows;
        own.set(data.subarray(from, from + length), (head * length + row) * length);
      }
    }
    return own;
  });
}
