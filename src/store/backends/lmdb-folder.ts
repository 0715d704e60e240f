/** The folder of an embedded store, looked at before LMDB opens it: what it holds, what may be done with it, which file it is. */
import { statSync } from 'node:fs';
import { access, constants, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { fileError, makeFolders } from '../../base/files.js';
import { DATA_FILE } from './lmdb-file.js';

/** @throws DkvError INPUT_INVALID for what is no folder, or holds something else; FILES_UNUSABLE, DISK_FULL */
export async function expectFolder(directory: string, mustExist: boolean): Promise<void> {
  try {
    if (!mustExist) await makeFolders(directory);
    if (!(await stat(directory)).isDirectory()) throw notFolder(directory);
    const files = await readdir(directory);
    if (files.length === 0 || files.includes(DATA_FILE)) return;
  } catch (error) {
    if (error instanceof DkvError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw notFolder(directory);
    if (mustExist && code === 'ENOENT') {
      throw new DkvError('INPUT_INVALID', `${directory}: there is no store. Name one, or prime one there.`);
    }
    throw fileError(error, directory, 'Name another folder.');
  }
  throw new DkvError('INPUT_INVALID', `${directory} holds other files and no store. Name an empty folder or a store.`);
}

function notFolder(directory: string): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${directory} is a file, lies in one, or is a link to nowhere. A store is a folder: name one, or a name that is not taken.`,
  );
}

/** Tells whether the folder can be written to. LMDB writes to both of its files, and makes the one for its locks where it is missing. */
export async function isWritable(directory: string): Promise<boolean> {
  for (const name of ['', DATA_FILE, 'lock.mdb']) {
    try {
      await access(path.join(directory, name), constants.W_OK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
    }
  }
  return true;
}

/** An identity of the file under this name; undefined when there is none. */
export function fileOf(directory: string): string | undefined {
  const found = statSync(path.join(directory, DATA_FILE), { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
