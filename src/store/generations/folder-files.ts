/** A catalogue's files in a folder of a file system, where a rename and a link are one step. */
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { link, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { fileError, forgetPartial, makeFolders, partialName, publish, readIfPresent } from '../../base/files.js';
import { isAlive, withLock } from '../../base/lock.js';
import type { CatalogueFiles, ListedFile, VersionedFile } from './files.js';

/** The number of files that are kept open for reading. */
const MOST_OPEN = 64;

/** What `partialName` calls a file that is being written, with the number of the process. */
const PARTIAL = /\.(\d+)-[0-9a-f]{8}\.partial$/;

export class FolderFiles implements CatalogueFiles {
  readonly location: string;
  readonly #folder: string;
  /** By name, the one that was used last at the end. */
  readonly #open = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = path.resolve(folder);
    this.location = folder;
  }

  async read(name: string): Promise<VersionedFile | undefined> {
    const bytes = await this.#trying(name, () => readIfPresent(this.#path(name)));
    return bytes && { bytes, version: versionOf(bytes) };
  }

  async readRange(
    name: string,
    start: number,
    length: number,
    signal?: AbortSignal,
    into?: Buffer,
  ): Promise<Buffer | undefined> {
    if (signal?.aborted) throw new DkvError('CANCELLED', 'Reading from the store was stopped.');
    return this.#trying(name, async () => this.#reading(name, (file) => readAt(file, start, length, into)));
  }

  stamp(name: string): string | undefined {
    const found = statSync(this.#path(name), { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}:${found.mtimeNs}:${found.size}`;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await publish(this.#path(name), bytes);
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    const file = this.#path(name);
    const temporary = partialName(file);
    try {
      return await this.#trying(name, async () => {
        await makeFolders(path.dirname(file));
        await writeFile(temporary, bytes, { flush: true });
        return link(temporary, file).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code === 'EEXIST') return false;
            throw error;
          },
        );
      });
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
      forgetPartial(temporary);
    }
  }

  async replace(name: string, bytes: Uint8Array, version: string): Promise<boolean> {
    const file = this.#path(name);
    return withLock(`${file}.lock`, async () => {
      const now = await this.read(name);
      if (now?.version !== version) return false;
      await publish(file, bytes);
      return true;
    });
  }

  async remove(name: string): Promise<void> {
    this.#forget(name);
    await this.#trying(name, () => rm(this.#path(name), { force: true }));
  }

  async *list(folder: string): AsyncIterable<ListedFile> {
    const directory = this.#path(folder);
    const names = await this.#trying(folder, () => filesIn(directory));
    for (const name of names) {
      // It may have gone meanwhile.
      const found = await stat(path.join(directory, name)).catch(() => undefined);
      if (found) yield { name, sizeBytes: found.size, storedAt: Math.floor(found.mtimeMs) };
    }
  }

  async tidy(before: number): Promise<void> {
    for (const file of await allIn(this.#folder)) {
      const [, pid] = PARTIAL.exec(file) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      const found = await stat(file).catch(() => undefined);
      if (found && found.mtimeMs < before) await rm(file, { force: true });
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.#open.keys()]) this.#forget(name);
  }

  #path(name: string): string {
    return path.join(this.#folder, ...name.split('/'));
  }

  /**
   * Reads from a file that is opened for it or found open; undefined when there is none. It is read as memory is, in the calling thread: what is read
   * often is in the system's cache, and a turn of another thread takes longer than the copy.
   */
  #reading<T>(name: string, read: (file: number) => T): T | undefined {
    const file = this.#open.get(name) ?? openIfPresent(this.#path(name));
    if (file === undefined) return undefined;
    // The one that was used last is the last to be closed.
    this.#open.delete(name);
    this.#open.set(name, file);
    try {
      return read(file);
    } catch (error) {
      this.#forget(name);
      throw error;
    } finally {
      const [oldest] = this.#open.keys();
      if (this.#open.size > MOST_OPEN) this.#forget(oldest!);
    }
  }

  #forget(name: string): void {
    const file = this.#open.get(name);
    this.#open.delete(name);
    if (file !== undefined) closeSync(file);
  }

  async #trying<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, `${this.location}: ${name}`);
    }
  }
}

function openIfPresent(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readAt(file: number, start: number, length: number, into?: Buffer): Buffer {
  const bytes = into ?? Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const count = readSync(file, bytes, read, length - read, start + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

/** The names of the files below a folder, in their order; those that are being written are none. */
async function filesIn(directory: string): Promise<string[]> {
  const files = (await allIn(directory)).filter((file) => !PARTIAL.test(file) && !/\.(?:lock|breaker)$/.test(file));
  return files.map((file) => path.relative(directory, file).split(path.sep).join('/')).sort();
}

async function allIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

function versionOf(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex');
}
