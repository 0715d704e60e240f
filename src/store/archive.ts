/**
 * A tenant's part of a store as one stream of bytes, for backups and for ways without a network: frames (frames.ts) of the kinds "note", "reco",
 * "docu" and "end.".
 *
 * Bodies: a record is its own bytes (record.ts). The others are JSON: `{name, note}`; `{id, variants, metadata, expiresAt}`, variants as
 * pairs of name and key; at the end how many of each there are. Notes come first, records before the first document that needs them. A
 * record may come again.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { asBuffer, sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import {
  ARCHIVE_KINDS,
  ARCHIVE_VERSION,
  CHECKSUM_BYTES,
  FRAME_BYTES,
  frame,
  SHARD_VERSION,
  START_BYTES,
  startBytes,
  versionIn,
} from './frames.js';
import { importShard } from './generations/import-shard.js';
import { announcedBytes, keyIn, metadataSchema, PREFIX_BYTES } from './records/record.js';
import { parseStoredJson } from './records/stored-json.js';
import { type DocumentEntry, NOTES, type Store } from './store.js';
import {
  expectGoing,
  isThere,
  missingRecords,
  putEntry,
  putNote,
  type TransferOptions,
  type Transferred,
} from './transfer.js';

/**
 * The largest record. It is beyond what any record has and what every Node can hold in one piece, so a greater length is damage, and no reason to
 * wait for that many bytes.
 */
const LARGEST_RECORD_BYTES = 2 ** 32 - 1;
/** The largest JSON of a frame. */
const LARGEST_JSON_BYTES = 64 * 1024 * 1024;
/** The largest number of records that wait for one document. */
const MOST_RECORDS = 10_000;
/** The number of keys of written records that are remembered, so that documents which share a record write it once. */
const REMEMBERED = 100_000;
const REPORT_EVERY = 256;

type Kind = (typeof ARCHIVE_KINDS)[number];

const noteSchema = z.strictObject({ name: z.enum(NOTES), note: metadataSchema });
const documentSchema = z.strictObject({
  id: z.string(),
  variants: z.array(z.tuple([z.string(), z.string()])),
  metadata: metadataSchema,
  expiresAt: z.int().exactOptional(),
});
const endSchema = z.strictObject({ notes: z.int(), records: z.int(), documents: z.int() });

/**
 * Gives the store as bytes, in pieces.
 * @throws DkvError STORE_DAMAGED for what is damaged in it, CANCELLED, and what the store throws
 */
export async function* exportStore(
  store: Store,
  { signal, onProgress }: Omit<TransferOptions, 'replace'> = {},
): AsyncGenerator<Buffer, Transferred> {
  const counts = { documents: 0, records: 0, notes: 0, unchanged: 0, incomplete: 0 };
  yield startBytes(ARCHIVE_VERSION);
  for (const name of NOTES) {
    const note = await store.note(name);
    if (!note) continue;
    yield frame('note', jsonBytes({ name, note }));
    counts.notes++;
  }
  const written = new Set<string>();
  for await (const id of store.ids()) {
    expectGoing(signal);
    const entry = await store.entry(id);
    if (!entry) continue;
    const records = await missingRecords(store, entry, (key) => written.has(key));
    if (!records) {
      counts.incomplete++;
      continue;
    }
    if (written.size > REMEMBERED) written.clear();
    for (const [key, bytes] of records) {
      yield frame('reco', bytes);
      written.add(key);
      counts.records++;
    }
    yield frame('docu', jsonBytes({ ...entry, variants: Object.entries(entry.variants) }));
    if (++counts.documents % REPORT_EVERY === 0) onProgress?.(counts);
  }
  const { notes, records, documents } = counts;
  yield frame('end.', jsonBytes({ notes, records, documents }));
  return counts;
}

/**
 * Puts exported bytes into a store. What comes before a damaged part is put; importing again leaves what is there as it is.
 * @param name the source's name, for messages
 * @throws DkvError STORE_DAMAGED, STORE_MISMATCH for a later format, other notes or another tenant, CANCELLED, and what the store throws
 */
