/** From a draft to a generation: its manifest is written after it was seen that all it names is there. */
import { DkvError } from '../../base/errors.js';
import { writeAudit } from './audit.js';
import { condemnedName, findGeneration, manifestName } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { encodeManifest, type Generation, type Manifest, shardsOf } from './manifest.js';
import { shardName } from './shard-reader.js';
import { Takedowns } from './takedowns.js';
import { inTurn } from './turns.js';

/**
 * Publishes a draft. One that is published already is left as it is.
 * @param draft its id, or the beginning of it
 * @throws DkvError INPUT_INVALID for no such draft, STORE_DAMAGED where a shard is missing or has another length, STORE_BUSY
 */
export async function publish(files: CatalogueFiles, draft: string, signal?: AbortSignal): Promise<Generation> {
  const found = await findGeneration(files, draft, 'drafts');
  return inTurn(files, `publish ${found.id}`, () => publishNow(files, found), signal);
}

/** Publishes within a turn that was taken. */
export async function publishNow(files: CatalogueFiles, { id, manifest }: Generation): Promise<Generation> {
  await expectShards(files, manifest);
  await new Takedowns(files).begin();
  await files.remove(condemnedName(id));
  await files.create(manifestName(id), encodeManifest(manifest).bytes);
  await files.remove(manifestName(id, 'drafts'));
  await writeAudit(files, 'publish', id);
  return { id, manifest };
}

async function expectShards(files: CatalogueFiles, manifest: Manifest): Promise<void> {
  const sizes = new Map<string, number>();
  for await (const { name, sizeBytes } of files.list('shards/')) sizes.set(`shards/${name}`, sizeBytes);
  for (const { digest, sizeBytes } of shardsOf(manifest)) {
    const found = sizes.get(shardName(digest));
    if (found === sizeBytes) continue;
    const is = found === undefined ? 'is missing' : `has ${found} bytes instead of ${sizeBytes}`;
    throw new DkvError('STORE_DAMAGED', `${files.location}: ${shardName(digest)} ${is}. Pack again.`);
  }
}
