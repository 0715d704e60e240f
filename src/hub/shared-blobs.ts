/**
 * Blobs that repositories of a cache share, as huggingface_hub lays them out since version 2:
 *
 *   blobs/.huggingface-shared-blobs          "1": the layout's version
 *   blobs/<two digits>/<xet hash>            the bytes
 *   blobs/<two digits>/<xet hash>.refs       paths of the links to them, a line each; a hint, which may be out of date
 *   models--org--name/blobs/<digest>         a link to the bytes
 *
 * Only what Python would remove is removed: bytes that are listed, and to which none of the listed links leads any more.
 */
import { lstat, readdir, readFile, readlink, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { readTextIfPresent } from '../base/files.js';

const VERSION = '1\n';

/** The shared blobs that a repository's folder has links to. */
export async function sharedBlobsOf(cacheDirectory: string, repositoryDirectory: string): Promise<string[]> {
  if (!(await isLaidOut(cacheDirectory))) return [];
  const folder = path.join(repositoryDirectory, 'blobs');
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => targetOf(cacheDirectory, path.join(folder, name))));
  return [...new Set(targets.flatMap((target) => target ?? []))];
}

/** Removes those of the blobs that no link leads to. @returns what was removed */
export async function removeUnreferenced(
  cacheDirectory: string,
  blobs: readonly string[],
): Promise<{ readonly file: string; readonly sizeBytes: number }[]> {
  const removed: { file: string; sizeBytes: number }[] = [];
  for (const file of blobs) {
    const about = await lstat(file).catch(() => undefined);
    if (!about?.isFile() || (await isReferenced(cacheDirectory, file))) continue;
    // Python may be making a link just now, under a lock that Node does not have. It lists the link first, so the list is asked again
    // when nobody can find the bytes any more.
    const aside = `${file}.dkv.tmp`;
    await rename(file, aside);
    if (await isReferenced(cacheDirectory, file)) {
      await rename(aside, file);
      continue;
    }
    await rm(aside);
    await rm(`${file}.refs`, { force: true });
    removed.push({ file, sizeBytes: about.size });
  }
  return removed;
}

async function isLaidOut(cacheDirectory: string): Promise<boolean> {
  const marker = path.join(cacheDirectory, 'blobs', '.huggingface-shared-blobs');
  return (await readTextIfPresent(marker).catch(() => undefined)) === VERSION;
}

/** The file that a repository's blob leads to, if it is a link to a shared one. */
async function targetOf(cacheDirectory: string, link: string): Promise<string | undefined> {
  const to = await readlink(link).catch(() => undefined);
  if (to === undefined) return undefined;
  const target = path.resolve(path.dirname(link), to);
  const [folder, name, ...rest] = path.relative(path.join(cacheDirectory, 'blobs'), target).split(path.sep);
  const isShared = rest.length === 0 && /^[0-9a-f]{64}$/.test(name ?? '') && folder === name?.slice(0, 2);
  return isShared ? target : undefined;
}

/** Tells whether a blob is referenced. A blob that is not known to be free counts as referenced. */
async function isReferenced(cacheDirectory: string, blob: string): Promise<boolean> {
  const list = await readFile(`${blob}.refs`, 'utf8').catch(() => undefined);
  if (list === undefined) return true;
  for (const line of list.split('\n')) {
    if (!/^(?:models|datasets|spaces|kernels)--[^/]+\/blobs\/[^/]+$/.test(line) || line.includes('..')) continue;
    if ((await targetOf(cacheDirectory, path.join(cacheDirectory, line))) === blob) return true;
  }
  return false;
}
