/**
 * Files that are read in parts, and the parts kept on disk: of a large Parquet file an experiment needs a few columns of a few row
 * groups. A part is a file of its own, named by its range in a folder named by the content's digest, with its SHA-256 before the bytes; it
 * appears whole or not at all, and one that was damaged since is fetched again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../errors.js';

/** A file whose bytes can be asked for in any order. */
export interface PartialFile {
  /** For messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Bytes `start` to `end` (exclusive). */
  read(start: number, end: number): Promise<Buffer>;
}

/** @throws the file system's errors */
export async function localFile(file: string, name: string = file): Promise<PartialFile> {
  const { size } = await stat(file);
  return {
    name,
    sizeBytes: size,
    async read(start, end) {
      const handle = await open(file);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

/**
 * A remote file over a folder of parts that were read before.
 * @param fetch asks for a part that is not there; throws where nobody can be asked
 */
export function cachedParts(
  { name, sizeBytes }: { readonly name: string; readonly sizeBytes: number },
  folder: string,
  fetch: (start: number, end: number) => Promise<Buffer>,
): PartialFile {
  return {
    name,
    sizeBytes,
    async read(start, end) {
      const part = path.join(folder, `${start}-${end}`);
      const kept = await keptPart(part);
      if (kept?.length === end - start) return kept;
      const bytes = await fetch(start, end);
      await publish(part, Buffer.concat([sha256(bytes), bytes]));
      return bytes;
    },
  };
}

/** Writes a file that others see whole or not at all. @throws DkvError DISK_FULL */
export async function publish(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC') throw error;
    throw new DkvError('DISK_FULL', `${message}. Free some room, or set HF_HUB_CACHE to a folder on another disk.`);
  }
}

const DIGEST_BYTES = 32;

async function keptPart(part: string): Promise<Buffer | undefined> {
  const content = await readFile(part).catch(() => undefined);
  if (!content) return undefined;
  const bytes = content.subarray(DIGEST_BYTES);
  return sha256(bytes).equals(content.subarray(0, DIGEST_BYTES)) ? bytes : undefined;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
