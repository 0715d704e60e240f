/**
 * Scales that make 8-bit rounding equally fine for all channels. A row is rounded with one step, by its largest number: where few channels are far
 * larger than the others, as norms with large weights make them, the others lose their digits. What a producer gives in a channel is divided by a
 * scale and the weights that read the channel are multiplied by it (SmoothQuant, Xiao et al. 2023), so that the product stays what it was.
 *
 * Scales are powers of two, which change no digit of a float32 number, and follow from the weights alone. A row's scales do not depend on other
 * rows, so that results still do not depend on the batch.
 */
import type { Checkpoint } from './checkpoint.js';
import { familyOf, type ModelConfig } from './families/families.js';
import { readFloat32 } from './files/safetensors.js';
import type { SmoothedNames } from './graph/layout.js';
import type { Read } from './graph/weights.js';

/** The scales of one tensor. */
export interface Scales {
  /** The scales by which its output is divided: a norm's scale, or a matrix's outputs. Undefined where there are none. */
  readonly divided: Float32Array | undefined;
  /** The scales by which a matrix's columns are multiplied, for what it reads. Undefined where there are none. */
  readonly multiplied: Float32Array | undefined;
}

export interface Smoothing {
  of(tensor: string, read: Read): Scales;
}

/**
 * What a layout must know of the scales: what is divided where it is made. States mean the same at every precision, so their norm is not divided.
 */
export function smoothedNames(config: ModelConfig): SmoothedNames {
  const family = familyOf(config);
  const divided = family.smoothed(config).filter(({ read }) => read === 'rows');
  const names = divided.flatMap(({ producer, bias }) => (bias === undefined ? [producer] : [producer, bias]));
  return { divided: new Set(names), statesNorm: family.statesNorm(config) };
}

/** Reads every matrix that makes or reads smoothed channels once. */
export async function smoothingOf({ config, tensors }: Checkpoint): Promise<Smoothing> {
  const family = familyOf(config);
  const channels = family.smoothed(config);
  const offset = family.normForm === 'add-one' ? 1 : 0;
  const normScale = async (name: string) => {
    for await (const chunk of readFloat32(tensors.get(name)!)) return chunk.map((value) => Math.abs(offset + value));
    throw new Error(`${name} is empty`);
  };
  const normBefore = new Map(channels.map(({ producer, norm }) => [producer, norm]));
  const concerned = new Set(channels.flatMap(({ producer, readers }) => [producer, ...readers]));
  const sizes = new Map<string, Sizes>();
  for (const [name, tensor] of tensors) {
    if (tensor.shape.length !== 2 || !concerned.has(name)) continue;
    const norm = normBefore.get(name);
    const chunks = readFloat32(tensor, wholeRows(tensor.shape));
    sizes.set(name, await sizesOf(chunks, tensor.shape, norm ? await normScale(norm) : undefined));
  }
  const divided = new Map<string, Float32Array>();
  const multiplied = new Map<string, Float32Array>();
  for (const { producer, bias, readers, read, channelOf } of channels) {
    const given = sizes.get(producer)?.rows ?? (await normScale(producer));
    const used = new Float32Array(given.length);
    for (const reader of readers) {
      for (const [column, size] of sizes.get(reader)!.columns.entries()) {
        const channel = channelOf ? channelOf(column) : column;
        used[channel] = Math.max(used[channel]!, size);
      }
    }
    const scales = scalesOf(given, used);
    // A norm of states is divided by nobody; its scales are what the reader of states divides by.
    divided.set(producer, scales);
    if (bias !== undefined) divided.set(bias, scales);
    for (const reader of readers) {
      const width = sizes.get(reader)!.columns.length;
      const own = channelOf ? Float32Array.from({ length: width }, (_, column) => scales[channelOf(column)]!) : scales;
      multiplied.set(`${read} ${reader}`, own);
    }
  }
  return { of: (tensor, read) => ({ divided: divided.get(tensor), multiplied: multiplied.get(`${read} ${tensor}`) }) };
}

interface Sizes {
  /** The root mean square of each row, its columns as large as what they read; and the largest magnitude of each column. */
  readonly rows: Float32Array;
  readonly columns: Float32Array;
}

async function sizesOf(
  chunks: AsyncIterable<Float32Array>,
  [rows, width]: readonly number[],
  given: Float32Array | undefined,
): Promise<Sizes> {
  const sizes = { rows: new Float32Array(rows!), columns: new Float32Array(width!) };
  let row = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += width!) {
      let squares = 0;
      for (let column = 0; column < width!; column++) {
        const size = Math.abs(chunk[at + column]!);
        squares += (size * (given?.[column] ?? 1)) ** 2;
        if (size > sizes.columns[column]!) sizes.columns[column] = size;
      }
      sizes.rows[row++] = Math.sqrt(squares / width!);
    }
  }
  return sizes;
}

function wholeRows(shape: readonly number[]): number {
  const width = shape.at(-1)!;
  return width * Math.max(1, Math.floor(2 ** 21 / width));
}

/** The part of a channel's size that goes to the weights that read it; the rest stays with what is read. Measured: docs/benchmarks.md. */
const SHARE = 0.75;

/** The smallest size that counts: channels that are next to nothing, or next to never read, would get next to infinite scales. */
const SMALLEST = 2 ** -20;

/**
 * @param given how large each channel is, up to a common factor
 * @param used how large the weights that read it are
 */
function scalesOf(given: Float32Array, used: Float32Array): Float32Array {
  const floor = (sizes: Float32Array) =>
    Math.max(Number.MIN_VALUE, SMALLEST * sizes.reduce((a, b) => Math.max(a, b), 0));
  const [least, leastUsed] = [floor(given), floor(used)];
  const exponents = Array.from(
    given,
    (size, channel) =>
      SHARE * Math.log2(Math.max(size, least)) - (1 - SHARE) * Math.log2(Math.max(used[channel]!, leastUsed)),
  );
  const middle = [...exponents].sort((a, b) => a - b)[Math.floor(exponents.length / 2)]!;
  return Float32Array.from(exponents, (exponent) => 2 ** Math.round(exponent - middle));
}

/** Rows of a matrix divided by the scales of what they give, columns multiplied by those of what they read. In place. */
export async function* readSmoothed(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  width: number,
  { divided, multiplied }: Scales,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  let row = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += width, row++) {
      const divisor = divided?.[row] ?? 1;
      for (let column = 0; column < width; column++) chunk[at + column]! *= (multiplied?.[column] ?? 1) / divisor;
    }
    yield chunk;
  }
}

/** A vector of float32 numbers divided by the scales of its channels, as bytes. */
export function smoothedVector(bytes: Uint8Array, { divided }: Scales): Uint8Array {
  const values = new Float32Array(bytes.slice().buffer);
  return new Uint8Array(values.map((value, channel) => value / (divided?.[channel] ?? 1)).buffer);
}
