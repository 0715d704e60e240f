/** What generations and drafts a catalogue has, and what holds each of them. */
import { DkvError, messageOf } from '../../base/errors.js';
import { type AliasState, listAliases } from './aliases.js';
import { type Folder, listGenerations, manifestName } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { listLeases } from './leases.js';
import { decodeManifest, type Manifest, shardsOf } from './manifest.js';
import { isHidden, type Takedowns } from './takedowns.js';

export interface ListedManifest {
  readonly id: string;
  readonly isDraft: boolean;
  /** The time of its publication, or of its packing while it is a draft, in milliseconds since 1970. */
  readonly storedAt: number;
  /** Undefined where it cannot be read. */
  readonly manifest: Manifest | undefined;
  /** The reason for which it cannot be read. */
  readonly damage: string | undefined;
  /** The names of the aliases that name it. */
  readonly aliases: readonly string[];
  /** The number of readers that hold it. */
  readonly leases: number;
}

export interface CatalogueListing {
  /** Generations and then drafts, the oldest first. */
  readonly generations: readonly ListedManifest[];
  readonly aliases: ReadonlyMap<string, AliasState>;
  /** The number of shards that they name, each counted once. */
  readonly shards: number;
  readonly sizeBytes: number;
  /** The number of documents that are taken down. */
  readonly takenDown: number;
}

/** @throws DkvError STORE_DAMAGED for an alias or takedowns that cannot be read */
export async function listingOf(files: CatalogueFiles, takedowns: Takedowns): Promise<CatalogueListing> {
  const aliases = await listAliases(files);
  const leases = (await listLeases(files)).filter(({ isLive }) => isLive);
  const listed = async (folder: Folder): Promise<ListedManifest[]> => {
    const found: ListedManifest[] = [];
    for (const { id, storedAt } of await listGenerations(files, folder)) {
      const file = await files.read(manifestName(id, folder));
      // It was collected or published meanwhile.
      if (!file) continue;
      const isDraft = folder === 'drafts';
      found.push({
        id,
        isDraft,
        storedAt,
        ...readManifest(id, file.bytes),
        aliases: isDraft ? [] : [...aliases].flatMap(([alias, { generation }]) => (generation === id ? [alias] : [])),
        leases: leases.filter(({ what }) => what === id).length,
      });
    }
    const madeAt = ({ manifest, storedAt }: ListedManifest) => manifest?.madeAt ?? storedAt;
    return found.sort((one, other) => madeAt(one) - madeAt(other));
  };
  const generations = [...(await listed('generations')), ...(await listed('drafts'))];
  const shards = new Map(
    generations.flatMap(({ manifest }) =>
      manifest ? shardsOf(manifest).map(({ digest, sizeBytes }) => [digest, sizeBytes] as const) : [],
    ),
  );
  return {
    generations,
    aliases,
    shards: shards.size,
    sizeBytes: [...shards.values()].reduce((sum, bytes) => sum + bytes, 0),
    takenDown: [...(await takedowns.all()).values()].filter(isHidden).length,
  };
}

function readManifest(id: string, bytes: Buffer): Pick<ListedManifest, 'manifest' | 'damage'> {
  try {
    return { manifest: decodeManifest(id, bytes), damage: undefined };
  } catch (error) {
    if (error instanceof DkvError) return { manifest: undefined, damage: messageOf(error) };
    throw error;
  }
}
