/** How the bytes of a stored tensor are made from a tensor of the checkpoint. Matrices pass row by row, so memory stays small. */
import { firstNotFinite } from '../../base/finite.js';
import { toFloat16 } from '../../base/float16.js';
import { toBfloat16 } from '../files/safetensors.js';
import type { ElementType } from './builder.js';

/**
 * - `copy`               rounded to the element type
 * - `add-one`            1 added, for RMSNorm scales
 * - `ones`               1 in every place
 * - `row-scales`         of a matrix, each row's largest magnitude / 127: the step of its 8-bit numbers
 * - `rows`               8-bit numbers, each row in steps of its scale, shifted to be 128 at 0 (uint8)
 * - `columns`            8-bit numbers as before but signed, transposed: rows become columns (int8)
 */
export const TRANSFORMS = ['copy', 'add-one', 'ones', 'row-scales', 'rows', 'columns'] as const;
export type Transform = (typeof TRANSFORMS)[number];

/** The number that stands for 0 among 8-bit numbers without a sign. */
export const ZERO_POINT = 128;
/** The number of steps of 8-bit numbers on either side of 0. */
export const STEPS = 127;

type Chunks = AsyncIterable<Float32Array<ArrayBuffer>>;

/**
 * @param chunks whole rows of `width` numbers each
 * @param rows in all
 */
export async function* transformed(
  transform: Transform,
  type: ElementType,
  chunks: Chunks,
  [rows, width]: readonly [number, number],
): AsyncGenerator<Uint8Array> {
  if (transform === 'columns') {
    const columns = new Int8Array(rows * width);
    let row = 0;
    for await (const chunk of chunks) {
      for (const values of rowsOf(chunk, width)) {
        const steps = STEPS / (largest(values) || 1);
        for (let i = 0; i < width; i++) columns[i * rows + row] = byteOf(values[i]!, steps) - ZERO_POINT;
        row++;
      }
    }
    yield new Uint8Array(columns.buffer);
    return;
  }
  for await (const chunk of chunks) yield bytesOf(CHUNKS[transform](chunk, width, type));
}

type TypedArray = Float32Array | Uint16Array | Uint8Array;

const CHUNKS: Record<
  Exclude<Transform, 'columns'>,
  (chunk: Float32Array<ArrayBuffer>, width: number, type: ElementType) => TypedArray
> = {
  copy: (chunk, _, type) => {
    if (type === 'bfloat16') return toBfloat16(chunk);
    return type === 'float16' ? toFloat16(chunk, refuseWeight) : chunk;
  },
  'add-one': (chunk) => chunk.map((value) => value + 1),
  ones: (chunk) => chunk.fill(1),
  'row-scales': (chunk, width) => Float32Array.from(rowsOf(chunk, width), (values) => largest(values) / STEPS),
  rows: (chunk, width) => {
    const bytes = new Uint8Array(chunk.length);
    let at = 0;
    for (const values of rowsOf(chunk, width)) {
      const steps = STEPS / (largest(values) || 1);
      for (let i = 0; i < width; i++) bytes[at++] = byteOf(values[i]!, steps);
    }
    return bytes;
  },
};

function refuseWeight(weight: number): never {
  throw new RangeError(`float16 does not hold the weight ${weight}`);
}

/** The smallest magnitude that would be rounded to infinity: half a step above the largest number. */
const BEYOND: Partial<Record<ElementType, number>> = { float16: 65_520, bfloat16: 2 ** 128 - 2 ** 119 };

/** The first place of a number that is not finite, or would not be at the type that it is to be kept in. */
export function firstBeyond(values: Float32Array, type: ElementType): number | undefined {
  const beyond = BEYOND[type];
  if (beyond === undefined) return firstNotFinite(values);
  for (let at = 0; at < values.length; at++) if (!(Math.abs(values[at]!) < beyond)) return at;
  return undefined;
}

function* rowsOf(chunk: Float32Array, width: number): Generator<Float32Array> {
  for (let at = 0; at < chunk.length; at += width) yield chunk.subarray(at, at + width);
}

/** The largest magnitude; 0 where steps would be too small for float32's full precision. */
function largest(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most < SMALLEST_ROW ? 0 : most;
}

const SMALLEST_ROW = 2 ** -100;

/** The 8-bit number of a value, from 1 to 255: to the nearest, by cutting off a positive number's fraction. */
function byteOf(value: number, stepsPerUnit: number): number {
  return (value * stepsPerUnit + ZERO_POINT + 0.5) | 0;
}

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
