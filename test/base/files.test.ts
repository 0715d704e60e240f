/** Folders are made, or it is said why not. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/base/files.js';
import { temporaryFolder } from '../support/fixtures.js';

const run = promisify(execFile);
const canMount = await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(
  () => true,
  () => false,
);

describe('folders', () => {
  it('are made with those above them, by several at once, and again', async () => {
    const folder = path.join(await temporaryFolder(), 'a/b/c/d');
    await Promise.all(Array.from({ length: 8 }, () => makeFolders(folder)));
    await makeFolders(`${folder}/`);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it('are not made over or under a file, or through a link to nowhere', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'file'), '');
    await symlink('nowhere', path.join(folder, 'link'));
    await expect(makeFolders(path.join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolders(path.join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeFolders(path.join(folder, 'link'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it.skipIf(!existsSync('/proc/self'))('are refused where a file system takes none', async () => {
    await expect(makeFolders('/proc/no-such-folder/below')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.skipIf(!canMount)('are refused as read-only on a file system that is', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'mounted'));
    const program = `
      import { makeFolder } from ${JSON.stringify(path.resolve('dist/base/files.js'))};
      await makeFolder('mounted/a/b').catch(({ message }) => console.log(message));`;
    const script = 'mount -t tmpfs -o ro tmpfs mounted && exec "$0" --input-type=module -e "$1"';
    const { stdout } = await run('unshare', ['-rm', 'sh', '-c', script, process.execPath, program], { cwd: folder });
    expect(stdout).toContain('mounted/a/b: the file system is read-only');
  });
});
