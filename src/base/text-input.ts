/**
 * Files that users give us, and the standard input, as text: what is compressed by gzip is unpacked, a byte order mark is left out, and
 * bytes that are no UTF-8 are refused, since a replacement character in their place would make one text of two. Knows nothing of what the
 * lines say.
 */
import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DkvError, messageOf } from './errors.js';
import { fileError } from './files.js';

export interface Line {
  /** The line's number, counted from 1. */
  readonly number: number;
  /** The line without its line feed, or the error that says why this line cannot be read. */
  readonly content: string | DkvError;
}

export interface LineOptions {
  /** Aborting this signal ends the lines at once, also while the next one is awaited. */
  readonly signal?: AbortSignal | undefined;
  /** The longest line in bytes; `LINE_BYTES` by default. A longer line is replaced by an error and is never held in memory. */
  readonly maxBytes?: number;
}

/** Far beyond any document that a model reads, and far below the longest string of the JavaScript engine. */
export const LINE_BYTES = 64 * 1024 ** 2;

/** @throws DkvError INPUT_INVALID when there is no such file, FILES_UNUSABLE when it cannot be opened */
export async function openFile(file: string, name: string = file): Promise<Readable> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? invalid(name, 'no such file.') : fileError(error, name);
  });
  if (found.isDirectory()) throw invalid(name, 'a folder, and a file was expected.');
  const stream = createReadStream(file);
  await once(stream, 'open').catch((error) => {
    throw fileError(error, name);
  });
  return stream;
}

/**
 * Reads the text of a whole file.
 * @param name the file's name, for messages
 * @throws DkvError INPUT_INVALID when it cannot be read, or is not text in UTF-8
 */
export async function readText(file: string, name: string = file): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of plainBytes(await openFile(file, name), name)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw notUtf8(name, bytes, 1, 0);
  return bytes.toString('utf8');
}

/**
 * Lines end at a line feed and nowhere else: U+2028, U+0085 and a carriage return alone are part of a line. The carriage return before a
 * line feed is left to the reader.
 *
 * A line that is no UTF-8 is an error in its place in a file that has other characters in UTF-8; where it is the first line with anything
 * but ASCII, the file is of another encoding, and the error is thrown.
 * @param input of bytes
 * @param name for messages
 * @throws DkvError INPUT_INVALID for what is wrong with the whole: an encoding or compression that is not read, a damaged one
 */
export async function* textLines(
  input: Readable,
  name: string,
  { signal, maxBytes = LINE_BYTES }: LineOptions = {},
): AsyncGenerator<Line> {
  const stop = () => input.destroy();
  signal?.addEventListener('abort', stop);
  const decode = lineDecoder(name);
  let number = 0;
  let offset = 0;
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  const take = (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > maxBytes) pieces = [];
    else pieces.push(piece);
  };
  const finish = (end: number): Line => {
    number++;
    const tooLong = () => invalid(`${name}, line ${number}`, `${bytes} bytes long; at most ${maxBytes} are read.`);
    const content = bytes > maxBytes ? tooLong() : decode(joined(pieces, bytes), number, offset);
    [pieces, bytes, offset] = [[], 0, offset + bytes + end];
    return { number, content };
  };
  try {
    for await (const chunk of plainBytes(input, name)) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        take(chunk.subarray(start, end));
        yield finish(1);
        start = end + 1;
      }
      take(chunk.subarray(start));
    }
    if (bytes > 0) yield finish(0);
  } catch (error) {
    if (!signal?.aborted) throw fileError(error, name);
  } finally {
    signal?.removeEventListener('abort', stop);
    input.destroy();
  }
}

const LINE_FEED = 0x0a;

function joined(pieces: readonly Uint8Array[], bytes: number): Buffer {
  const [first] = pieces;
  if (pieces.length === 1 && first) return Buffer.from(first.buffer, first.byteOffset, first.length);
  return Buffer.concat(pieces, bytes);
}

function lineDecoder(name: string): (line: Buffer, number: number, offset: number) => string | DkvError {
  let isUtf8File = false;
  return (line, number, offset) => {
    if (!isUtf8(line)) {
      if (!isUtf8File) throw notUtf8(name, line, number, offset);
      const at = firstBadByte(line);
      return invalid(`${name}, line ${number}`, `byte ${at + 1} (${hex(line[at]!)}) is no UTF-8.`);
    }
    const text = line.toString('utf8');
    isUtf8File ||= text.length !== line.length;
    return text;
  };
}

