/** What a generation has, read through its layers: the newest that knows of an id says what it is. */
import { DkvError } from '../../base/errors.js';
import type { CatalogueFiles } from './files.js';
import type { Generation, Layer } from './manifest.js';
import { digestIn, partOf, tenantIn } from './shard.js';
import { type LeafItem, type LeafMemory, type ShardEntry, ShardReader } from './shard-reader.js';

/** A document and where its records are. */
export interface LayeredEntry extends ShardEntry {
  readonly shard: ShardReader;
}

/** The bytes of leaves that are remembered. */
const REMEMBERED_BYTES = 64 * 1024 * 1024;

interface OpenLayer {
  readonly bits: number;
  /** By part. */
  readonly shards: ReadonlyMap<number, ShardReader>;
}

export class GenerationReader {
  readonly generation: Generation;
  readonly #layers: readonly OpenLayer[];
  readonly #byDigest = new Map<string, ShardReader>();

  constructor(files: CatalogueFiles, generation: Generation, rememberedBytes = REMEMBERED_BYTES) {
    this.generation = generation;
    const memory = new RecentLeaves(rememberedBytes);
    const opened = (layer: Layer): OpenLayer => ({
      bits: layer.bits,
      shards: new Map(
        layer.shards.map((facts) => {
          const shard = new ShardReader(files, facts, memory);
          this.#byDigest.set(facts.digest, shard);
          return [facts.part, shard];
        }),
      ),
    });
    this.#layers = generation.manifest.layers.map(opened);
  }

  /** The shards of each layer, of the oldest first. */
  get layers(): readonly (readonly ShardReader[])[] {
    return this.#layers.map(({ shards }) => [...shards.values()]);
  }

  shardOf(digest: string): ShardReader | undefined {
    return this.#byDigest.get(digest);
  }

  /** Finds a document; undefined where no layer has it or the newest that knows of it says that it is gone. */
  async find(slot: string): Promise<LayeredEntry | undefined> {
    if (tenantIn(slot) !== this.generation.manifest.tenant) return undefined;
    const digest = digestIn(slot);
    for (const { bits, shards } of this.#layers.toReversed()) {
      const shard = shards.get(partOf(digest, bits));
      const item = await shard?.find(digest);
      if (shard && item) return this.#entryOf(shard, slot, item);
    }
    return undefined;
  }

  /** Tells whether any layer has a document's bytes, replaced or not. */
  async holds(slot: string): Promise<boolean> {
    if (tenantIn(slot) !== this.generation.manifest.tenant) return false;
    const digest = digestIn(slot);
    for (const { bits, shards } of this.#layers) {
      const item = await shards.get(partOf(digest, bits))?.find(digest);
      if (item?.entry !== undefined) return true;
    }
    return false;
  }

  /** All documents, in the order of their slots. */
  async *documents(): AsyncGenerator<LayeredEntry> {
    const { tenant } = this.generation.manifest;
    for await (const { shard, item } of this.#merged()) {
      const entry = await this.#entryOf(shard, tenant + item.digest.toString('hex'), item);
      if (entry) yield entry;
    }
  }

  async #entryOf(shard: ShardReader, slot: string, item: LeafItem): Promise<LayeredEntry | undefined> {
    if (item.entry === undefined) return undefined;
    const { tenant } = this.generation.manifest;
    if ((await shard.tenant()) !== tenant) {
      throw new DkvError(
        'STORE_DAMAGED',
        `Shard ${shard.name} is of another tenant than its generation's. It is not served.`,
      );
    }
    return { ...(await shard.entryOf(slot, item)), shard };
  }

  /** What the newest layer that knows of an id says of it, in the order of digests. */
  async *#merged(): AsyncGenerator<{ readonly shard: ShardReader; readonly item: LeafItem }> {
    const streams = this.#layers.map((layer) => itemsOf(layer));
    const heads = await Promise.all(streams.map(nextOf));
    for (;;) {
      let newest: number | undefined;
      for (const [at, head] of heads.entries()) {
        if (head && (newest === undefined || Buffer.compare(head.item.digest, heads[newest]!.item.digest) <= 0))
          newest = at;
      }
      if (newest === undefined) return;
      const found = heads[newest]!;
      for (const [at, head] of heads.entries()) {
        if (head?.item.digest.equals(found.item.digest)) heads[at] = await nextOf(streams[at]!);
      }
      yield found;
    }
  }
}

type Positioned = { readonly shard: ShardReader; readonly item: LeafItem };

/** All items of a layer: parts in their order are digests in theirs. */
async function* itemsOf({ shards }: OpenLayer): AsyncGenerator<Positioned> {
  for (const [, shard] of [...shards].sort(([one], [other]) => one - other)) {
    for await (const item of shard.items()) yield { shard, item };
  }
}

async function nextOf(stream: AsyncGenerator<Positioned>): Promise<Positioned | undefined> {
  const { done, value } = await stream.next();
  return done ? undefined : value;
}

class RecentLeaves implements LeafMemory {
  readonly #leaves = new Map<string, { readonly items: readonly LeafItem[]; readonly sizeBytes: number }>();
  readonly #mostBytes: number;
  #sizeBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get(name: string): readonly LeafItem[] | undefined {
    const leaf = this.#leaves.get(name);
    if (!leaf) return undefined;
    this.#leaves.delete(name);
    this.#leaves.set(name, leaf);
    return leaf.items;
  }

  set(name: string, items: readonly LeafItem[], sizeBytes: number): void {
    this.#sizeBytes += sizeBytes - (this.#leaves.get(name)?.sizeBytes ?? 0);
    this.#leaves.delete(name);
    this.#leaves.set(name, { items, sizeBytes });
    for (const [oldest, leaf] of this.#leaves) {
      if (this.#sizeBytes <= this.#mostBytes) break;
      this.#leaves.delete(oldest);
      this.#sizeBytes -= leaf.sizeBytes;
    }
  }
}
