/** The documents that damaged shards have lost, with their texts where a sound record of theirs keeps it: priming them again brings them back. */
import { Breather } from '../../base/breather.js';
import { isDamage, unlessDamaged } from '../records/damage.js';
import { inspectEntry } from '../records/entry.js';
import { decodeRecord } from '../records/record.js';
import type { Metadata } from '../store.js';
import type { CatalogueFiles } from './files.js';
import { GenerationReader } from './layers.js';
import type { Generation } from './manifest.js';
import { digestIn, partOf } from './shard.js';
import type { LeafItem, ShardReader } from './shard-reader.js';
import type { Takedowns } from './takedowns.js';
import type { DamagedFile } from './verify.js';

export interface LostDocument {
  readonly id: string;
  /** Undefined where all records that keep it are damaged, or none keeps it. */
  readonly text: string | undefined;
  readonly metadata: Metadata;
}

/**
 * Finds documents of which a record is damaged. Those that are taken down, and those that a newer layer replaces, are none of them.
 * @returns how many documents and tombstones of the shards cannot be read at all, so that it is not known which they are
 * @throws DkvError CANCELLED
 */
export async function* lostDocuments(
  files: CatalogueFiles,
  generation: Generation,
  damaged: readonly DamagedFile[],
  takedowns: Takedowns,
  signal: AbortSignal | undefined,
): AsyncGenerator<LostDocument, number> {
  const names = new Set(damaged.map(({ name }) => name));
  const isDown = await takedowns.hidden();
  const reader = new GenerationReader(files, generation);
  const turns = new Breather(signal, 'Stopped before all documents were looked at.');
  let unknown = 0;
  for (const [layer, shards] of reader.layers.entries()) {
    for (const shard of shards.filter(({ name }) => names.has(name))) {
      let readable = 0;
      for await (const item of soundItems(shard)) {
        await turns.breathe();
        readable++;
        if (item.entry === undefined) continue;
        const slot = generation.manifest.tenant + item.digest.toString('hex');
        if (isDown(slot)) continue;
        const found = await unlessDamaged(inspected(shard, slot, item));
        if (!found) unknown++;
        else if (found.isDamaged && !(await isReplaced(reader, layer, slot))) yield found.document;
      }
      unknown += shard.facts.documents + shard.facts.tombstones - readable;
    }
  }
  return unknown;
}

/** The items of a shard that can be read. */
async function* soundItems(shard: ShardReader): AsyncGenerator<LeafItem> {
  try {
    for await (const leaf of shard.leaves()) {
      const items = await unlessDamaged(leaf());
      if (items) yield* items;
    }
  } catch (error) {
    // Without its top nothing of it is known.
    if (!isDamage(error)) throw error;
  }
}

async function inspected(
  shard: ShardReader,
  slot: string,
  item: LeafItem,
): Promise<{ readonly document: LostDocument; readonly isDamaged: boolean }> {
  const { entry, places } = await shard.entryOf(slot, item);
  const { id, metadata } = inspectEntry(entry, slot);
  let isDamaged = false;
  let text: string | undefined;
  for (const [key, place] of places) {
    const record = await unlessDamaged(shard.record(place).then((bytes) => decodeRecord(bytes, key).record));
    if (!record) isDamaged = true;
    else text ??= record.text;
  }
  return { document: { id, text, metadata }, isDamaged };
}

/** Tells whether a newer layer has something else to say of a document, or may have and cannot be read: then it is counted there. */
async function isReplaced(reader: GenerationReader, layer: number, slot: string): Promise<boolean> {
  const digest = digestIn(slot);
  for (const [at, shards] of reader.layers.entries()) {
    if (at <= layer) continue;
    const { bits } = reader.generation.manifest.layers[at]!;
    const shard = shards.find(({ facts }) => facts.part === partOf(digest, bits));
    try {
      if (await shard?.find(digest)) return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return true;
    }
  }
  return false;
}
