/** Puts the documents of one shard into a store, as `dkv store import` does with an archive. */
import { DkvError } from '../../base/errors.js';
import { bodyOf, CHECKSUM_BYTES } from '../frames.js';
import { inspectEntry, slotOf } from '../records/entry.js';
import type { DocumentEntry, Store } from '../store.js';
import { expectGoing, isThere, putEntry, type TransferOptions, type Transferred } from '../transfer.js';
import type { CatalogueFiles } from './files.js';
import { digestIn, FOOT_BYTES, placeIn } from './shard.js';
import { ShardReader } from './shard-reader.js';

/**
 * Imports a shard. What it says is gone is left as it is in the store.
 * @param bytes the whole file
 * @param name the source's name, for messages
 * @throws DkvError STORE_DAMAGED, STORE_MISMATCH for another tenant, CANCELLED, and what the store throws
 */
export async function importShard(
  store: Store,
  bytes: Buffer,
  name: string,
  { signal, onProgress }: Omit<TransferOptions, 'replace'>,
): Promise<Transferred> {
  const counts = { documents: 0, records: 0, notes: 0, unchanged: 0, incomplete: 0 };
  const shard = shardIn(bytes, name);
  const tenant = await shard.tenant();
  for await (const item of shard.items()) {
    expectGoing(signal);
    if (item.entry === undefined) continue;
    const slot = tenant + item.digest.toString('hex');
    const found = await shard.entryOf(slot, item);
    const { id, variants, metadata, expiresAt } = inspectEntry(found.entry, slot);
    if (!digestIn(slotOf(id, '')).equals(item.digest))
      throw damaged(name, `document ${JSON.stringify(id)} is in another's place`);
    const entry: DocumentEntry = {
      id,
      variants: Object.fromEntries(variants),
      metadata,
      ...(expiresAt !== null && { expiresAt }),
    };
    if (await isThere(store, entry)) counts.unchanged++;
    else {
      const records = new Map<string, Uint8Array>();
      for (const [key, place] of found.places) records.set(key, await shard.record(place));
      await putEntry(store, entry, records);
      counts.documents++;
      counts.records += records.size;
    }
    onProgress?.(counts);
  }
  return counts;
}

function shardIn(bytes: Buffer, name: string): ShardReader {
  const foot = bodyOf('foot', bytes.subarray(-FOOT_BYTES));
  if (!foot) throw damaged(name, 'it does not end as a shard does');
  const { offset, length } = placeIn(foot, 0);
  const top = bytes.toString('hex', offset + length - CHECKSUM_BYTES, offset + length);
  const nothing = { documents: 0, tombstones: 0, records: 0, recordBytes: 0, part: 0 };
  const files: Pick<CatalogueFiles, 'readRange'> = {
    readRange: async (_, start, count) => bytes.subarray(start, start + count),
  };
  const memory = { get: () => undefined, set: () => undefined };
  return new ShardReader(files, { ...nothing, digest: name, top, sizeBytes: bytes.length }, memory);
}

function damaged(name: string, reason: string): DkvError {
  return new DkvError('STORE_DAMAGED', `${name} is damaged: ${reason}. Fetch the file again.`);
}
