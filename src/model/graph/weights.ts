/**
 * Where each weight lies in the compiled weights file.
 *
 * Graphs ask for the tensors they use; the first request places a tensor at the next aligned offset, further ones find it there.
 * So the graphs are the only list of what a compiled model holds, and all graphs share one copy of each weight.
 */

import { elementCount } from '../files/safetensors.js';
import type { ElementType, ExternalTensor } from './builder.js';
import type { Transform } from './transforms.js';

/** The input of a matrix: the rows that its own stack makes, or the encoder's states. */
export type Read = 'rows' | 'states';

export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dimensions: readonly number[];
  /** The canonical name of the checkpoint's tensor. */
  readonly source: string;
  /** The first row and the number of rows of a matrix; all rows by default. */
  readonly sourceRows?: readonly [start: number, count: number];
  readonly transform: Transform;
  /**
   * Where a tensor is smoothed: it is divided as its output is, and a matrix is multiplied for what it reads. Left out, the tensor stays as it is.
   */
  readonly smoothed?: Read;
}

export interface PlacedTensor extends StoredTensor {
  readonly offset: number;
  readonly sizeBytes: number;
}

export const WEIGHTS_FILE = 'weights.bin';

/** Weights start at page boundaries, so that the runtime can map them instead of copying. */
const ALIGNMENT_BYTES = 4096;

const ELEMENT_BYTES: Record<ElementType, number> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

export class Weights {
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #placed = new Map<string, PlacedTensor>();
  #end = 0;

  /**
   * @param shapes canonical name -> shape of every tensor of the checkpoint
   * @param placed what an existing weights file holds; none for a file that is yet to be written
   */
  constructor(shapes: ReadonlyMap<string, readonly number[]>, placed: readonly PlacedTensor[] = []) {
    this.#shapes = shapes;
    for (const tensor of placed) this.#placed.set(tensor.name, tensor);
    this.#end = Math.max(0, ...placed.map(({ offset, sizeBytes }) => aligned(offset + sizeBytes)));
  }

  /** The shape of a checkpoint tensor. */
  shape(source: string): readonly number[] {
    const shape = this.#shapes.get(source);
    if (!shape) throw new Error(`graph asks for unknown tensor ${source}`);
    return shape;
  }

  /** The place of a stored tensor; placed now if this is the first request for its name. */
  place(tensor: StoredTensor): ExternalTensor {
    let placed = this.#placed.get(tensor.name);
    if (!placed) {
      const sizeBytes = ELEMENT_BYTES[tensor.type] * elementCount(tensor.dimensions);
      placed = { ...tensor, offset: this.#end, sizeBytes };
      this.#placed.set(tensor.name, placed);
      this.#end = aligned(this.#end + sizeBytes);
    }
    const { name, type, dimensions, offset, sizeBytes } = placed;
    return { name, type, dimensions, offset, sizeBytes, file: WEIGHTS_FILE };
  }

  /** Everything placed so far, in file order. */
  get placed(): readonly PlacedTensor[] {
    return [...this.#placed.values()];
  }

  get sizeBytes(): number {
    return this.#end;
  }
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/** Rows `start` to `start + count` of a matrix, as a tensor of its own over the same bytes. */
export function sliceRows(tensor: ExternalTensor, start: number, count: number): ExternalTensor {
  const [rows, ...rest] = tensor.dimensions;
  const rowBytes = tensor.sizeBytes / rows!;
  return {
    ...tensor,
    name: `${tensor.name}[${start}:${start + count}]`,
    dimensions: [count, ...rest],
    offset: tensor.offset + start * rowBytes,
    sizeBytes: count * rowBytes,
  };
}
