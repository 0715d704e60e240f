/** Small things about files that several rooms need. */
import { readFile, statfs } from 'node:fs/promises';
import { DkvError } from './errors.js';

/** The text of a file, or undefined when there is none. Other errors are thrown. */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
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
