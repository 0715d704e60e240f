/**
 * SHA-256 digests of files, and a memory of them. Hashing 15 GB at every start would take longer than loading them, so a digest is remembered
 * for the state of the files on disk (path, inode, size, times): a file that is replaced or rewritten has another state and is read again.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { publish } from '../../base/files.js';

const CHUNK_BYTES = 4 * 1024 * 1024;

export interface ReadingOptions {
  /** Called after every chunk. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** SHA-256 (hex) of a file's content. @throws DkvError CANCELLED, and the file system's errors */
export async function fileDigest(file: string, { onBytes, signal }: ReadingOptions = {}): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    if (signal?.aborted) throw new DkvError('CANCELLED', `Stopped while ${file} was read.`);
    hash.update(chunk);
    onBytes?.(chunk.length);
  }
  return hash.digest('hex');
}

/** Digests that were computed before, in a folder of the cache. One that is damaged there is computed again. */
export class DigestMemory {
  readonly #directory: string;

  constructor(cacheDirectory: string) {
    this.#directory = path.join(cacheDirectory, 'digests');
  }

  /**
   * @param files that the digest is about, as they are now
   * @param what is computed from them: another description is another digest
   */
  async of(files: readonly string[], what: unknown, compute: () => Promise<string>): Promise<string> {
    const note = await this.#note(files, what);
    const known = await readFile(note, 'utf8').catch(() => '');
    const digest = known.slice(0, 64);
    if (known === noteOf(note, digest)) return digest;
    const computed = await compute();
    await this.#keep(note, computed);
    return computed;
  }

  /** Takes over a digest that was computed while the files were written. */
  async remember(files: readonly string[], what: unknown, digest: string): Promise<void> {
    await this.#keep(await this.#note(files, what), digest);
  }

  async #note(files: readonly string[], what: unknown): Promise<string> {
    const states = files.map(async (file) => {
      const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      return [path.resolve(file), ino, size, mtimeNs, ctimeNs].join(' ');
    });
    const identity = JSON.stringify([await Promise.all(states), what]);
    return path.join(this.#directory, createHash('sha256').update(identity).digest('hex'));
  }

  /** Keeps a digest. A cache that cannot be written, because it is shared or full, costs time and nothing else. */
  async #keep(note: string, digest: string): Promise<void> {
    await publish(note, noteOf(note, digest)).catch(() => undefined);
  }
}

/** The digest and a checksum over it and the note's name: a flipped bit of a note must not become another model. */
function noteOf(note: string, digest: string): string {
  return `${digest} ${createHash('sha256')
    .update(`${path.basename(note)} ${digest}`)
    .digest('hex')}`;
}
