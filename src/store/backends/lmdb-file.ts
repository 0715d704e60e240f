/**
 * The file that LMDB keeps a store in, looked at before LMDB opens it. LMDB trusts its file: one that is no database, or that a full
 * disk or an interrupted copy cut off, would end the process with a segmentation fault.
 *
 * A file begins with two pages that each describe the database (the newer one counts), of which this reads, little-endian: at 18 the
 * kind of page, at 24 and 28 magic number and version, at 48 the size of a page, at 144 the number of the last page.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { fileError } from '../../base/files.js';

export const DATA_FILE = 'data.mdb';

const MAGIC = 0xbeefc0de;
const VERSION = 2;
const IS_DESCRIPTION = 8;
const DESCRIPTION_BYTES = 152;

/**
 * A file that is shorter than its database is made as long as it says, with zeros: LMDB may leave out pages at the end that nothing
 * needs, and what damage took away is then found as damage.
 * @returns false when there is no file, or an empty one, which LMDB will fill
 * @throws DkvError STORE_DAMAGED; FILES_UNUSABLE when it cannot be read
 */
export async function expectDataFile(folder: string, isReadOnly: boolean): Promise<boolean> {
  const file = path.join(folder, DATA_FILE);
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fileError(error, file, 'Ask its owner for the right to read it.');
  }
  try {
    const first = await describedIn(handle, 0);
    if (!first && (await handle.stat()).size === 0) return false;
    const second = first && (await describedIn(handle, first.pageBytes));
    if (!first || !second) throw damaged(file, 'it is no database');
    const neededBytes = (Math.max(first.lastPage, second.lastPage) + 1) * first.pageBytes;
    // Looked at last: another process may be writing, the pages first.
    if ((await handle.stat()).size >= neededBytes) return true;
    if (isReadOnly) throw damaged(file, `it has fewer than its ${neededBytes} bytes`);
    await lengthen(file, neededBytes);
    return true;
  } finally {
    await handle.close();
  }
}

async function lengthen(file: string, sizeBytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    if ((await handle.stat()).size < sizeBytes) await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
}

async function describedIn(
  handle: FileHandle,
  at: number,
): Promise<{ readonly pageBytes: number; readonly lastPage: number } | undefined> {
  const { buffer: bytes, bytesRead } = await handle.read(Buffer.alloc(DESCRIPTION_BYTES), 0, DESCRIPTION_BYTES, at);
  const isOne =
    bytesRead === DESCRIPTION_BYTES &&
    (bytes.readUInt16LE(18) & IS_DESCRIPTION) !== 0 &&
    bytes.readUInt32LE(24) === MAGIC &&
    (bytes.readUInt32LE(28) & 0xffff) === VERSION;
  if (!isOne) return undefined;
  const pageBytes = bytes.readUInt32LE(48);
  const lastPage = Number(bytes.readBigUInt64LE(144));
  const isPower = pageBytes >= 256 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  return isPower && lastPage < 2 ** 40 ? { pageBytes, lastPage } : undefined;
}

function damaged(file: string, reason: string): DkvError {
  return new DkvError(
    'STORE_DAMAGED',
    `${file} is damaged: ${reason}. Import an export of the store (dkv store import), or prime, into another folder.`,
  );
}
