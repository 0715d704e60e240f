/**
 * Files that are read in parts, and the parts kept on disk: of a large Parquet file an experiment needs a few columns of a few row
 * groups. A part is a file of its own, named by its range in a folder named by the content's digest, with its SHA-256 before the bytes; it
 * appears whole or not at all, and one that was damaged since is fetched again.
 */
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { publish } from '../base/files.js';
import { HUB_CACHE_ADVICE } from './cache.js';

/** A file whose bytes can be asked for in any order. */
export interface PartialFile {
  /** The file's name, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Reads the bytes from `start` up to, but not including, `end`. */
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
      await publish(part, Buffer.concat([sha256(bytes), bytes]), HUB_CACHE_ADVICE);
      return bytes;
    },
  };
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
