/** Reads a shard by ranges: its top once, then a leaf and a record for a document. Everything is checked against the manifest's checksum of the top. */
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { tryParse } from '../../base/parse.js';
import { bodyOf, CHECKSUM_BYTES } from '../frames.js';
import { inspectEntry } from '../records/entry.js';
import type { CatalogueFiles } from './files.js';
import { mayHave } from './filter.js';
import { HEADROOM, unpackRecord } from './heads.js';
import type { ShardFacts } from './manifest.js';
import {
  DIGEST_BYTES,
  DOCUMENT,
  DOCUMENT_ELSEWHERE,
  FOOT_BYTES,
  LEAF_CHECKSUM_BYTES,
  PLACE_BYTES,
  type Place,
  placeIn,
  TOMBSTONE,
  type TopFacts,
} from './shard.js';

/** What is read at a shard's end at first; tops are smaller. */
const TAIL_BYTES = 64 * 1024;

export const topSchema: z.ZodType<TopFacts> = z.strictObject({
  tenant: z.string().describe('The tenant whose documents these are.'),
  heads: z.array(z.looseObject({})).describe('Headers of records, of which others say how they differ.'),
  documents: z.int().nonnegative().describe('Documents in the shard.'),
  tombstones: z.int().nonnegative().describe('Documents of older layers that are gone.'),
  records: z.int().nonnegative().describe('Records in the shard.'),
});

interface Leaf extends Place {
  readonly first: Buffer;
  readonly checksum: Buffer;
}

interface Top {
  readonly facts: TopFacts;
  readonly filter: Buffer;
  readonly leaves: readonly Leaf[];
}

/** What a leaf says of an id. */
export interface LeafItem {
  /** The digest of the id. */
  readonly digest: Buffer;
  /** The entry's bytes, or their place; undefined for a tombstone. */
  readonly entry: Buffer | Place | undefined;
  /** The places of the records, in the order of the entry's variants. */
  readonly places: readonly Place[];
}

/** A document that a shard has. */
export interface ShardEntry {
  readonly slot: string;
  readonly entry: Buffer;
  /** The place of each of its records, by key. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Remembers leaves: a number of bytes of all shards of a generation together. */
export interface LeafMemory {
  get(name: string): readonly LeafItem[] | undefined;
  set(name: string, items: readonly LeafItem[], sizeBytes: number): void;
}

export class ShardReader {
  readonly facts: ShardFacts;
  readonly #files: Pick<CatalogueFiles, 'readRange'>;
  readonly #memory: LeafMemory;
  #top: Promise<Top> | undefined;
  readonly #underWay = new Map<number, Promise<readonly LeafItem[]>>();

  constructor(files: Pick<CatalogueFiles, 'readRange'>, facts: ShardFacts, memory: LeafMemory) {
    this.#files = files;
    this.facts = facts;
    this.#memory = memory;
  }

  get name(): string {
    return shardName(this.facts.digest);
  }

  /** Finds an id's item: a document, a tombstone, or undefined where the shard knows nothing of it. */
  async find(digest: Buffer): Promise<LeafItem | undefined> {
    const top = await this.#readTop();
    if (!mayHave(top.filter, digest)) return undefined;
    const at = lastNotAfter(top.leaves, digest, ({ first }) => first);
    if (at < 0) return undefined;
    const items = await this.#leaf(top, at);
    const item = items[lastNotAfter(items, digest, (own) => own.digest)];
    return item?.digest.equals(digest) ? item : undefined;
  }

  /** All items, in the order of digests. */
  async *items(): AsyncGenerator<LeafItem> {
    for await (const leaf of this.leaves()) yield* await leaf();
  }

  /** Readings of each leaf's items, in the order of digests: one that is damaged fails by itself. */
  async *leaves(): AsyncGenerator<() => Promise<readonly LeafItem[]>> {
    const top = await this.#readTop();
    for (const at of top.leaves.keys()) yield () => this.#leaf(top, at);
  }

  /** Reads what an item that is no tombstone says. @throws DkvError STORE_DAMAGED */
  async entryOf(slot: string, { entry, places }: LeafItem): Promise<ShardEntry> {
    const bytes = entry && !Buffer.isBuffer(entry) ? await this.#read(entry) : entry;
    if (!bytes) throw this.#damaged('an entry has no bytes');
    const { variants } = inspectEntry(bytes, slot);
    if (variants.length !== places.length) throw this.#damaged('an entry has other records than its leaf');
    return { slot, entry: bytes, places: new Map(variants.map(([, key], at) => [key, places[at]!])) };
  }

  /**
   * Reads a record's bytes, which its own checksum is to be compared with.
   * @param scratch memory that may be used for them
   * @throws DkvError STORE_DAMAGED
   */
  async record(place: Place, signal?: AbortSignal, scratch?: Buffer): Promise<Buffer> {
    const { facts } = await this.#readTop();
    const isRoomy = scratch !== undefined && scratch.length >= HEADROOM + place.length;
    const into = isRoomy ? scratch.subarray(HEADROOM, HEADROOM + place.length) : undefined;
    const packed = await this.#read(place, signal, into);
    // Another place than a folder gives memory of its own.
    const whole = into && packed.buffer === into.buffer && packed.byteOffset === into.byteOffset ? scratch : undefined;
    // The heads were read as JSON.
    const record = unpackRecord(packed, facts.heads as Parameters<typeof unpackRecord>[1], whole);
    if (!record) throw this.#damaged(`there is no record at byte ${place.offset}`);
    return record;
  }

