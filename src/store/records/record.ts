/**
 * The bytes of a record. Little-endian; version 1:
 *
 *     0   8  magic "DKVCACHE"
 *     8   4  format version
 *    12   4  H, bytes of the header
 *    16   8  P, bytes of the payload
 *    24   H  header: JSON, padded with spaces so that the payload starts at a multiple of 8
 *  24+H   P  payload: token ids (int32), scales (float32 a row, int8 only), states (float32, float16 or int8), text (UTF-8)
 *     .  32  SHA-256 of everything before it
 *
 * The checksum covers every byte, so a record is either what was written or refused. The header names the key that the record was
 * stored under: a whole record in another's place is refused as well.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Breather } from '../../base/breather.js';
import { asBuffer, sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { fromFloat16 } from '../../base/float16.js';
import { parse } from '../../base/parse.js';
import { SEGMENTS, visibilitySchema } from '../../priming/input.js';
import { type CacheRecord, type Metadata, type RecordIdentity, STATES_PRECISIONS } from '../store.js';
import { expectFinite, fromInt8Rows, statesToFloat16, toInt8Rows } from './quantise.js';
import { parseStoredJson } from './stored-json.js';

/** The version of the bytes. A record's key has a version of its own. */
const FORMAT_VERSION = 1;
const MAGIC = Buffer.from('DKVCACHE', 'latin1');
const CHECKSUM_BYTES = 32;
/** The bytes of a record that are encoded without a rest. */
const PIECE_BYTES = 256 * 1024;
const ENCODING_TURN_MS = 2;
const BYTES_PER_STATE = { float32: 4, float16: 2, int8: 1 } as const;

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);
const rangeSchema = z.strictObject({
  start: z.int().nonnegative().describe('The first row.'),
  end: z.int().nonnegative().describe('The row behind the last one.'),
});
export const metadataSchema: z.ZodType<Metadata> = z.record(z.string(), z.json());
/** The schema of metadata that were just read as JSON. */
export const readMetadataSchema = z.looseObject({}) as unknown as z.ZodType<Metadata>;

