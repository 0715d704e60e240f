/** A catalogue's files as they would be after changes that are only rehearsed: whoever changes them sees the changes, and nobody else does. */
import { sha256 } from '../../base/bytes.js';
import type { CatalogueFiles, ListedFile, VersionedFile } from './files.js';

export class RehearsedFiles implements CatalogueFiles {
  readonly location: string;
  readonly #files: CatalogueFiles;
  /** What was written or, undefined, removed. */
  readonly #changed = new Map<string, Buffer | undefined>();

  /** @param files stay the caller's */
  constructor(files: CatalogueFiles) {
    this.#files = files;
    this.location = files.location;
  }

  async read(name: string): Promise<VersionedFile | undefined> {
    if (!this.#changed.has(name)) return this.#files.read(name);
    const bytes = this.#changed.get(name);
    return bytes && { bytes, version: `rehearsed-${sha256(bytes).toString('hex')}` };
  }

  async readRange(name: string, start: number, length: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    if (!this.#changed.has(name)) return this.#files.readRange(name, start, length, signal);
    return this.#changed.get(name)?.subarray(start, start + length);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#changed.set(name, Buffer.from(bytes));
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    if (await this.read(name)) return false;
    await this.put(name, bytes);
    return true;
  }

  async replace(name: string, bytes: Uint8Array, version: string): Promise<boolean> {
    if ((await this.read(name))?.version !== version) return false;
    await this.put(name, bytes);
    return true;
  }

  async remove(name: string): Promise<void> {
    this.#changed.set(name, undefined);
  }

  async *list(folder: string): AsyncIterable<ListedFile> {
    const written = new Map<string, ListedFile>();
    for (const [name, bytes] of this.#changed) {
      if (!bytes || !name.startsWith(folder)) continue;
      const own = name.slice(folder.length);
      written.set(own, { name: own, sizeBytes: bytes.length, storedAt: Date.now() });
    }
    const listed: ListedFile[] = [...written.values()];
    for await (const file of this.#files.list(folder)) if (!this.#changed.has(folder + file.name)) listed.push(file);
    yield* listed.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async tidy(): Promise<void> {}

  async close(): Promise<void> {}
}
