/** Writes a layer: documents come in the order of their slots, and become a shard a part. */
import { keyIn } from '../records/record.js';
import type { CatalogueFiles } from './files.js';
import type { Layer, ShardFacts } from './manifest.js';
import { digestIn, partOf, type ShardDocument, ShardWriter } from './shard.js';
import { shardName } from './shard-reader.js';

/** The size of a shard that is aimed at. */
const SHARD_BYTES = 64 * 1024 * 1024;
const MOST_BITS = 24;

/** The number of first bits of digests that cut so many bytes into shards of about the size that is aimed at. */
export function bitsFor(sizeBytes: number, shardBytes = SHARD_BYTES): number {
  return Math.min(MOST_BITS, Math.max(0, Math.ceil(Math.log2(Math.max(1, sizeBytes) / shardBytes))));
}

export interface LayerOptions {
  /** The tenant of all documents. */
  readonly tenant: string;
  readonly bits: number;
}

export class LayerWriter {
  readonly #files: CatalogueFiles;
  readonly #options: LayerOptions;
  readonly #shards: ShardFacts[] = [];
  #part = -1;
  #writer: ShardWriter | undefined;
  #storing: Promise<void> = Promise.resolve();
  /** The number of bytes of shards that were not there already. */
  writtenBytes = 0;

  constructor(files: CatalogueFiles, options: LayerOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Adds a document with the bytes of those of its records that its part may not have yet. */
  async add(document: ShardDocument, recordOf: (key: string) => Promise<Uint8Array>): Promise<void> {
    const writer = await this.#at(document.slot);
    for (const key of new Set(document.keys)) {
      if (writer.hasRecord(key)) continue;
      const bytes = await recordOf(key);
      if (keyIn(bytes) !== key) throw new Error(`Record ${keyIn(bytes)} was given for ${key}.`);
      writer.addRecord(key, bytes);
    }
    writer.addDocument(document);
  }

  async addTombstone(slot: string): Promise<void> {
    (await this.#at(slot)).addTombstone(slot);
  }

  /** Ends the last shard and waits until all are stored. */
  async finish(): Promise<Layer> {
    await this.#store();
    await this.#storing;
    return { bits: this.#options.bits, shards: this.#shards };
  }

  async #at(slot: string): Promise<ShardWriter> {
    const part = partOf(digestIn(slot), this.#options.bits);
    if (part !== this.#part) await this.#store();
    this.#part = part;
    this.#writer ??= new ShardWriter(this.#options.tenant);
    return this.#writer;
  }

  /** Begins to store the shard that is whole. One is stored while the next is filled. */
  async #store(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (!writer) return;
    const { bytes, digest, top, documents, tombstones, records, recordBytes } = writer.finish();
    const sizeBytes = bytes.length;
    this.#shards.push({ part: this.#part, digest, top, sizeBytes, documents, tombstones, records, recordBytes });
    await this.#storing;
    this.#storing = this.#put(shardName(digest), bytes);
    // It is awaited with the next shard or at the end.
    this.#storing.catch(() => undefined);
  }

  async #put(name: string, bytes: Buffer): Promise<void> {
    // A shard is named by what is in it: what is there is what would be written, unless it is damaged.
    if ((await this.#files.read(name))?.bytes.equals(bytes)) return;
    await this.#files.put(name, bytes);
    this.writtenBytes += bytes.length;
  }
}
