/**
 * Reads safetensors files: the header in one go, tensor data by ranges and only when asked for.
 * Knows the file format and nothing of the model. Format: 8 bytes little-endian header length, JSON header, data
 * (https://huggingface.co/docs/safetensors).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { DkvError } from '../errors.js';
import { fromFloat16 } from '../float16.js';

/** Element types that weights come in. */
/** Elements of a tensor. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export type StoredType = 'F32' | 'F16' | 'BF16';

const BYTES: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

export interface TensorEntry {
  readonly file: string;
  readonly name: string;
  /** As the header says it; only `StoredType` can be read. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.number().int().nonnegative()),
    data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  }),
);

const MAX_HEADER_BYTES = 100_000_000;

/**
 * The tensors of one file, by name. Nothing but the header is read.
 * @throws DkvError CHECKPOINT_INVALID when the file is missing, truncated or no safetensors file
 */
export async function readHeader(file: string): Promise<Map<string, TensorEntry>> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw invalid(missing ? 'no such file. Is the checkpoint complete?' : String(error));
  }
  try {
    const { size } = await handle.stat();
    const prefix = Buffer.alloc(8);
    if ((await handle.read(prefix, 0, 8, 0)).bytesRead < 8)
      throw invalid(`only ${size} bytes; not a safetensors file.`);
    const headerBytes = Number(prefix.readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES || headerBytes + 8 > size) {
      throw invalid(
        `header length ${headerBytes} does not fit a file of ${size} bytes; truncated, or not a safetensors file.`,
      );
    }
    const text = Buffer.alloc(headerBytes);
    await handle.read(text, 0, headerBytes, 8);
    return parseHeader(text.toString('utf8'), file, 8 + headerBytes, size);
  } finally {
    await handle.close();
  }
}

function parseHeader(text: string, file: string, dataStart: number, fileSize: number): Map<string, TensorEntry> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('the header is not JSON; damaged, or not a safetensors file.');
  }
  delete json.__metadata__;
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) throw invalid(`header: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  const entries = new Map<string, TensorEntry>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(parsed.data)) {
    const [begin, end] = data_offsets;
    if (dataStart + end > fileSize || end < begin) {
      throw invalid(
        `tensor ${name} ends at byte ${dataStart + end}, the file has ${fileSize}: it was cut off. Download it again.`,
      );
    }
    const elementBytes = BYTES[dtype];
    const expected = elementBytes === undefined ? undefined : elementBytes * elementCount(shape);
    if (expected !== undefined && expected !== end - begin) {
      throw invalid(`tensor ${name}: ${dtype} [${shape}] needs ${expected} bytes, the header gives it ${end - begin}.`);
    }
    entries.set(name, { file, name, type: dtype, shape, offset: dataStart + begin, sizeBytes: end - begin });
  }
  return entries;
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
