/**
 * Rows of the table of tokens, read from the weights file for graphs that do not hold it. A text's tokens are few of the vocabulary's, and many of them the
 * same: rows that were read are kept up to a limit.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { fromFloat16 } from '../base/float16.js';
import type { CompiledModel } from '../model/compiled.js';
import { familyOf } from '../model/families/families.js';
import { type PlacedTensor, WEIGHTS_FILE } from '../model/graph/weights.js';
import type { EncodeItem } from './engine.js';
import type { HostTensor } from './runtime.js';
import { float32 } from './tensors.js';

/** The bytes of rows that are kept. */
const KEPT_BYTES = 0.25e9;

export class TokenRows {
  readonly #file: string;
  readonly #table: PlacedTensor;
  readonly #width: number;
  readonly #known = new Map<number, Float32Array>();
  #handle: number | undefined;

  /**
   * Opens the table of tokens; it reads nothing yet.
   * @param model a model of a precision whose table is stored by rows, which int8's is not
   */
  constructor({ directory, tensors, config }: CompiledModel) {
    const { table } = familyOf(config);
    const placed = tensors.find(({ name, transform }) => name === table && transform === 'copy');
    if (!placed) throw new Error(`no table ${table} by rows`);
    this.#file = path.join(directory, WEIGHTS_FILE);
    this.#table = placed;
    this.#width = placed.dimensions[1]!;
  }

  /** `token_rows` of a batch, each item padded to `rows` with zeros. @throws DkvError CACHE_DAMAGED */
  feed(items: readonly EncodeItem[], rows: number): HostTensor {
    const width = this.#width;
    const values = new Float32Array(items.length * rows * width);
    for (const [b, { tokenIds }] of items.entries()) {
      for (const [i, id] of tokenIds.entries()) values.set(this.#row(id), (b * rows + i) * width);
    }
    return float32(values, [items.length, rows, width]);
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
    this.#handle = undefined;
    this.#known.clear();
  }

  #row(id: number): Float32Array {
    const known = this.#known.get(id);
    if (known) return known;
    if (this.#known.size * this.#width * Float32Array.BYTES_PER_ELEMENT >= KEPT_BYTES) this.#known.clear();
    const row = this.#read(id);
    this.#known.set(id, row);
    return row;
  }

  #read(id: number): Float32Array {
    this.#handle ??= openSync(this.#file, 'r');
    const { type, offset, sizeBytes, dimensions } = this.#table;
    const bytes = new Uint8Array(sizeBytes / dimensions[0]!);
    const read = readSync(this.#handle, bytes, 0, bytes.length, offset + id * bytes.length);
    if (read !== bytes.length) {
      throw new DkvError('CACHE_DAMAGED', `${this.#file}: ends before the row of token ${id}. Remove its folder.`);
    }
    if (type === 'float32') return new Float32Array(bytes.buffer);
    const halves = new Uint16Array(bytes.buffer);
    return type === 'float16' ? fromFloat16(halves) : fromBfloat16(halves);
  }
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