const MAGIC: readonly (readonly [bytes: readonly number[], what: string, advice: string])[] = [
  [
    [...Buffer.from('version https://git-lfs.github.com/spec/')],
    'a Git LFS pointer, not the file itself',
    'Run "git lfs pull" in its folder.',
  ],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed by zstd, which is not read', 'Unpack it: zstd -d FILE.'],
  [[0x42, 0x5a, 0x68], 'compressed by bzip2, which is not read', 'Unpack it: bunzip2 FILE.'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed by xz, which is not read', 'Unpack it: unxz FILE.'],
  [
    [0x50, 0x4b, 0x03, 0x04],
    'a ZIP archive or an Excel workbook',
    'Unpack it, or save the sheet as "CSV UTF-8" (.csv).',
  ],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file', 'Give it a name that ends in .parquet.'],
];
const GZIP = [0x1f, 0x8b];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const UTF_32_LE = [0xff, 0xfe, 0, 0];
const UTF_16: readonly (readonly [mark: readonly number[], name: string])[] = [
  [UTF_32_LE, 'UTF-32LE'],
  [[0, 0, 0xfe, 0xff], 'UTF-32BE'],
  [[0xff, 0xfe], 'UTF-16LE'],
  [[0xfe, 0xff], 'UTF-16BE'],
];
/**
 * The number of bytes read to recognise a file, as many as its longest mark has. The Git LFS pointer's 40 are not waited for, since a program that
 * writes short lines and waits for answers must not be kept waiting.
 */
const MAGIC_BYTES = 5;

/** Unpacks the bytes and leaves out a byte order mark. */
async function* plainBytes(input: AsyncIterable<unknown>, name: string, isUnpacked = false): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<string | Uint8Array>;
  const head = await firstBytes(chunks);
  const all = followedBy(head, chunks);
  if (beginsWith(head, GZIP) && !isUnpacked) {
    yield* plainBytes(unpacked(all, name), name, true);
    return;
  }
  expectText(head, name);
  let skip = beginsWith(head, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  for await (const chunk of all) {
    yield chunk.subarray(skip);
    skip = 0;
  }
}

/** Reads the first chunk, and more until it can be seen what the bytes are. */
async function firstBytes(chunks: AsyncIterator<string | Uint8Array>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, bytesOf(next.value)]);
  }
  return head;
}

async function* followedBy(head: Buffer, chunks: AsyncIterator<string | Uint8Array>): AsyncGenerator<Buffer> {
  try {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield bytesOf(next.value);
  } finally {
    await chunks.return?.();
  }
}

function bytesOf(chunk: string | Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
}

async function* unpacked(input: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  // An error of either side arrives at the reader.
  pipeline(Readable.from(input), gunzip, () => undefined);
  try {
    yield* gunzip;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw error;
    throw invalid(
      name,
      code === 'Z_BUF_ERROR'
        ? 'the gzip stream ends in the middle: the file was cut off. Fetch or write it again.'
        : `the gzip stream is damaged: ${messageOf(error)}. Fetch or write it again.`,
    );
  }
}

/** What a file is instead of text, and what to do, by its first bytes (40 tell all); undefined for what is not known. */
export function otherForm(head: Buffer): string | undefined {
  const [, what, advice] = MAGIC.find(([bytes]) => beginsWith(head, bytes)) ?? [];
  return what && `${what}. ${advice}`;
}

/** @throws DkvError INPUT_INVALID for what is no text in UTF-8, as far as the first bytes tell */
function expectText(head: Buffer, name: string): void {
  const other = otherForm(head);
  if (other) throw invalid(name, other);
  if (beginsWith(head, GZIP)) throw invalid(name, 'compressed by gzip twice. Unpack it once: gunzip FILE.');
  const encoding = UTF_16.find(([mark]) => beginsWith(head, mark))?.[1] ?? wideEncoding(head);
  if (encoding) throw otherEncoding(name, encoding, `it is ${encoding}`);
}

/** UTF-16 without a mark: of mostly Latin text every other byte is 0. */
function wideEncoding(head: Buffer): string | undefined {
  const zeros = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) zeros[at % 2]!++;
  const [even = 0, odd = 0] = zeros;
  if (Math.max(even, odd) < 0.3 * (head.length / 2) || head.length < 8) return undefined;
  return even > odd ? 'UTF-16BE' : 'UTF-16LE';
}

function notUtf8(name: string, bytes: Buffer, line: number, offset: number): DkvError {
  const at = firstBadByte(bytes);
  const lines = bytes.subarray(0, at).filter((byte) => byte === LINE_FEED).length;
  // Windows-1252 has letters where Latin-1 has control characters.
  const isWindows = bytes.some((byte) => byte >= 0x80 && byte < 0xa0);
  const [encoding, known] = isWindows ? ['WINDOWS-1252', 'Windows-1252'] : ['ISO-8859-1', 'ISO-8859-1 (Latin-1)'];
  return otherEncoding(
    name,
    encoding,
    `byte ${hex(bytes[at]!)} at offset ${offset + at} (line ${line + lines}) is no UTF-8; it may be ${known}`,
  );
}

function otherEncoding(name: string, encoding: string, finding: string): DkvError {
  return invalid(
    name,
    `text in UTF-8 was expected, and ${finding}. Convert it: iconv -f ${encoding} -t UTF-8 FILE > CONVERTED.`,
  );
}

/** Finds the first byte that is not UTF-8. */
function firstBadByte(bytes: Buffer): number {
  // The decoder puts U+FFFD for the first bad byte; before it the text may have some of its own.
  const text = bytes.toString('utf8');
  let at = 0;
  for (let from = 0; ; ) {
    const mark = text.indexOf('\ufffd', from);
    at += Buffer.byteLength(text.slice(from, mark));
    if (!beginsWith(bytes.subarray(at), [0xef, 0xbf, 0xbd])) return at;
    at += 3;
    from = mark + 1;
  }
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0').toUpperCase()}`;
}

function invalid(name: string, message: string): DkvError {
  return new DkvError('INPUT_INVALID', `${name}: ${message}`);
}
