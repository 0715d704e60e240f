/**
 * The hub's cache folder as Python lays it out, so that either finds what the other has downloaded:
 *
 *   models--org--name/refs/<revision>            a commit
 *   models--org--name/blobs/<digest>             the bytes of a file
 *   models--org--name/snapshots/<commit>/<path>  a link to a blob
 *
 * and `datasets--org--name` alike.
 */
import { copyFile, readdir, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, publish, readTextIfPresent } from '../base/files.js';
import type { RepositoryKind } from './client.js';

/** What to do where the cache cannot be written to. */
export const HUB_CACHE_ADVICE = 'Set HF_HUB_CACHE to a folder that can be written to and has room.';

/** Every repository of models that the cache knows. */
export async function listRepositories(cacheDirectory: string): Promise<RepositoryCache[]> {
  const names = await readdir(cacheDirectory).catch(() => []);
  return names
    .filter((name) => name.startsWith('models--'))
    .map((name) => new RepositoryCache(cacheDirectory, name.slice('models--'.length).replaceAll('--', '/')));
}

/** A commit, or its beginning in as many digits as the names of models in records have. */
export const COMMIT = /^[0-9a-f]{12,40}$/;

export class RepositoryCache {
  readonly repository: string;
  readonly directory: string;

  constructor(cacheDirectory: string, repository: string, kind: RepositoryKind = 'models') {
    this.repository = repository;
    this.directory = path.join(cacheDirectory, `${kind}--${repository.replaceAll('/', '--')}`);
  }

  blob(digest: string): string {
    return path.join(this.directory, 'blobs', digest);
  }

  snapshot(commit: string): string {
    return path.join(this.directory, 'snapshots', commit);
  }

  /** Commits of which at least one file is there. */
  async commits(): Promise<string[]> {
    return readdir(path.join(this.directory, 'snapshots')).catch(() => []);
  }

  /** Bytes on disk, files of all commits together. */
  async sizeBytes(): Promise<number> {
    const blobs = path.join(this.directory, 'blobs');
    const names = await readdir(blobs).catch(() => []);
    const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(blobs, name))).size));
    return sizes.reduce((a, b) => a + b, 0);
  }

  /** The commit that a revision stood for when the hub was last asked, or that begins with it: records of runs name models by such beginnings. */
  async knownCommit(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const remembered = await readTextIfPresent(path.join(this.directory, 'refs', revision));
    if (remembered !== undefined || !COMMIT.test(revision)) return remembered?.trim();
    const fitting = (await this.commits()).filter((commit) => commit.startsWith(revision));
    return fitting.length === 1 ? fitting[0] : undefined;
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.knownCommit(revision)) === commit) return;
    await publish(path.join(this.directory, 'refs', revision), commit, HUB_CACHE_ADVICE);
  }

  /** Tells whether the file is there, at the size it should have. */
  async has(commit: string, file: string, sizeBytes?: number): Promise<boolean> {
    const found = await stat(path.join(this.snapshot(commit), file)).catch(() => undefined);
    return found !== undefined && (sizeBytes === undefined || found.size === sizeBytes);
  }

  /** Makes a blob visible under its path in a snapshot. */
  async link(commit: string, file: string, digest: string): Promise<void> {
    const pointer = path.join(this.snapshot(commit), file);
    await makeFolder(path.dirname(pointer), HUB_CACHE_ADVICE);
    const target = path.relative(path.dirname(pointer), this.blob(digest));
    await rm(pointer, { force: true });
    await symlink(target, pointer).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      // Windows makes links for some users only: a copy does as well.
      if (error.code !== 'EPERM') throw error;
      await copyFile(this.blob(digest), pointer);
    });
  }
}
