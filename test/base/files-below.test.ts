/** The files below a folder, each once. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { filesBelow } from '../../src/base/files-below.js';
import { temporaryFolder } from '../support/fixtures.js';

async function made(files: readonly string[], links: Readonly<Record<string, string>> = {}): Promise<string> {
  const root = await temporaryFolder();
  for (const file of files) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), '');
  }
  for (const [link, target] of Object.entries(links)) await symlink(target, path.join(root, link));
  return root;
}

it('are those of all folders in it but the ones that are left out', async () => {
  const root = await made(['b/c/3', '1', 'b/2', 'b/out/4']);
  expect((await filesBelow(root, ['out'])).sort()).toEqual(['1', path.join('b', '2'), path.join('b', 'c', '3')]);
});

it('have the name of their own folder before that of a link to it, and are there once in a circle', async () => {
  const root = await made(['top/z/1', 'top/z/2', 'beside/3'], {
    'top/a': 'z',
    'top/z/up': '..',
    'top/z/self': '.',
    'top/beyond': '../beside',
    'top/file': 'z/1',
    'top/broken': 'nowhere',
    'beside/back': '../top',
  });
  const expected = ['beyond/3', 'broken', 'file', 'z/1', 'z/2'].map((name) => path.normalize(name));
  expect((await filesBelow(path.join(root, 'top'))).sort()).toEqual(expected);
});

it('are not to be had of what is no folder', async () => {
  const root = await made(['1']);
  await expect(filesBelow(path.join(root, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(filesBelow(path.join(root, '1'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});
