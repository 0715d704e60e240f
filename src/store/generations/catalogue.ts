/**
 * A catalogue: generations of directed caches in one folder or bucket, the aliases that name those being served, and what was taken down.
 *
 *     shards/<SHA-256>.dkv           documents and their records (shard.ts)
 *     drafts/<id>.json               manifests of what is packed and not published
 *     generations/<id>.json          manifests (manifest.ts)
 *     generations/<id>.condemned     it is being collected
 *     aliases/<name>.json            aliases.ts
 *     leases/<id>/<reader>.json      leases.ts
 *     takedowns/<number>.json        takedowns.ts
 *     takedowns.json                 how many of them there are
 *     audit/<time>-<random>.json     audit.ts
 *     fleet/<plan>/                  what machines that prime a corpus together have done so far (parts-under-way.ts, and `src/fleet/`)
 *     lock.json                      whose turn it is to change something (turns.ts)
 */
import { DkvError } from '../../base/errors.js';
import type { CatalogueFiles } from './files.js';
import { decodeManifest, type Generation, isGenerationId } from './manifest.js';

export type Folder = 'drafts' | 'generations';

export function manifestName(id: string, folder: Folder = 'generations'): string {
  return `${folder}/${id}.json`;
}

export function condemnedName(id: string): string {
  return `generations/${id}.condemned`;
}

/** Reads a generation; undefined when there is none, or it is being collected. @throws DkvError STORE_DAMAGED, STORE_MISMATCH */
export async function readGeneration(
  files: CatalogueFiles,
  id: string,
  folder: Folder = 'generations',
): Promise<Generation | undefined> {
  const [found, condemned] = await Promise.all([files.read(manifestName(id, folder)), files.read(condemnedName(id))]);
  return found && !condemned ? { id, manifest: decodeManifest(id, found.bytes) } : undefined;
}

export interface ListedGeneration {
  readonly id: string;
  /** The time of its publication, or of its packing while it is a draft, in milliseconds since 1970. */
  readonly storedAt: number;
}

/** The ids of generations, those of one second in no order, else the oldest first. Those that are being collected are among them. */
export async function listGenerations(
  files: CatalogueFiles,
  folder: Folder = 'generations',
): Promise<ListedGeneration[]> {
  const listed: ListedGeneration[] = [];
  for await (const { name, storedAt } of files.list(`${folder}/`)) {
    const id = name.replace(/\.json$/, '');
    if (name.endsWith('.json') && isGenerationId(id)) listed.push({ id, storedAt });
  }
  return listed;
}

/** The id of the generation or draft that was packed last; undefined where there is none. */
export async function latestIn(files: CatalogueFiles, folder: Folder): Promise<string | undefined> {
  const ids = (await listGenerations(files, folder)).map(({ id }) => id);
  const [second] = ids.at(-1)?.split('-') ?? [];
  const found: Generation[] = [];
  for (const id of ids.filter((own) => own.split('-')[0] === second)) {
    const generation = await readGeneration(files, id, folder);
    if (generation) found.push(generation);
  }
  return found.sort((one, other) => one.manifest.madeAt - other.manifest.madeAt).at(-1)?.id;
}

/**
 * Finds the one generation whose id is or begins with a text.
 * @throws DkvError INPUT_INVALID for none or several
 */
export async function findGeneration(
  files: CatalogueFiles,
  text: string,
  folder: Folder = 'generations',
): Promise<Generation> {
  const ids = (await listGenerations(files, folder)).map(({ id }) => id);
  const fitting = ids.includes(text)
    ? [text]
    : ids.filter((id) => id.startsWith(text) || id.split('-')[1]!.startsWith(text));
  const what = folder === 'drafts' ? 'draft' : 'generation';
  if (text !== '' && fitting.length === 1) {
    const found = await readGeneration(files, fitting[0]!, folder);
    if (found) return found;
  }
  const known = ids.length === 0 ? `There is no ${what}` : `There are ${ids.slice(-5).join(', ')}`;
  const reason = fitting.length > 1 ? `is the beginning of ${fitting.length} ${what}s` : `is no ${what}`;
  throw new DkvError('INPUT_INVALID', `${files.location}: ${JSON.stringify(text)} ${reason}. ${known}.`);
}
