/**
 * Reads safetensors files: the header in one go, tensor data by ranges and only when asked for.
 * Knows the file format and nothing of the model. Format: 8 bytes little-endian header length, JSON header, data
 * (https://huggingface.co/docs/safetensors). What the safetensors library refuses is refused here: the tensors of a file lie one after
 * the other and fill it, so that no byte belongs to two of them or to none.
 */
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileError } from '../../base/files.js';
import { fromFloat16 } from '../../base/float16.js';
import { parse } from '../../base/parse.js';
import { expectFileOrNothing, fileSize } from './json-file.js';

/** The number of elements of a tensor. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The element types that weights may have. */
export type StoredType = 'F32' | 'F16' | 'BF16';

const BYTES: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

/** The number of bits of every element type of the format. */
const BITS = new Map(
  Object.entries({
    4: 'F4',
    6: 'F6_E2M3 F6_E3M2',
    8: 'BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ',
    16: 'I16 U16 F16 BF16',
    32: 'I32 U32 F32',
    64: 'I64 U64 F64 C64',
  }).flatMap(([bits, types]) => types.split(' ').map((type): [string, number] => [type, Number(bits)])),
);

export interface TensorEntry {
  readonly file: string;
  readonly name: string;
  /** The element type as the header says it. Only a `StoredType` can be read. */
  readonly type: string;
  readonly shape: readonly number[];
  /** The place of the first byte, from the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

const count = z.number().int().nonnegative();
const tensorSchema = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });
const metadataSchema = z.record(z.string(), z.string()).nullish();

const MAX_HEADER_BYTES = 100_000_000;

/**
 * The tensors of one file, by name. Nothing but the header is read.
 * @throws DkvError CHECKPOINT_INVALID when the file is missing, truncated or no safetensors file; FILES_UNUSABLE when it cannot be read
 */
export async function readHeader(file: string): Promise<Map<string, TensorEntry>> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  const size = await fileSize(file);
  if (size === undefined) throw invalid('no such file. Is the checkpoint complete?');
  await expectFileOrNothing(file);
  const handle = await open(file).catch((error: unknown) => {
    throw fileError(error, file);
  });
  try {
    const prefix = Buffer.alloc(8);
    if ((await handle.read(prefix, 0, 8, 0)).bytesRead < 8) {
      throw invalid(`only ${size} bytes; not a safetensors file.`);
    }
    const headerBytes = Number(prefix.readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES || headerBytes + 8 > size) {
      throw invalid(
        `header length ${headerBytes} does not fit a file of ${size} bytes; truncated, or not a safetensors file.`,
      );
    }
    const header = Buffer.alloc(headerBytes);
    await handle.read(header, 0, headerBytes, 8);
    return parseHeader(header, file, 8 + headerBytes, size);
  } finally {
    await handle.close();
  }
}

function parseHeader(header: Uint8Array, file: string, dataStart: number, sizeBytes: number): Map<string, TensorEntry> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  const { __metadata__: metadata, ...tensors } = parseStrictly(header, invalid);
  if (!metadataSchema.safeParse(metadata).success)
    throw invalid('header: __metadata__ is not a map of texts to texts.');
  const entries = Object.entries(tensors).map(([name, value]): TensorEntry => {
    if (/\p{Surrogate}/u.test(name)) throw invalid(`header: the name ${JSON.stringify(name)} is not Unicode text.`);
    const where = `${file}: header, tensor ${name}`;
    const { dtype, shape, data_offsets } = parse(tensorSchema, value, 'CHECKPOINT_INVALID', where);
    const [begin, end] = data_offsets;
    const bits = BITS.get(dtype);
    if (bits === undefined) throw invalid(`tensor ${name} has type ${dtype}, which safetensors does not know.`);
    const expected = (bits * exactCount(shape)) / 8;
    if (!Number.isSafeInteger(expected)) {
      throw invalid(`tensor ${name}: ${dtype} [${shape}] does not make a whole number of bytes that can be counted.`);
    }
    if (expected !== end - begin) {
      throw invalid(`tensor ${name}: ${dtype} [${shape}] needs ${expected} bytes, the header gives it ${end - begin}.`);
    }
    return { file, name, type: dtype, shape, offset: dataStart + begin, sizeBytes: expected };
  });
  let covered = dataStart;
  for (const { name, offset, sizeBytes } of entries.toSorted(
    (a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes,
  )) {
    if (offset !== covered) {
      const problem = offset < covered ? 'lies over another one' : 'leaves bytes in front of it that belong to none';
      throw invalid(`tensor ${name} begins at byte ${offset}, expected ${covered}: it ${problem}.`);
    }
    covered += sizeBytes;
  }
  if (covered > sizeBytes) {
    throw invalid(`its tensors end at byte ${covered}, the file has ${sizeBytes}: it was cut off. Download it again.`);
  }
  if (covered < sizeBytes) {
    throw invalid(`has ${sizeBytes - covered} bytes behind its last tensor, which belong to none. Download it again.`);
  }
  return new Map(entries.map((entry) => [entry.name, entry]));
}

