/**
 * A shard: documents whose ids' digests begin alike, with their records, in one file that never changes. The frames are those of frames.ts, in version
 * 2; numbers are little-endian. In this order:
 *
 *     reco  a record each (heads.ts); one that several documents share is there once
 *     docu  the entries of documents that are too large for a leaf, a frame each
 *     leaf  documents in the order of their slots, with their entries and the places of their records
 *     top.  where the leaves are, what they begin with and their checksums; the heads of records; a filter
 *     foot  where the top is
 *
 * A document is read by its leaf and its record, a request each, once the top is known. A place is an offset (6 bytes) and a length (4 bytes) of a frame's
 * body. A leaf's body:
 *
 *     0  4  number of items, then for each:
 *        32 digest of the id (the slot without the tenant)
 *         1 kind: 0 a document, 1 a document whose entry is elsewhere, 2 a tombstone: an older layer's document is gone
 *     kind 0:  4 n, n bytes of the entry (records/entry.ts)
 *     kind 1: 10 place of the entry
 *     both:    2 number of records, and for each 10 its place, in the order of the entry's variants
 *
 * The top's body:
 *
 *     0  4  J, then J bytes of JSON: tenant, heads, counts
 *        4  F, then F bytes of the filter
 *        4  number of leaves, and for each: 32 first digest, 10 place of the whole frame, 16 first bytes of its checksum
 *
 * A manifest names the checksum of the top, which names those of the leaves, which name digests of ids and hold the keys of records: whoever trusts the
 * manifest can trust what is read through it.
 */
import { asBuffer, sha256 } from '../../base/bytes.js';
import { CHECKSUM_BYTES, FRAME_BYTES, frame, SHARD_VERSION, startBytes } from '../frames.js';
import { filterOf } from './filter.js';
import { HeadCollector } from './heads.js';

/** The largest leaf, and so the most that is read to find a document. */
const LARGEST_LEAF_BYTES = 60 * 1024;
/** Entries beyond this are kept beside the leaves. */
const LARGEST_ENTRY_IN_LEAF = 8 * 1024;
export const DIGEST_BYTES = 32;
export const PLACE_BYTES = 10;
export const LEAF_CHECKSUM_BYTES = 16;
/** The length of the last frame. */
export const FOOT_BYTES = FRAME_BYTES + PLACE_BYTES + CHECKSUM_BYTES;

export const DOCUMENT = 0;
export const DOCUMENT_ELSEWHERE = 1;
export const TOMBSTONE = 2;

/** Where something is in a shard's file. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** A document as a shard takes it. */
export interface ShardDocument {
  readonly slot: string;
  /** The bytes of the entry, as a storage keeps them. */
  readonly entry: Uint8Array;
  /** The keys of its records, in the order of the entry's variants. */
  readonly keys: readonly string[];
}

export interface MadeShard {
  readonly bytes: Buffer;
  /** SHA-256 of all bytes, in hex: the file's name. */
  readonly digest: string;
  /** The checksum of the top, in hex. */
  readonly top: string;
  readonly documents: number;
  readonly tombstones: number;
  readonly records: number;
  /** The size of the records as a store without shards keeps them. */
  readonly recordBytes: number;
}

/** What the JSON of a top says. */
export interface TopFacts {
  readonly tenant: string;
  readonly heads: readonly Readonly<Record<string, unknown>>[];
  readonly documents: number;
  readonly tombstones: number;
  readonly records: number;
}

/** The digest of the id in a slot. */
export function digestIn(slot: string): Buffer {
  return Buffer.from(slot.slice(-2 * DIGEST_BYTES), 'hex');
}

/** The tenant in a slot. */
export function tenantIn(slot: string): string {
  return slot.slice(0, -2 * DIGEST_BYTES);
}

/** Makes one shard in memory. */
export class ShardWriter {
  readonly #tenant: string;
  readonly #heads = new HeadCollector();
  readonly #frames: Buffer[] = [startBytes(SHARD_VERSION)];
  readonly #placeOfRecord = new Map<string, Place>();
  readonly #items: Buffer[] = [];
  readonly #digests: Buffer[] = [];
  #sizeBytes = this.#frames[0]!.length;
  #tombstones = 0;
  #recordBytes = 0;

  /** @param tenant of all slots */
  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The number of documents and tombstones so far. */
  get items(): number {
    return this.#items.length;
  }

  hasRecord(key: string): boolean {
    return this.#placeOfRecord.has(key);
  }

