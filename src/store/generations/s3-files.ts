/**
 * The files of a catalogue under a prefix of a bucket, one object each. Writes with a condition need a server that keeps it (If-None-Match, If-Match):
 * one that does not is found out before the first of them, and refused.
 */
import { randomUUID } from 'node:crypto';
import { DkvError } from '../../base/errors.js';
import type { S3Address, S3Options } from '../backends/address.js';
import { type S3Condition, S3Objects, statusOf } from '../backends/s3-objects.js';
import type { CatalogueFiles, ListedFile, VersionedFile } from './files.js';

/** The metadata that tell whose write an object is of. */
const WRITER = 'dkv-writer';
/** The file that conditions are tried on. It stays, so that a next writer needs one request less. */
const PROBE = 'probes/conditional-writes';
const PROBE_BYTES = Buffer.from('This file tells whether the server keeps the conditions of writes.\n');
/** The ETag of no file. */
const NO_VERSION = '"00000000000000000000000000000000"';

export class S3Files implements CatalogueFiles {
  readonly location: string;
  readonly #objects: S3Objects;
  #conditionsKept: Promise<void> | undefined;

  /** @throws DkvError INPUT_INVALID for an endpoint that is none */
  constructor(address: S3Address, timeoutMs: number, options: S3Options) {
    this.location = address.shown;
    this.#objects = new S3Objects(address, timeoutMs, options);
  }

  async read(name: string): Promise<VersionedFile | undefined> {
    const found = await this.#objects.get(name);
    if (!found) return undefined;
    const { bytes, etag } = found;
    if (etag !== undefined) return { bytes, version: etag };
    throw new DkvError(
      'STORE_UNREACHABLE',
      `${this.location}: ${name}: the server gives no ETag, by which one version of a file is told from another. Use another server.`,
    );
  }

  async readRange(name: string, start: number, length: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    if (length > 0) return this.#objects.getRange(name, start, length, signal);
    // HTTP has no ranges without bytes.
    return (await this.#objects.head(name)) && Buffer.alloc(0);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#objects.put(name, bytes, {});
  }

  /** @throws DkvError STORE_READONLY when the server keeps no conditions */
  create(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#writeIf(name, bytes, { IfNoneMatch: '*' });
  }

  /**
   * The version is that of the bytes: a file that was changed and changed back is of the old version.
   * @throws DkvError STORE_READONLY when the server keeps no conditions
   */
  replace(name: string, bytes: Uint8Array, version: string): Promise<boolean> {
    return this.#writeIf(name, bytes, { IfMatch: version });
  }

  async remove(name: string): Promise<void> {
    await this.#objects.delete(name);
  }

  list(folder: string): AsyncIterable<ListedFile> {
    return this.#objects.list(folder);
  }

  /** Does nothing: an object appears when all of it has arrived. */
  async tidy(): Promise<void> {}

  async close(): Promise<void> {
    this.#objects.close();
  }

  async #writeIf(name: string, bytes: Uint8Array, condition: S3Condition): Promise<boolean> {
    this.#conditionsKept ??= this.#expectConditions();
    try {
      await this.#conditionsKept;
    } catch (error) {
      // The next writer tries again: the server may have been away.
      this.#conditionsKept = undefined;
      throw error;
    }
    const writer = randomUUID();
    if (await this.#objects.putIf(name, bytes, { [WRITER]: writer }, condition)) return true;
    // The client repeats a write whose answer was lost, and then the condition fails for what the write itself has put there. The object says whose it
    // is. Its bytes would not: two writers of the same bytes (the next number, say) would both have won. Where another writer has replaced the object
    // since, this one is told that it lost: it has to look at what is there now in any case.
    return (await this.#objects.head(name))?.[WRITER] === writer;
  }

  /** Writes a file that is there, and a version that is not: a server that keeps conditions refuses both. */
  async #expectConditions(): Promise<void> {
    const isThere = !(await this.#tryOnProbe({ IfNoneMatch: '*' }));
    const isKept =
      (isThere || !(await this.#tryOnProbe({ IfNoneMatch: '*' }))) &&
      !(await this.#tryOnProbe({ IfMatch: NO_VERSION }));
    if (!isKept) throw this.#refused('it wrote in spite of If-None-Match or If-Match');
  }

  async #tryOnProbe(condition: S3Condition): Promise<boolean> {
    try {
      return await this.#objects.putIf(PROBE, PROBE_BYTES, {}, condition);
    } catch (error) {
      const status = statusOf((error as DkvError).cause);
      if (status === 501 || status === 400) throw this.#refused(`it answers ${status} to If-None-Match or If-Match`);
      throw error;
    }
  }

  #refused(what: string): DkvError {
    return new DkvError(
      'STORE_READONLY',
      `${this.location}: the server has no conditional writes: ${what}. Two writers of this catalogue would overwrite each other. It can be read there; ` +
        'to write, use a server that has them (docs/store.md names some).',
    );
  }
}
