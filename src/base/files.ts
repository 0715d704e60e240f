/** Small things about files that several rooms need. */
import { randomBytes } from 'node:crypto';
import { type BigIntStats, existsSync, fstatSync, rmSync } from 'node:fs';
import {
  access,
  constants,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from './errors.js';

/** The text of a file, or undefined when there is none. Other errors are thrown. */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  return (await readIfPresent(file))?.toString('utf8');
}

/** The bytes of a file, or undefined when there is none. Other errors are thrown. */
export async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    // The system's own words do not name it.
    throw code === 'EISDIR' ? fileError(error, file) : error;
  }
}

/**
 * @param purpose what the room is for, as the beginning of a sentence
 * @param variable the environment variable that names another folder
 * @throws DkvError DISK_FULL
 */
export async function expectSpace(
  directory: string,
  neededBytes: number,
  purpose: string,
  variable: string,
): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new DkvError(
    'DISK_FULL',
    `${directory}: ${purpose} needs ${gigabytes(neededBytes)}, ${gigabytes(freeBytes)} are free. Free some, or set ${variable} to a folder on another disk.`,
  );
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Files and folders that are being written under a name of their own, until they are moved to where they belong. */
const partials = new Set<string>();

/** A name beside `file` for what is written until it is whole. `removePartials` knows of it until `forgetPartial` is called. */
export function partialName(file: string): string {
  const name = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.partial`;
  partials.add(name);
  return name;
}

export function forgetPartial(name: string): void {
  partials.delete(name);
}

/** Removes what is half written, for a process that ends at once. It works without the event loop. */
export function removePartials(): void {
  for (const name of partials) rmSync(name, { recursive: true, force: true });
  partials.clear();
}

/**
 * Writes a file that others see whole or not at all: beside its place, and moved there. The folder is made if it is not there.
 * @param advice what to do if it cannot be written
 * @param mode who may read and write it, from its first byte on; by default whom the process's umask lets
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function publish(
  file: string,
  content: string | Uint8Array,
  advice?: string,
  mode = 0o666,
): Promise<void> {
  const temporary = partialName(file);
  try {
    await makeFolders(path.dirname(file));
    await writeFile(temporary, content, { flush: true, mode });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, file, advice);
  } finally {
    forgetPartial(temporary);
  }
}

/**
 * Makes a folder and those above it that are missing; errors are the system's. Node's `recursive` calls a read-only file system ENOENT,
 * and does not end where a file system answers ENOENT to a new folder in one that is there, as /proc does.
 */
export async function makeFolders(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = path.dirname(directory);
    if (code !== 'ENOENT' || parent === directory) return expectFolderAt(directory, error);
    await makeFolders(parent);
    await mkdir(directory).catch((again) => expectFolderAt(directory, again));
  }
}

/** Another process may have made it meanwhile. @throws `error` if there is no folder */
async function expectFolderAt(directory: string, error: unknown): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) throw error;
}

/** @throws DkvError FILES_UNUSABLE, DISK_FULL @param advice what to do if it cannot be made, such as which variable names another folder */
export async function makeFolder(directory: string, advice?: string): Promise<void> {
  try {
    await makeFolders(directory);
  } catch (error) {
    throw fileError(error, directory, advice);
  }
}

/**
 * @param content what is to be in it, for the message
 * @throws DkvError INPUT_INVALID where there is none, or a file of that name
 */
export async function expectFolder(folder: string, content: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new DkvError('INPUT_INVALID', `${folder}: no such folder.`);
    throw fileError(error, folder);
  });
  if (!found.isDirectory()) {
    throw new DkvError('INPUT_INVALID', `${folder}: a file; give the folder that ${content} are in.`);
  }
}

/**
 * Does work in a folder, which is made where it is missing. Work that fails and leaves nothing in it leaves no folder either, nor one above that was made for it.
 * @throws DkvError FILES_UNUSABLE, DISK_FULL, and what the work throws
 */
export async function workingIn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const made: string[] = [];
  for (let folder = path.resolve(directory); !existsSync(folder); folder = path.dirname(folder)) made.push(folder);
  await makeFolder(directory);
  try {
    return await work();
  } catch (error) {
    try {
      for (const folder of made) await rmdir(folder);
    } catch {
      // It holds something, which stays.
    }
    throw error;
  }
}

/**
 * Checks that a folder, or a file in it, could be made here, and makes nothing. Call it before long work begins.
 * @param subject the folder, for the message
 * @throws DkvError FILES_UNUSABLE
 */
export async function expectWritable(directory: string, subject: string): Promise<void> {
  for (let folder = path.resolve(directory); ; folder = path.dirname(folder)) {
    try {
      if (!(await stat(folder)).isDirectory())
        throw Object.assign(new Error('a file'), { code: 'ENOTDIR', syscall: 'mkdir' });
      await access(folder, constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === path.dirname(folder))
        throw fileError(error, subject);
    }
  }
}

const FILE_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied: choose another place, or have the permissions changed',
  EPERM: 'the operation is not permitted: choose another place, or have the permissions changed',
  EROFS: 'the file system is read-only: choose another place',
  EEXIST: 'a file of that name is in the way',
  ENOTDIR: 'a file stands where a folder is needed',
  EISDIR: 'a folder stands where a file is needed',
  ENOENT: 'there is no such file or folder',
  ENOTEMPTY: 'the folder is not empty',
  EMFILE: 'too many files are open in this process: raise the limit (ulimit -n), or do less at a time',
  ENFILE: 'too many files are open on this machine',
  ENAMETOOLONG: 'the name is too long for the file system',
  ELOOP: 'its links go in circles',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the disk reports an error',
  ESTALE: 'the network folder is gone',
};

/**
 * Turns an error of the file system into one that says what to do, and returns any other error as it is.
 * @param subject the file or folder, for the message
 * @param advice the advice to give instead of the general one
 */
export function fileError(error: unknown, subject: string, advice?: string): unknown {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (error instanceof DkvError || syscall === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DkvError('DISK_FULL', `${subject}: no room is left on the disk. ${advice ?? 'Free some.'}`, {
      cause: error,
    });
  }
  const reason = FILE_ADVICE[code];
  if (reason === undefined) return error;
  return new DkvError('FILES_UNUSABLE', `${subject}: ${reason}.${advice ? ` ${advice}` : ''}`, { cause: error });
}

/**
 * Tells whether two names lead to one file, also through links. `-` is the file that the standard input reads. For a file that does not exist yet,
 * its folder is followed. Devices and pipes count as different, since nothing in them could be lost.
 */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([identityOf(one), identityOf(other)]);
  return a !== undefined && a === b;
}

async function identityOf(file: string): Promise<string | undefined> {
  const found = file === '-' ? standardInput() : await stat(file, { bigint: true }).catch(() => undefined);
  if (found) return found.isFile() || found.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
  if (file === '-') return undefined;
  const folder = await realpath(path.dirname(file)).catch(() => path.resolve(path.dirname(file)));
  return path.join(folder, path.basename(file));
}

function standardInput(): BigIntStats | undefined {
  try {
    return fstatSync(0, { bigint: true });
  } catch {
    // Closed.
    return undefined;
  }
}