  /** @param bytes a sound record */
  addRecord(key: string, bytes: Uint8Array): void {
    if (this.#placeOfRecord.has(key)) return;
    this.#placeOfRecord.set(key, this.#add('reco', this.#heads.pack(bytes)));
    this.#recordBytes += bytes.byteLength;
  }

  /** Adds a document, whose records were added before, in the order of slots. */
  addDocument({ slot, entry, keys }: ShardDocument): void {
    const places = keys.map((key) => placeBytes(this.#placeOfRecord.get(key)!));
    const count = Buffer.alloc(2);
    count.writeUInt16LE(places.length);
    const isLarge = entry.byteLength > LARGEST_ENTRY_IN_LEAF;
    const own = isLarge ? placeBytes(this.#add('docu', entry)) : Buffer.concat([u32(entry.byteLength), entry]);
    this.#addItem(slot, isLarge ? DOCUMENT_ELSEWHERE : DOCUMENT, [own, count, ...places]);
  }

  /** Says that a document of an older layer is gone. */
  addTombstone(slot: string): void {
    this.#tombstones++;
    this.#addItem(slot, TOMBSTONE, []);
  }

  finish(): MadeShard {
    const leaves = this.#addLeaves();
    const facts: TopFacts = {
      tenant: this.#tenant,
      heads: this.#heads.heads,
      documents: this.#items.length - this.#tombstones,
      tombstones: this.#tombstones,
      records: this.#placeOfRecord.size,
    };
    const json = Buffer.from(JSON.stringify(facts), 'utf8');
    const filter = filterOf(this.#digests);
    const top = frame('top.', u32(json.length), json, u32(filter.length), filter, u32(leaves.length), ...leaves);
    const place = placeBytes({ offset: this.#sizeBytes, length: top.length });
    const bytes = Buffer.concat([...this.#frames, top, frame('foot', place)]);
    return {
      bytes,
      digest: sha256(bytes).toString('hex'),
      top: top.toString('hex', top.length - CHECKSUM_BYTES),
      documents: facts.documents,
      tombstones: facts.tombstones,
      records: facts.records,
      recordBytes: this.#recordBytes,
    };
  }

  /** Adds the leaves. @returns what the top says of each */
  #addLeaves(): Buffer[] {
    const leaves: Buffer[] = [];
    for (let first = 0; first < this.#items.length; ) {
      let [end, length] = [first, 4];
      while (end < this.#items.length && (end === first || length + this.#items[end]!.length <= LARGEST_LEAF_BYTES)) {
        length += this.#items[end++]!.length;
      }
      const leaf = frame('leaf', u32(end - first), ...this.#items.slice(first, end));
      const whole = placeBytes({ offset: this.#sizeBytes, length: leaf.length });
      const checksum = leaf.subarray(-CHECKSUM_BYTES).subarray(0, LEAF_CHECKSUM_BYTES);
      leaves.push(Buffer.concat([this.#digests[first]!, whole, checksum]));
      this.#frames.push(leaf);
      this.#sizeBytes += leaf.length;
      first = end;
    }
    return leaves;
  }

  #addItem(slot: string, kind: number, parts: readonly Uint8Array[]): void {
    const digest = digestIn(slot);
    const last = this.#digests.at(-1);
    if (tenantIn(slot) !== this.#tenant || (last && Buffer.compare(last, digest) >= 0)) {
      throw new Error(`Slot ${slot} comes out of order, or is another tenant's than ${this.#tenant}.`);
    }
    this.#digests.push(digest);
    this.#items.push(Buffer.concat([digest, Buffer.from([kind]), ...parts]));
  }

  /** @returns the place of the body */
  #add(kind: 'reco' | 'docu', body: Uint8Array): Place {
    const bytes = frame(kind, body);
    const place = { offset: this.#sizeBytes + FRAME_BYTES, length: body.byteLength };
    this.#frames.push(bytes);
    this.#sizeBytes += bytes.length;
    return place;
  }
}

function placeBytes({ offset, length }: Place): Buffer {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeUIntLE(offset, 0, 6);
  bytes.writeUInt32LE(length, 6);
  return bytes;
}

export function placeIn(bytes: Buffer, at: number): Place {
  return { offset: bytes.readUIntLE(at, 6), length: bytes.readUInt32LE(at + 6) };
}

/** The number of the part that a digest belongs to, of 2^bits. */
export function partOf(digest: Uint8Array, bits: number): number {
  return bits === 0 ? 0 : asBuffer(digest).readUInt32BE(0) >>> (32 - bits);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
