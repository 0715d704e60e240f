/**
 * JSON that carries its own checksum, for the files of a run folder that are read again: lines (`samples.jsonl`, `trials.jsonl`) and whole files
 * (`run.json`, `summary.json`).
 *
 * The last member of the object is `"crc32"`: eight lower-case hexadecimal digits of the CRC-32 (zlib's, gzip's and PNG's) of all bytes before the comma
 * in front of it. What was written before there were checksums has none and is read without.
 */
import { crc32 } from '../../base/crc32.js';
import { DkvError, messageOf } from '../../base/errors.js';

/** The content of a file: its bytes, or its text, whose UTF-8 encoding the bytes are. */
export type FileContent = string | Uint8Array;

const UTF8 = new TextEncoder();
/** A decoder without replacement characters, which would let damaged bytes pass as text. */
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of a file's content. A text is copied, bytes are not. */
export function bytesOf(content: FileContent): Uint8Array {
  return typeof content === 'string' ? UTF8.encode(content) : content;
}

/** The bytes with which gzip's files begin. */
const GZIP = [0x1f, 0x8b];

/** The bytes of a file that may be compressed. @throws DkvError INPUT_INVALID where it still is */
export function unpackedBytesOf(content: FileContent, file: string): Uint8Array {
  const bytes = bytesOf(content);
  if (bytes[0] !== GZIP[0] || bytes[1] !== GZIP[1]) return bytes;
  const advice = file.endsWith('.gz') ? 'unpack it once (gunzip)' : `give it the name ${file}.gz`;
  throw new DkvError(
    'INPUT_INVALID',
    `${file} is compressed by gzip. Unpack it with unpackLines before it is read; in a run folder, ${advice}.`,
  );
}

const MEMBER = 'crc32';

/** The checksum's member, from the comma to the end. A line break may follow the brace. */
const SEAL = new RegExp(`,(?:\\n  )?"${MEMBER}": ?"([0-9a-f]{8})"\\n?\\}\\n?$`);
const LONGEST_SEAL = 32;

/**
 * Seals one line, with its line break.
 * @param value an object with at least one member
 */
export function sealedLine(value: object): string {
  return sealedLineAfter(0, value);
}

/** Seals one line with a checksum that goes on from another one, as `checksumOf` gives it. */
export function sealedLineAfter(before: number, value: object): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"${MEMBER}":"${hexadecimal(crc32(UTF8.encode(body), before))}"}\n`;
}

/** The checksum that stands in such a line. */
export function checksumOf(value: object): number {
  return crc32(UTF8.encode(JSON.stringify(value).slice(0, -1)));
}

/** The CRC-32 of a whole file's bytes, as records of other files name it. */
export function fileChecksum(bytes: Uint8Array): string {
  return hexadecimal(crc32(bytes));
}

/**
 * Seals a whole file, indented.
 * @param value an object with at least one member
 */
export function sealedFile(value: object): string {
  const body = JSON.stringify(value, null, 2).slice(0, -2);
  return `${body},\n  "${MEMBER}": "${hexadecimal(crc32(UTF8.encode(body)))}"\n}\n`;
}

const FROM_NONE: readonly number[] = [0];

/**
 * The value without its checksum, and whether there was one.
 * @param before checksums that its own may go on from
 * @throws Error saying what is wrong: bytes that are not UTF-8, a checksum of other bytes, no JSON
 */
export function unseal(bytes: Uint8Array, before = FROM_NONE): { value: unknown; sealed: boolean } {
  const start = Math.max(0, bytes.length - LONGEST_SEAL);
  const seal = SEAL.exec(String.fromCharCode(...bytes.subarray(start)));
  if (seal) {
    const body = bytes.subarray(0, start + seal.index);
    if (!before.some((one) => hexadecimal(crc32(body, one)) === seal[1])) {
      throw new Error('the checksum is of other bytes than these');
    }
  }
  const value = parsed(decode(bytes));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, MEMBER)) return { value, sealed: false };
  if (!seal) throw new Error(`"${MEMBER}" is not a checksum at the end`);
  const rest = Object.entries(value).filter(([name]) => name !== MEMBER);
  return { value: Object.fromEntries(rest), sealed: true };
}

/** Parses JSON with a message of one line. JSON.parse quotes what it was given, line breaks included. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(messageOf(error).replace(/\s+/g, ' '), { cause: error });
  }
}

function hexadecimal(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function decode(bytes: Uint8Array): string {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    throw new Error('bytes that are not UTF-8');
  }
}

const LINE_BREAK = 0x0a;

/** The number of bytes that are whole lines. */
export function wholeLines(bytes: Uint8Array): number {
  return bytes.lastIndexOf(LINE_BREAK) + 1;
}

/** The number of lines that a message names. */
const NAMED_LINES = 5;

/** The place of lines in a file. */
interface LinesPlace {
  /** The number of the first of them; 1 when left out. */
  readonly first?: number;
  /** Checksums that theirs may go on from; none when left out. */
  readonly before?: readonly number[];
}

/**
 * Every line of a file, checked; none may lack a checksum once another before it has one.
 * @param bytes whole lines: what stands behind the last line break is not read
 * @param check gives what a line's value is, or throws
 * @param advice what to do about damaged lines, a sentence
 * @throws DkvError RUN_DAMAGED naming the lines that are not as they were written
 */
export function unsealLines<T>(
  file: string,
  bytes: Uint8Array,
  check: (value: unknown) => T,
  advice: string,
  { first: firstLine = 1, before = FROM_NONE }: LinesPlace = {},
): T[] {
  const values: T[] = [];
  const damaged: { readonly line: number; readonly error: unknown }[] = [];
  let expectsSeal = false;
  let line = firstLine - 1;
  for (let start = 0, end = 0; ; start = end + 1) {
    end = bytes.indexOf(LINE_BREAK, start);
    if (end < 0) break;
    line++;
    try {
      const { value, sealed } = unseal(bytes.subarray(start, end), before);
      if (expectsSeal && !sealed) throw new Error('no checksum, which lines before it have');
      expectsSeal ||= sealed;
      values.push(check(value));
    } catch (error) {
      damaged.push({ line, error });
    }
  }
  const [first] = damaged;
  if (!first) return values;
  const numbers = damaged.slice(0, NAMED_LINES).map(({ line }) => line);
  const more = damaged.length > NAMED_LINES ? ` and ${damaged.length - NAMED_LINES} more` : '';
  throw new DkvError(
    'RUN_DAMAGED',
    `${file}, line${damaged.length > 1 ? 's' : ''} ${numbers.join(', ')}${more}: not what was written (line ${first.line}: ${messageOf(first.error)}). ${advice}`,
    { cause: first.error },
  );
}
