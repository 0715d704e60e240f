/**
 * Data on the hub, or at any other address, to be read in parts. A branch is resolved to a commit before anything is kept by it. What was
 * read is kept beside what Python downloads, in `datasets--org--name/dkv/`:
 *
 *   refs/<revision>           the commit that it stood for
 *   <commit>.json             the commit's files
 *   parts/<digest>/<a>-<b>    bytes of a file
 *
 * Python's own `refs` are read but not written: a commit without a snapshot there would hide an older one from Python when it is offline.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { publish, readTextIfPresent } from '../base/files.js';
import { filesBelow } from '../base/files-below.js';
import { shownAddress } from '../base/redact.js';
import { HUB_CACHE_ADVICE, RepositoryCache } from './cache.js';
import { HubClient, type RemoteFile } from './client.js';
import { cachedParts, localFile, type PartialFile } from './parts.js';
import type { HubSettings } from './settings.js';

export interface RemoteOptions {
  readonly signal?: AbortSignal;
  /** This callback receives notices: things that the user should know and that are no errors. */
  readonly onNotice?: (notice: string) => void;
}

export interface DataRepository {
  readonly repository: string;
  /** The commit that the revision stood for. Results are stored under it, never under a branch. */
  readonly commit: string;
  readonly paths: readonly string[];
  /** @throws DkvError HUB_NOT_FOUND for a path that the commit does not have; reading throws what the client throws */
  open(file: string): Promise<PartialFile>;
}

/**
 * @param revision a branch, tag or commit
 * @throws DkvError HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, CANCELLED
 */
export async function openDataRepository(
  repository: string,
  revision: string,
  settings: HubSettings,
  options: RemoteOptions = {},
): Promise<DataRepository> {
  const cache = new RepositoryCache(settings.cacheDirectory, repository, 'datasets');
  const own = path.join(cache.directory, 'dkv');
  const client = new HubClient(settings, 'datasets');
  const commit = await pin(client, cache, own, revision, settings, options);
  const files = await list(client, cache, own, commit, settings, options);
  const byPath = new Map(files.map((file) => [file.path, file]));
  return {
    repository,
    commit,
    paths: [...byPath.keys()].sort(),
    async open(wanted) {
      const file = byPath.get(wanted);
      const name = `${repository}, ${wanted}`;
      if (!file) throw new DkvError('HUB_NOT_FOUND', `${repository} at ${commit} has no ${wanted}.`);
      // Python's download is used as it is.
      if (await cache.has(commit, wanted, file.sizeBytes))
        return localFile(path.join(cache.snapshot(commit), wanted), name);
      const folder = path.join(own, 'parts', file.digest);
      return cachedParts({ name, sizeBytes: file.sizeBytes }, folder, (start, end) => {
        if (settings.offline) throw offline(settings, `${folder} lacks bytes ${start} to ${end} of ${name}`);
        return client.range(repository, commit, file, [start, end], options.signal);
      });
    },
  };
}

/**
 * A file at any http(s) address. Its content is known by the ETag, or by the size alone where the server gives none.
 * @throws DkvError HUB_NOT_FOUND, HUB_DENIED, HUB_OFFLINE, HUB_UNREACHABLE, CANCELLED
 */
export async function openUrl(
  url: string,
  settings: HubSettings,
  { signal, onNotice }: RemoteOptions = {},
): Promise<{ file: PartialFile; revision: string }> {
  const shown = shownAddress(url);
  const folder = path.join(settings.cacheDirectory, '.dkv-urls', digest(url));
  const about = path.join(folder, 'about.json');
  const known = await keptIn(about, aboutSchema);
  const client = new HubClient(settings, 'datasets');
  let found = known;
  if (!settings.offline) {
    try {
      found = await client.describeUrl(url, signal);
      await publish(about, JSON.stringify({ url: shown, ...found }), HUB_CACHE_ADVICE);
    } catch (error) {
      if (!known || !isUnreachable(error)) throw error;
      onNotice?.(`${error.message} Using ${shown} as it was (${known.etag ?? `${known.sizeBytes} bytes`}).`);
    }
  }
  if (!found) throw offline(settings, `${folder} has nothing of ${shown}`);
  const revision = found.etag ?? `${found.sizeBytes} bytes`;
  const file = cachedParts(
    { name: shown, sizeBytes: found.sizeBytes },
    path.join(folder, digest(revision)),
    (start, end) => {
      if (settings.offline) throw offline(settings, `${folder} lacks bytes ${start} to ${end} of ${shown}`);
      return client.urlRange(url, [start, end], signal);
    },
  );
  return { file, revision };
}

const aboutSchema = z.object({ sizeBytes: z.number(), etag: z.string().optional() });
const listingSchema = z.array(z.object({ path: z.string(), sizeBytes: z.number(), digest: z.string() }));

async function pin(
  client: HubClient,
  cache: RepositoryCache,
  own: string,
  revision: string,
  settings: HubSettings,
  { signal, onNotice }: RemoteOptions,
): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision;
  const ref = path.join(own, 'refs', revision);
  const known = (await readTextIfPresent(ref)) ?? (await cache.knownCommit(revision));
  if (settings.offline) {
    if (known) return known;
    throw offline(settings, `${cache.directory} has nothing of ${cache.repository} at ${revision}`);
  }
  try {
    const commit = await client.commit(cache.repository, revision, signal);
    if (commit !== known) await publish(ref, commit, HUB_CACHE_ADVICE);
    return commit;
  } catch (error) {
    if (!known || !isUnreachable(error)) throw error;
    onNotice?.(`${error.message} Using ${cache.repository} as it was at ${known}.`);
    return known;
  }
}

async function list(
  client: HubClient,
  cache: RepositoryCache,
  own: string,
  commit: string,
  settings: HubSettings,
  { signal }: RemoteOptions,
): Promise<RemoteFile[]> {
  const listing = path.join(own, `${commit}.json`);
  const kept = await keptIn(listing, listingSchema);
  if (kept) return kept;
  const downloaded = await snapshotFiles(cache, commit);
  if (settings.offline) {
    if (downloaded.length > 0) return downloaded;
    throw offline(settings, `${cache.directory} has nothing of ${cache.repository} at ${commit}`);
  }
  try {
    const files = await client.tree(cache.repository, commit, signal);
    await publish(listing, JSON.stringify(files), HUB_CACHE_ADVICE);
    return files;
  } catch (error) {
    if (downloaded.length === 0 || !isUnreachable(error)) throw error;
    return downloaded;
  }
}

/** Reads a file of the cache; undefined where it cannot be read or is damaged. It is then fetched and written anew. */
async function keptIn<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.safeParse(JSON.parse((await readTextIfPresent(file)) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** The files of a commit that Python has downloaded. */
async function snapshotFiles(cache: RepositoryCache, commit: string): Promise<RemoteFile[]> {
  const root = cache.snapshot(commit);
  const names = await filesBelow(root).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const found = await stat(path.join(root, name)).catch(() => undefined);
      return found?.isFile() ? [{ path: name.split(path.sep).join('/'), sizeBytes: found.size, digest: '' }] : [];
    }),
  );
  return files.flat();
}

function isUnreachable(error: unknown): error is DkvError {
  return error instanceof DkvError && error.code === 'HUB_UNREACHABLE';
}

function offline(settings: HubSettings, lack: string): DkvError {
  return new DkvError(
    'HUB_OFFLINE',
    `${settings.offlineSource} is set and ${lack}. Unset it and run the same command once; what it reads is kept.`,
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