export const headerSchema = z.strictObject({
  key: digestSchema.describe('Digest of everything that decides the states.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  modelPrecision: z
    .string()
    .describe('Precision of the model’s weights, with the device where it computes in 16 bits: “float16 on cuda”.'),
  precision: z.enum(STATES_PRECISIONS).describe('Precision of the states.'),
  rows: z.int().nonnegative().describe('Rows of the states.'),
  width: z.int().positive().describe('Numbers in a row.'),
  tokens: z.int().nonnegative().describe('Tokens of the encoder’s input.'),
  spans: z.partialRecord(z.enum(SEGMENTS), rangeSchema).describe('Rows of the input, by segment.'),
  visibility: visibilitySchema.describe('Which rows the decoder sees.'),
  visible: z.array(rangeSchema).describe('The rows of the input that the record keeps.'),
  layoutDigest: digestSchema
    .exactOptional()
    .describe('SHA-256 over positions and mask, where they are not the usual ones.'),
  surrogate: z.json().describe('What stood before the document, and its specification; null for a bare one.'),
  metadata: metadataSchema.describe('What is known of the priming.'),
  text: z.int().nonnegative().nullable().describe('Bytes of the document’s text in UTF-8; null without one.'),
  expiresAt: z.int().nullable().describe('When it expires, in milliseconds since 1970; null: never.'),
});
type Header = z.infer<typeof headerSchema>;

/** The schema of a header that was just read as JSON. Any value of it is JSON then, and need not be walked through. */
const readHeaderSchema: z.ZodType<Header> = headerSchema.extend({
  surrogate: z.custom<Header['surrogate']>((value) => value !== undefined),
  metadata: readMetadataSchema,
});

/** @param expiresAt milliseconds since 1970; undefined: never @throws DkvError INPUT_INVALID */
export function encodeRecord(key: string, record: CacheRecord, expiresAt?: number): Buffer {
  const steps = encoding(key, record, expiresAt);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Encodes a record with rests between its pieces, for a thread that has other things to do. */
export async function encodeRecordInTurns(key: string, record: CacheRecord, expiresAt?: number): Promise<Buffer> {
  const steps = encoding(key, record, expiresAt);
  const turns = new Breather(undefined, undefined, ENCODING_TURN_MS);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await turns.rest();
  }
}

function* encoding(key: string, record: CacheRecord, expiresAt: number | undefined): Generator<undefined, Buffer> {
  const { states, tokenIds, precision } = record;
  expectConsistent(record);
  const text = record.text === undefined ? undefined : Buffer.from(record.text, 'utf8');
  const header = {
    key,
    fingerprint: record.fingerprint,
    modelPrecision: record.modelPrecision,
    precision,
    rows: states.rows,
    width: states.width,
    tokens: tokenIds.length,
    spans: record.spans,
    visibility: record.visibility,
    visible: record.visible,
    ...(record.layoutDigest !== undefined && { layoutDigest: record.layoutDigest }),
    surrogate: record.surrogate,
    metadata: record.metadata,
    text: text?.length ?? null,
    expiresAt: expiresAt ?? null,
  };
  const checked = parse(headerSchema, header, 'INPUT_INVALID', 'The record cannot be stored');
  const ofStates: Uint8Array[] = [];
  for (const piece of stateBytes(record)) {
    ofStates.push(...piece);
    yield;
  }
  return yield* assembling(checked, [asBuffer(tokenIds), ...ofStates, text ?? new Uint8Array()]);
}

/**
 * Gives a record another time of expiry.
 * @param expiresAt milliseconds since 1970; undefined for never
 * @throws DkvError STORE_DAMAGED, STORE_MISMATCH
 */
export function withExpiry(bytes: Uint8Array, key: string, expiresAt: number | undefined): Buffer {
  const { header, payloadAt } = checkRecord(bytes, key);
  const payload = bytes.subarray(payloadAt, bytes.byteLength - CHECKSUM_BYTES);
  return assembled({ ...header, expiresAt: expiresAt ?? null }, [payload]);
}

/** Bytes of a record without its header and checksum. */
export function payloadBytesOf({ states, tokenIds, precision, text }: CacheRecord): number {
  const { rows, width } = states;
  return payloadBytes({ tokens: tokenIds.length, rows, width, precision, text: Buffer.byteLength(text ?? '') });
}

function payloadBytes({
  tokens,
  rows,
  width,
  precision,
  text,
}: Pick<Header, 'tokens' | 'rows' | 'width' | 'precision' | 'text'>): number {
  const scales = precision === 'int8' ? rows * 4 : 0;
  return tokens * 4 + scales + rows * width * BYTES_PER_STATE[precision] + (text ?? 0);
}

function assembled(about: Header, parts: readonly Uint8Array[]): Buffer {
  const steps = assembling(about, parts);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function* assembling(about: Header, parts: readonly Uint8Array[]): Generator<undefined, Buffer> {
  const header = paddedHeader(JSON.stringify(about));
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const bytes = Buffer.allocUnsafeSlow(PREFIX_BYTES + header.length + length + CHECKSUM_BYTES);
  writePrefix(bytes, header.length, length);
  bytes.set(header, PREFIX_BYTES);
  let at = PREFIX_BYTES + header.length;
  const hash = createHash('sha256').update(bytes.subarray(0, at));
  for (const part of parts) {
    for (let from = 0; from < part.byteLength; from += PIECE_BYTES) {
      const piece = part.subarray(from, from + PIECE_BYTES);
      bytes.set(piece, at);
      hash.update(piece);
      at += piece.byteLength;
      if (piece.byteLength === PIECE_BYTES) yield;
    }
  }
  bytes.set(hash.digest(), at);
  return bytes;
}

function writePrefix(bytes: Buffer, headerBytes: number, payloadLength: number): void {
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(headerBytes, 12);
  bytes.writeBigUInt64LE(BigInt(payloadLength), 16);
}

export interface DecodedRecord {
  readonly key: string;
  readonly record: CacheRecord;
  readonly expiresAt: number | undefined;
}

/** Gives memory for this many numbers. */
export type Allocate = (count: number) => Float32Array;

/**
 * Checks and reads a record.
 * @param bytes are only looked at: nothing of them is kept
 * @param key that it was asked for under
 * @param allocate where the states go
 * @throws DkvError STORE_DAMAGED; STORE_MISMATCH for a format of a later version of this package
 */
export function decodeRecord(
  bytes: Uint8Array,
  key: string,
  allocate: Allocate = (count) => new Float32Array(count),
): DecodedRecord {
  const { header, payloadAt } = checkRecord(bytes, key);
  const { rows, width, tokens, precision } = header;
  let at = payloadAt;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const tokenIds = new Int32Array(new Uint8Array(take(tokens * 4)).buffer);
  const data = allocate(rows * width);
  readStates(header, take, data);
  const text = header.text === null ? undefined : asBuffer(take(header.text)).toString('utf8');
  return {
    key,
    expiresAt: header.expiresAt ?? undefined,
    record: {
      fingerprint: header.fingerprint,
      modelPrecision: header.modelPrecision,
      precision,
      tokenIds,
      spans: header.spans,
      visibility: header.visibility,
      visible: header.visible,
      ...(header.layoutDigest !== undefined && { layoutDigest: header.layoutDigest }),
      states: { rows, width, data },
      surrogate: header.surrogate,
      metadata: header.metadata,
      ...(text !== undefined && { text }),
    },
  };
}

/** Checks a record as `decodeRecord` does, without reading its numbers. */
export function inspectRecord(bytes: Uint8Array, key: string): { readonly expiresAt: number | undefined } {
  return { expiresAt: checkRecord(bytes, key).header.expiresAt ?? undefined };
}

/** @throws DkvError STORE_DAMAGED when a record that was found by its key is not of this identity */
export function expectIdentity(key: string, record: CacheRecord, identity: RecordIdentity): void {
  const { tokenIds } = record;
  const wanted = identity.tokenIds;
  if (tokenIds.length === wanted.length && tokenIds.every((id, at) => id === wanted[at])) return;
  throw damaged(key, `its ${tokenIds.length} token ids are not the ${wanted.length} that its key stands for`);
}

/** The header of a record, which is not compared with its checksum. @throws DkvError STORE_DAMAGED */
export function headerIn(bytes: Uint8Array): Header {
  const view = asBuffer(bytes);
  const headerEnd = view.length < PREFIX_BYTES ? 0 : PREFIX_BYTES + view.readUInt32LE(12);
  return parseHeader(view.subarray(PREFIX_BYTES, headerEnd), '(unknown)');
}

/** The key that a record says it was stored under, unchecked. @throws DkvError STORE_DAMAGED */
export function keyIn(bytes: Uint8Array): string {
  return headerIn(bytes).key;
}

/**
 * Takes a record apart, unchecked.
 * @param bytes those of a sound record
 * @returns its header as it stands there, and payload and checksum
 */
export function splitRecord(bytes: Uint8Array): { readonly header: Uint8Array; readonly rest: Uint8Array } {
  const payloadAt = PREFIX_BYTES + asBuffer(bytes).readUInt32LE(12);
  return { header: bytes.subarray(PREFIX_BYTES, payloadAt), rest: bytes.subarray(payloadAt) };
}

/**
 * Puts a record together again, unchecked.
 * @param header JSON
 * @param rest payload and checksum
 */
export function recordWith(header: string, rest: Uint8Array): Buffer {
  const padded = paddedHeader(header);
  const payloadAt = PREFIX_BYTES + padded.length;
  const bytes = Buffer.allocUnsafeSlow(payloadAt + rest.byteLength);
  writePrefix(bytes, padded.length, Math.max(0, rest.byteLength - CHECKSUM_BYTES));
  bytes.set(padded, PREFIX_BYTES);
  bytes.set(rest, payloadAt);
  return bytes;
}

/**
 * Puts a record together where its payload and checksum lie, unchecked.
 * @param at where they begin
 * @param length how many bytes they have
 * @returns undefined where there is too little room for the header in front of them
 */
export function recordBefore(memory: Buffer, at: number, length: number, header: string): Buffer | undefined {
  const padded = paddedHeader(header);
  const start = at - PREFIX_BYTES - padded.length;
  if (start < 0) return undefined;
  const bytes = memory.subarray(start, at + length);
  writePrefix(bytes, padded.length, Math.max(0, length - CHECKSUM_BYTES));
  bytes.set(padded, PREFIX_BYTES);
  return bytes;
}

/** The number of first bytes of a record that tell how long it is. */
export const PREFIX_BYTES = 24;

/** @param prefix the first `PREFIX_BYTES` of a record. @returns how many it says that it has; undefined for what is no record's beginning */
export function announcedBytes(prefix: Buffer): number | undefined {
  if (!prefix.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const header = prefix.readUInt32LE(12);
  const all = BigInt(PREFIX_BYTES + header + CHECKSUM_BYTES) + prefix.readBigUInt64LE(16);
  return header <= LARGEST_HEADER_BYTES && all <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(all) : undefined;
}

/** The header has what a document's metadata are; more is damage. */
const LARGEST_HEADER_BYTES = 64 * 1024 * 1024;

function checkRecord(bytes: Uint8Array, key: string): { header: Header; payloadAt: number } {
  const view = asBuffer(bytes);
  if (view.length < PREFIX_BYTES + CHECKSUM_BYTES) throw damaged(key, `it has only ${view.length} bytes`);
  const end = view.length - CHECKSUM_BYTES;
  if (!sha256(view.subarray(0, end)).equals(view.subarray(end))) throw damaged(key, 'its checksum does not match');
  if (!view.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged(key, 'it does not begin as a record does');
  const version = view.readUInt32LE(8);
  if (version !== FORMAT_VERSION) {
    throw new DkvError(
      'STORE_MISMATCH',
      `Record ${key} has format version ${version}, this package reads up to ${FORMAT_VERSION}. Use a later one.`,
    );
  }
  const payloadAt = PREFIX_BYTES + view.readUInt32LE(12);
  if (BigInt(end - payloadAt) !== view.readBigUInt64LE(16)) throw damaged(key, 'its lengths contradict each other');
  const header = parseHeader(view.subarray(PREFIX_BYTES, payloadAt), key);
  if (header.key !== key) throw damaged(key, `it is the record of ${header.key}`);
  const expected = payloadBytes(header);
  if (end - payloadAt !== expected)
    throw damaged(key, `its header speaks of ${expected} bytes, not ${end - payloadAt}`);
  return { header, payloadAt };
}

function parseHeader(json: Uint8Array, key: string): Header {
  const header = parseStoredJson(readHeaderSchema, json);
  if (header.success) return header.data;
  throw damaged(key, `its header cannot be read: ${header.problem}`);
}

/** Gives the bytes of states, some rows at a time. What int8 keeps beside them stands before all of them. */
function* stateBytes({ states: { data, rows, width }, precision }: CacheRecord): Generator<Uint8Array[]> {
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_BYTES / (width * Float32Array.BYTES_PER_ELEMENT)));
  const scales = new Float32Array(rows);
  const pieces: Uint8Array[] = [];
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const first = row * width;
    const some = data.subarray(first, first + rowsAtOnce * width);
    if (precision === 'float16') yield [asBuffer(statesToFloat16(some, first))];
    else if (precision === 'float32') {
      expectFinite(some, first);
      yield [asBuffer(some)];
    } else {
      const packed = toInt8Rows(some, some.length / width, width, first);
      scales.set(packed.scales, row);
      pieces.push(asBuffer(packed.steps));
      yield [];
    }
  }
  if (precision === 'int8') yield [asBuffer(scales), ...pieces];
}

/** Reads states straight to where they stay, since touching memory for the first time costs more than the copy into it. */
function readStates(
  { precision, rows, width }: Header,
  take: (bytes: number) => Uint8Array,
  values: Float32Array,
): void {
  if (precision === 'float16') {
    const { buffer, byteOffset } = aligned(take(values.length * 2), Uint16Array.BYTES_PER_ELEMENT);
    fromFloat16(new Uint16Array(buffer, byteOffset, values.length), values);
  } else if (precision === 'float32') {
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(take(values.byteLength));
  } else {
    const scales = new Float32Array(new Uint8Array(take(rows * 4)).buffer);
    const { buffer, byteOffset } = take(values.length);
    fromInt8Rows({ steps: new Int8Array(buffer, byteOffset, values.length), scales }, width, values);
  }
}

function expectConsistent({ states, tokenIds, visible }: CacheRecord): void {
  const rows = visible.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0);
  const within = visible.every(({ start, end }) => start <= end && end <= tokenIds.length);
  if (rows === states.rows && within && states.data.length === states.rows * states.width) return;
  throw new DkvError(
    'INPUT_INVALID',
    `The record has ${states.rows} x ${states.width} states in ${states.data.length} numbers; its visible ranges name ${rows} of ${tokenIds.length} tokens. Store the visible rows only, whole.`,
  );
}

function paddedHeader(json: string): Buffer {
  const length = Buffer.byteLength(json);
  return Buffer.from(json + ' '.repeat((8 - ((PREFIX_BYTES + length) % 8)) % 8), 'utf8');
}

function damaged(key: string, reason: string): DkvError {
  return new DkvError('STORE_DAMAGED', `Record ${key} is damaged: ${reason}. It is not served.`);
}

/** The bytes at a place where typed arrays take them. */
function aligned(bytes: Uint8Array, unitBytes: number): Uint8Array {
  return bytes.byteOffset % unitBytes === 0 ? bytes : new Uint8Array(bytes);
}