/** Multiplies sizes; NaN where the product cannot be counted. */
function exactCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => (Number.isSafeInteger(a * b) ? a * b : Number.NaN), 1);
}

/** `JSON.parse` takes the last of two values of one name, and numbers that are not whole: here either is refused. */
function parseStrictly(header: Uint8Array, invalid: (message: string) => DkvError): Record<string, unknown> {
  let json: unknown;
  let bare: string;
  let names: number;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
    json = JSON.parse(text);
    bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/true|false|null/g, '');
    names = countNames(json);
  } catch (error) {
    throw invalid(`the header is not JSON: ${messageOf(error)}. Damaged, or not a safetensors file.`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid('the header is not a JSON object; damaged, or not a safetensors file.');
  }
  // Outside of texts there is a colon for every name.
  if (bare.split(':').length - 1 !== names) throw invalid('the header has a name twice.');
  if (/[-+.eE]/.test(bare)) throw invalid('the header has a number that is negative or not whole.');
  return json as Record<string, unknown>;
}

/** The nesting depth that the library reads at most. */
const MAX_DEPTH = 127;

function countNames(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) throw new Error('it is nested too deeply');
  const inside = Object.values(value).reduce((sum: number, item) => sum + countNames(item, depth + 1), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}

/** Some rows of a tensor as a tensor of its own over the same bytes; a vector is one row. */
export function rowsOf(tensor: TensorEntry, [start, count]: readonly [number, number]): TensorEntry {
  const width = tensor.shape.at(-1)!;
  const rowBytes = (tensor.sizeBytes * width) / elementCount(tensor.shape);
  return {
    ...tensor,
    shape: [count, width],
    offset: tensor.offset + start * rowBytes,
    sizeBytes: count * rowBytes,
  };
}

/** A tensor's values as float32, `chunkElements` at a time, so that memory does not grow with the tensor. */
export async function* readFloat32(
  tensor: TensorEntry,
  chunkElements = 2 * 1024 * 1024,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const elementBytes = BYTES[tensor.type];
  if (elementBytes === undefined) {
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${tensor.file}: tensor ${tensor.name} has type ${tensor.type}; expected F32, F16 or BF16.`,
    );
  }
  const handle = await open(tensor.file);
  try {
    const buffer = new ArrayBuffer(chunkElements * elementBytes);
    for (let done = 0; done < tensor.sizeBytes; ) {
      const length = Math.min(buffer.byteLength, tensor.sizeBytes - done);
      const { bytesRead } = await handle.read(new Uint8Array(buffer), 0, length, tensor.offset + done);
      if (bytesRead < length) {
        throw new DkvError('CHECKPOINT_INVALID', `${tensor.file}: ended while tensor ${tensor.name} was read.`);
      }
      yield toFloat32(buffer, length / elementBytes, tensor.type as StoredType);
      done += length;
    }
  } finally {
    await handle.close();
  }
}

/** Widens `count` elements at the start of `buffer`; the result does not share memory with it. */
export function toFloat32(buffer: ArrayBuffer, count: number, type: StoredType): Float32Array<ArrayBuffer> {
  if (type === 'F32') return new Float32Array(buffer, 0, count).slice();
  const halves = new Uint16Array(buffer, 0, count);
  if (type === 'F16') return fromFloat16(halves);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Rounds to the nearest bfloat16, ties to even; values that are bfloat16 already stay what they are. */
export function toBfloat16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const word = words[i]!;
    // A NaN must not be rounded up into infinity.
    halves[i] = Number.isNaN(values[i]!) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
