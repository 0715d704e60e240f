import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { removeUnreferenced, sharedBlobsOf } from '../../src/hub/shared-blobs.js';
import { temporaryFolder } from '../support/fixtures.js';

const HASH = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

let cache: string;
beforeEach(async () => {
  cache = await temporaryFolder();
  await mkdir(path.join(cache, 'blobs'));
  await writeFile(path.join(cache, 'blobs/.huggingface-shared-blobs'), '1\n');
});

const blob = (hash: string) => path.join(cache, 'blobs', hash.slice(0, 2), hash);

async function share(hash: string, references: string): Promise<void> {
  await mkdir(path.dirname(blob(hash)), { recursive: true });
  await writeFile(blob(hash), 'bytes');
  await writeFile(`${blob(hash)}.refs`, references);
}

/** @returns the path of the link in the cache, as lists of references have it */
async function link(repository: string, digest: string, hash: string): Promise<string> {
  const folder = path.join(cache, repository, 'blobs');
  await mkdir(folder, { recursive: true });
  await symlink(path.relative(folder, blob(hash)), path.join(folder, digest));
  return `${repository}/blobs/${digest}`;
}

async function removeRepository(repository: string): Promise<string[]> {
  const directory = path.join(cache, repository);
  const shared = await sharedBlobsOf(cache, directory);
  await rm(directory, { recursive: true });
  return (await removeUnreferenced(cache, shared)).map(({ file }) => file);
}

describe('shared blobs', () => {
  it('go with the last repository that has links to them', async () => {
    const mine = await link('models--a--one', 'e1', HASH);
    const also = await link('models--a--one', 'e2', HASH);
    const others = await link('datasets--b--two', 'e1', HASH);
    await share(HASH, `${mine}\n${also}\n${others}\n`);
    await share(OTHER, `${await link('models--a--one', 'e3', OTHER)}\n`);
    expect(await removeRepository('models--a--one')).toEqual([blob(OTHER)]);
    expect(await readdir(path.dirname(blob(OTHER)))).toEqual([]);
    expect(existsSync(blob(HASH))).toBe(true);
    expect(await removeRepository('datasets--b--two')).toEqual([blob(HASH)]);
  });

  it('go although lists name links that are gone or lead elsewhere', async () => {
    const moved = await link('models--b--two', 'e1', OTHER);
    const mine = await link('models--a--one', 'e1', HASH);
    await share(HASH, `${mine}\nmodels--gone--x/blobs/e1\n${moved}\n../outside\nblobs/${HASH.slice(0, 2)}/${HASH}\n`);
    expect(await removeRepository('models--a--one')).toEqual([blob(HASH)]);
  });

  it.each([
    ['no list says who uses them', () => rm(`${blob(HASH)}.refs`)],
    ['the folder is not marked as shared', () => rm(path.join(cache, 'blobs/.huggingface-shared-blobs'))],
    ['it is marked with another version', () => writeFile(path.join(cache, 'blobs/.huggingface-shared-blobs'), '2\n')],
  ])('stay where %s', async (_, change) => {
    await share(HASH, `${await link('models--a--one', 'e1', HASH)}\n`);
    await change();
    expect(await removeRepository('models--a--one')).toEqual([]);
    expect(existsSync(blob(HASH))).toBe(true);
  });

  it('are no files of other places that links lead to', async () => {
    const outside = path.join(await temporaryFolder(), HASH);
    await writeFile(outside, 'mine');
    await writeFile(`${outside}.refs`, '');
    const folder = path.join(cache, 'models--a--one/blobs');
    await mkdir(folder, { recursive: true });
    await symlink(outside, path.join(folder, 'e1'));
    await symlink('../../blobs/.huggingface-shared-blobs', path.join(folder, 'e2'));
    expect(await removeRepository('models--a--one')).toEqual([]);
    expect(existsSync(outside)).toBe(true);
  });
});
