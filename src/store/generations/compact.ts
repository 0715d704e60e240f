/** From a generation of several layers to one of a base alone: what deltas replaced or took out, and what was taken down, is in no shard of it. */
import { Breather } from '../../base/breather.js';
import { inspectEntry } from '../records/entry.js';
import { inspectRecord } from '../records/record.js';
import { writeAudit } from './audit.js';
import type { CatalogueFiles } from './files.js';
import { bitsFor, LayerWriter } from './layer-writer.js';
import { GenerationReader } from './layers.js';
import { Lease } from './leases.js';
import { encodeManifest, type Generation, type Manifest, shardsOf } from './manifest.js';
import type { PackProgress } from './pack.js';
import { publishNow } from './publish.js';
import type { Takedowns } from './takedowns.js';
import { inTurn } from './turns.js';

const REPORT_EVERY = 256;

export interface CompactOptions {
  /** The size of a shard that is aimed at; 64 MiB by default. */
  readonly shardBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PackProgress) => void) | undefined;
}

export interface Compacted {
  readonly generation: Generation;
  /** The number of documents left out because they were taken down. */
  readonly takenDown: number;
  readonly writtenBytes: number;
}

/**
 * Compacts a generation and publishes the result. No alias names it before it is activated.
 * @throws DkvError STORE_DAMAGED for a record that is not as it was written, CANCELLED, STORE_BUSY
 */
export async function compact(
  files: CatalogueFiles,
  takedowns: Takedowns,
  generation: Generation,
  { shardBytes, signal, onProgress }: CompactOptions = {},
): Promise<Compacted> {
  const { manifest } = generation;
  const turns = new Breather(signal, 'Stopped; shards that are whole stay. Start again to go on.');
  const [lease, packing] = [await Lease.take(files, generation.id), await Lease.take(files, 'packing')];
  try {
    const reader = new GenerationReader(files, generation);
    const hidden = await takedowns.hidden();
    const sizeBytes = shardsOf(manifest).reduce((sum, shard) => sum + shard.sizeBytes, 0);
    const writer = new LayerWriter(files, { tenant: manifest.tenant, bits: bitsFor(sizeBytes, shardBytes) });
    const variants = new Map<string, number>();
    let [documents, takenDown, looked] = [0, 0, 0];
    for await (const { slot, entry, places, shard } of reader.documents()) {
      await turns.breathe();
      if (++looked % REPORT_EVERY === 0) onProgress?.({ done: looked, of: manifest.documents });
      if (hidden(slot)) {
        takenDown++;
        continue;
      }
      const { variants: named, expiresAt } = inspectEntry(entry, slot);
      if (expiresAt !== null && expiresAt <= Date.now()) continue;
      const keys = named.map(([, key]) => key);
      await writer.add({ slot, entry, keys }, async (key) => soundRecord(await shard.record(places.get(key)!), key));
      documents++;
      for (const [variant] of named) variants.set(variant, (variants.get(variant) ?? 0) + 1);
    }
    const layer = await writer.finish();
    const made: Manifest = {
      ...manifest,
      parent: null,
      madeAt: Date.now(),
      variants: [...variants],
      documents,
      layers: [layer],
    };
    const { id, bytes } = encodeManifest(made);
    const compacted = { id, manifest: made };
    await inTurn(files, `compact ${generation.id}`, () => publishNow(files, compacted), signal);
    await writeAudit(files, 'compact', `${generation.id} -> ${id}`);
    return { generation: compacted, takenDown, writtenBytes: writer.writtenBytes + bytes.length };
  } finally {
    await lease?.release();
    await packing?.release();
  }
}

/** @throws DkvError STORE_DAMAGED */
function soundRecord(bytes: Buffer, key: string): Buffer {
  inspectRecord(bytes, key);
  return bytes;
}