export async function importStore(
  store: Store,
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  { replace = false, signal, onProgress }: TransferOptions = {},
): Promise<Transferred> {
  const counts = { documents: 0, records: 0, notes: 0, unchanged: 0, incomplete: 0 };
  const seen = { notes: 0, records: 0, documents: 0 };
  const waiting = new Map<string, Uint8Array>();
  let waitingBytes = 0;
  const reader = new ByteReader(pieces);
  const version = versionIn(await reader.take(START_BYTES), name);
  if (version === undefined) throw damaged(name, 0, 'it does not begin as an export does');
  if (version === SHARD_VERSION)
    return importShard(store, await reader.whole(), name, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
  for await (const { kind, body, at } of frames(reader, name)) {
    expectGoing(signal);
    if (kind === 'note') {
      const { name: note, note: content } = parse(noteSchema, body, name, at);
      seen.notes++;
      if (await putNote(store, note, content, replace)) counts.notes++;
    } else if (kind === 'reco') {
      seen.records++;
      waiting.set(keyIn(body), body);
      waitingBytes += body.byteLength;
      if (waiting.size > MOST_RECORDS || waitingBytes > LARGEST_RECORD_BYTES) {
        throw damaged(name, at, `${waiting.size} records come before the document that they are of`);
      }
    } else if (kind === 'docu') {
      const { variants, ...about } = parse(documentSchema, body, name, at);
      const entry: DocumentEntry = { ...about, variants: Object.fromEntries(variants) };
      if (await isThere(store, entry)) counts.unchanged++;
      else {
        await putEntry(store, entry, waiting);
        counts.documents++;
        counts.records += waiting.size;
      }
      waiting.clear();
      waitingBytes = 0;
      if (++seen.documents % REPORT_EVERY === 0) onProgress?.(counts);
    } else {
      const end = parse(endSchema, body, name, at);
      if (isDeepStrictEqual(end, seen)) return counts;
      throw damaged(name, at, `its end speaks of ${JSON.stringify(end)}, found were ${JSON.stringify(seen)}`);
    }
  }
  throw damaged(name, 0, 'it ends before its end');
}

interface Frame {
  readonly kind: Kind;
  readonly body: Buffer;
  /** The place at which the frame begins. */
  readonly at: number;
}

/** @param reader stands behind the file's first bytes */
async function* frames(reader: ByteReader, name: string): AsyncGenerator<Frame> {
  for (;;) {
    const { at } = reader;
    const head = await reader.take(FRAME_BYTES);
    if (!head) throw damaged(name, at, 'it ends before its end');
    const kind = ARCHIVE_KINDS.find((known) => known === head.toString('latin1', 0, 4));
    const length = head.readBigUInt64LE(4);
    if (!kind || length > (kind === 'reco' ? LARGEST_RECORD_BYTES : LARGEST_JSON_BYTES))
      throw damaged(name, at, 'there is no frame');
    // A record says itself how long it is: RAM is taken for what both agree on.
    const prefix = kind === 'reco' && length >= PREFIX_BYTES ? await reader.peek(PREFIX_BYTES) : undefined;
    if (kind === 'reco' && (!prefix || announcedBytes(prefix) !== Number(length))) {
      throw damaged(name, at, 'a record is not as long as its frame says');
    }
    const body = await reader.take(Number(length));
    const sum = await reader.take(CHECKSUM_BYTES);
    if (!body || !sum) throw damaged(name, at, 'it ends in the middle of a frame');
    if (!sha256(head, body).equals(sum)) throw damaged(name, at, "a frame's checksum does not match");
    yield { kind, body, at };
  }
}

/** Reads a stream's bytes in pieces of given sizes. */
class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** The number of bytes taken so far. */
  at = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Gives the bytes that the next `take` gives. */
  async peek(count: number): Promise<Buffer | undefined> {
    const bytes = await this.take(count);
    if (!bytes) return undefined;
    this.#held = [bytes, ...this.#held];
    this.#heldBytes += count;
    this.at -= count;
    return bytes;
  }

  /** Takes all that is left and gives it behind what was taken before, for files whose beginning is only a version. */
  async whole(): Promise<Buffer> {
    const pieces: Uint8Array[] = [startBytes(SHARD_VERSION), ...this.#held];
    for (;;) {
      const { done, value } = await this.#pieces.next();
      if (done) return Buffer.concat(pieces);
      pieces.push(value);
    }
  }

  /** Takes bytes; undefined when there are fewer. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#heldBytes < count) {
      const { done, value } = await this.#pieces.next();
      if (done) return undefined;
      this.#held.push(value);
      this.#heldBytes += value.byteLength;
    }
    const [first = Buffer.alloc(0)] = this.#held;
    const all = this.#held.length > 1 ? Buffer.concat(this.#held) : asBuffer(first);
    this.#held = [all.subarray(count)];
    this.#heldBytes -= count;
    this.at += count;
    return all.subarray(0, count);
  }
}

function parse<T>(schema: z.ZodType<T>, body: Buffer, name: string, at: number): T {
  const parsed = parseStoredJson(schema, body);
  if (parsed.success) return parsed.data;
  throw damaged(name, at, `a frame cannot be read: ${parsed.problem}`);
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

function damaged(name: string, at: number, reason: string): DkvError {
  const before = at > 0 ? 'What came before was imported; export' : 'Export';
  return new DkvError(
    'STORE_DAMAGED',
    `${name} is damaged: ${reason} (byte ${at}). ${before} again, or fetch the file again.`,
  );
}