  async tenant(): Promise<string> {
    return (await this.#readTop()).facts.tenant;
  }

  #readTop(): Promise<Top> {
    this.#top ??= this.#loadTop().catch((error: unknown) => {
      // Another try may find it.
      this.#top = undefined;
      throw error;
    });
    return this.#top;
  }

  async #loadTop(): Promise<Top> {
    const { sizeBytes, top: checksum } = this.facts;
    const length = Math.min(TAIL_BYTES, sizeBytes);
    const tail = await this.#read({ offset: sizeBytes - length, length });
    const foot = bodyOf('foot', tail.subarray(-FOOT_BYTES));
    if (!foot) throw this.#damaged('it does not end as a shard does');
    const place = placeIn(foot, 0);
    const at = place.offset - (sizeBytes - length);
    const bytes = at >= 0 ? tail.subarray(at, at + place.length) : await this.#read(place);
    const body = bodyOf('top.', bytes);
    if (!body || bytes.toString('hex', bytes.length - CHECKSUM_BYTES) !== checksum) {
      throw this.#damaged('its index is not the one that the manifest names');
    }
    return this.#parsed(() => parseTop(body));
  }

  async #leaf(top: Top, at: number): Promise<readonly LeafItem[]> {
    const name = `${this.facts.digest}/${at}`;
    const known = this.#memory.get(name) ?? this.#underWay.get(at);
    if (known) return known;
    const loading = this.#loadLeaf(top.leaves[at]!, name).finally(() => this.#underWay.delete(at));
    this.#underWay.set(at, loading);
    return loading;
  }

  async #loadLeaf(leaf: Leaf, name: string): Promise<readonly LeafItem[]> {
    const bytes = await this.#read(leaf);
    const body = bodyOf('leaf', bytes);
    if (!body || !bytes.subarray(-CHECKSUM_BYTES).subarray(0, LEAF_CHECKSUM_BYTES).equals(leaf.checksum)) {
      throw this.#damaged(`a part of its index (byte ${leaf.offset}) is not as it was written`);
    }
    const items = this.#parsed(() => parseLeaf(body));
    this.#memory.set(name, items, bytes.length);
    return items;
  }

  async #read({ offset, length }: Place, signal?: AbortSignal, into?: Buffer): Promise<Buffer> {
    const bytes = await this.#files.readRange(this.name, offset, length, signal, into);
    if (!bytes) throw this.#damaged('it is not there');
    if (bytes.length !== length) throw this.#damaged(`it ends at byte ${offset + bytes.length}`);
    return bytes;
  }

  #parsed<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw this.#damaged(messageOf(error));
    }
  }

  #damaged(reason: string): DkvError {
    return new DkvError('STORE_DAMAGED', `Shard ${this.name} is damaged: ${reason}. It is not served.`);
  }
}

export function shardName(digest: string): string {
  return `shards/${digest}.dkv`;
}

/** @throws RangeError and others for what is no such body */
function parseTop(body: Buffer): Top {
  const jsonEnd = 4 + body.readUInt32LE(0);
  const parsed = tryParse(topSchema, JSON.parse(body.toString('utf8', 4, jsonEnd)));
  if (!parsed.success) throw new Error(parsed.problem);
  const filterEnd = jsonEnd + 4 + body.readUInt32LE(jsonEnd);
  const step = DIGEST_BYTES + PLACE_BYTES + LEAF_CHECKSUM_BYTES;
  const leaves = Array.from({ length: body.readUInt32LE(filterEnd) }, (_, number) => {
    const at = filterEnd + 4 + number * step;
    const checksumAt = at + DIGEST_BYTES + PLACE_BYTES;
    return {
      first: body.subarray(at, at + DIGEST_BYTES),
      ...placeIn(body, at + DIGEST_BYTES),
      checksum: body.subarray(checksumAt, checksumAt + LEAF_CHECKSUM_BYTES),
    };
  });
  return { facts: parsed.data, filter: body.subarray(jsonEnd + 4, filterEnd), leaves };
}

/** @throws RangeError for what is no such body */
function parseLeaf(body: Buffer): LeafItem[] {
  let at = 4;
  const take = (length: number) => {
    at += length;
    if (at > body.length) throw new RangeError('an item goes beyond its end');
    return body.subarray(at - length, at);
  };
  return Array.from({ length: body.readUInt32LE(0) }, () => {
    const digest = take(DIGEST_BYTES);
    const kind = take(1)[0];
    if (kind === TOMBSTONE) return { digest, entry: undefined, places: [] };
    if (kind !== DOCUMENT && kind !== DOCUMENT_ELSEWHERE) throw new RangeError(`there is no kind of item ${kind}`);
    const entry = kind === DOCUMENT ? take(take(4).readUInt32LE(0)) : placeIn(take(PLACE_BYTES), 0);
    const places = Array.from({ length: take(2).readUInt16LE(0) }, () => placeIn(take(PLACE_BYTES), 0));
    return { digest, entry, places };
  });
}

/** The last of sorted items that does not come after a digest; -1 where all do. */
function lastNotAfter<T>(items: readonly T[], digest: Buffer, firstOf: (item: T) => Buffer): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(firstOf(items[middle]!), digest) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
