/**
 * The embedded store: one folder, many processes, every write a transaction. A write is acknowledged when it is on the disk.
 *
 * Tables, by record key: `records` (bytes), `index` (size, times), `access` (time of last use and key, in order), `refs` (key and slot,
 * for each document that needs the record), `pins`; by slot: `documents` (bytes), `needs` (keys, expiry). `totals`: bytes of all
 * records. Uses are noted in RAM and written once in a while, so that a read costs no transaction.
 */
import { statfsSync } from 'node:fs';
import { type Database, open, type RootDatabase, type Transaction } from 'lmdb';
import { asBuffer } from '../../base/bytes.js';
import { DkvError, type ErrorCode, messageOf } from '../../base/errors.js';
import { shellWord } from '../../base/shell-word.js';
import type { Collected } from '../store.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  expectFits,
  type Found,
  foundIn,
  full,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';
import { expectDataFile } from './lmdb-file.js';
import { expectFolder, fileOf, isWritable } from './lmdb-folder.js';
import { UseClock } from './use-clock.js';

/** Version of the tables, not of the records. */
const LAYOUT = 1;
const PAGE = 256;
const NO_ROOM_BYTES = 1024 ** 2;
const TOUCH_AFTER_MS = 1000;
/** Processes that read at a time, as the first one to open a store sets it. */
const MOST_READERS = 1024;
/** Between two looks at whether the folder is still there, for whoever only reads. */
const LOOK_AFTER_MS = 1000;
const TABLES = ['records', 'index', 'access', 'refs', 'pins', 'documents', 'needs', 'totals'] as const;

interface Indexed {
  readonly sizeBytes: number;
  readonly storedAt: number;
  readonly usedAt: number;
  readonly expiresAt: number | null;
}

interface Needs {
  readonly keys: readonly string[];
  readonly expiresAt: number | null;
}

export class LmdbBackend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly isReadOnly: boolean;
  readonly #maxBytes: number;
  /** Which file is open: another one may take its name. */
  readonly #file: string | undefined;
  readonly #root: RootDatabase<Buffer, string>;
  readonly #records: Database<Buffer, string>;
  readonly #index: Database<Indexed, string>;
  readonly #access: Database<Buffer, [number, string]>;
  readonly #refs: Database<Buffer, string>;
  readonly #pins: Database<Buffer, string>;
  readonly #documents: Database<Buffer, string>;
  readonly #needs: Database<Needs, string>;
  readonly #totals: Database<number, string>;
  readonly #touched = new Map<string, number>();
  #touching: NodeJS.Timeout | undefined;
  readonly #uses = new UseClock();
  #lookedAt = Date.now();

  /**
   * A folder that may not be written to is opened for reading.
   * @throws DkvError INPUT_INVALID for what is no folder, or holds something else; FILES_UNUSABLE, STORE_MISMATCH, STORE_DAMAGED,
   * STORE_BUSY
   */
  static async open(directory: string, maxBytes: number, mustExist: boolean): Promise<LmdbBackend> {
    await expectFolder(directory, mustExist);
    const isReadOnly = !(await isWritable(directory));
    const isThere = await expectDataFile(directory, isReadOnly);
    if (!isThere && (mustExist || isReadOnly)) {
      throw new DkvError('INPUT_INVALID', `${directory}: there is no store. Name one, or prime one there.`);
    }
    const backend = new LmdbBackend(directory, maxBytes, isReadOnly);
    try {
      backend.#expectLayout();
    } catch (error) {
      await backend.#root.close();
      throw error;
    }
    return backend;
  }

  private constructor(directory: string, maxBytes: number, isReadOnly: boolean) {
    this.location = directory;
    this.places = [directory];
    this.isReadOnly = isReadOnly;
    this.#maxBytes = maxBytes;
    let root: RootDatabase<Buffer, string> | undefined;
    try {
      root = open<Buffer, string>({
        path: directory,
        // A name with a dot would be taken for a file's.
        noSubdir: false,
        readOnly: isReadOnly,
        maxReaders: MOST_READERS,
        maxDbs: 12,
        encoding: 'binary',
      });
      const others = [...root.getKeys()].filter((name) => !TABLES.includes(name as (typeof TABLES)[number]));
      if (others.length > 0) throw ofAnotherProgram(directory);
      this.#root = root;
      this.#records = root.openDB({ name: 'records', encoding: 'binary' });
      this.#index = root.openDB({ name: 'index', encoding: 'json' });
      this.#access = root.openDB({ name: 'access', encoding: 'binary' });
      this.#refs = root.openDB({ name: 'refs', encoding: 'binary' });
      this.#pins = root.openDB({ name: 'pins', encoding: 'binary' });
      this.#documents = root.openDB({ name: 'documents', encoding: 'binary' });
      this.#needs = root.openDB({ name: 'needs', encoding: 'json' });
      this.#totals = root.openDB({ name: 'totals', encoding: 'json' });
      this.#file = fileOf(directory);
    } catch (error) {
      void root?.close();
      throw this.#translate(error);
    }
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    return this.#seeEach(
      keys,
      (key, transaction) => {
        const decoded = foundIn(() => this.#lookUp(key, decode, transaction));
        if (decoded && !(decoded instanceof DkvError)) this.#touch(key);
        return decoded;
      },
      signal,
    );
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    return this.#see(() => this.#lookUp(key, decode));
  }

  #lookUp<T>(key: string, decode: Decode<T>, transaction?: Transaction): T | undefined {
    try {
      // Valid until the next read, which `decode` does not wait for.
      const bytes = fast(this.#records, key, transaction);
      return bytes && decode(bytes.subarray(0, bytes.length), key);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /** Several looks at one state of the store, with rests between them. */
  async #seeEach<T>(
    names: readonly string[],
    look: (name: string, transaction: Transaction) => T,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const turns = readingTurns(signal);
    const transaction = this.#see(() => this.#root.useReadTransaction());
    try {
      return await turns.map(names, (name) => look(name, transaction));
    } catch (error) {
      throw this.#translate(error);
    } finally {
      transaction.done();
    }
  }

  /**
   * Each look is at what is there now: lmdb-js keeps what it reads from until a timer runs, and what another process has acknowledged
   * could be missed till then.
   */
  #see<T>(look: () => T): T {
    try {
      if (Date.now() - this.#lookedAt >= LOOK_AFTER_MS) this.#expectFile();
      this.#root.resetReadTxn();
      return look();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async has(key: string, now: number): Promise<boolean> {
    return this.#see(() => {
      const indexed = this.#index.get(key);
      const isLasting = indexed !== undefined && (indexed.expiresAt ?? Number.POSITIVE_INFINITY) > now;
      return isLasting && this.#records.doesExist(key);
    });
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    expectFits(blobs, this.#maxBytes, this.location);
    this.#commit(() => {
      this.#writeTouched();
      for (const blob of blobs) this.#putRecord(blob);
      if (slot) this.#putSlot(slot);
      this.#evict(new Set(blobs.map(({ key }) => key)));
    });
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#seeEach(slots, (slot, transaction) => {
      const bytes = fast(this.#documents, slot, transaction);
      return bytes && new Uint8Array(bytes.subarray(0, bytes.length));
    });
  }

  async deleteSlot(slot: string): Promise<boolean> {
    return this.#commit(() => {
      const present = this.#documents.doesExist(slot);
      this.#dropSlot(slot);
      return present;
    });
  }

  async remove(key: string): Promise<void> {
    this.#commit(() => {
      this.#dropRecord(key);
    });
  }

  async *keys(): AsyncIterable<string> {
    for (const page of this.#pages(this.#index)) yield* page;
  }

  async *slots(): AsyncIterable<string> {
    for (const page of this.#pages(this.#documents)) yield* page;
  }

  async pin(key: string): Promise<void> {
    this.#commit(() => this.#pins.putSync(key, Buffer.alloc(0)));
  }

  async unpin(key: string): Promise<void> {
    this.#commit(() => this.#pins.removeSync(key));
  }

  async usage(): Promise<Usage> {
    return this.#see(() => ({
      records: this.#index.getCount(),
      documents: this.#documents.getCount(),
      pinned: this.#pins.getCount(),
      sizeBytes: this.#totals.get('sizeBytes') ?? 0,
      ...(Number.isFinite(this.#maxBytes) && { maxBytes: this.#maxBytes }),
    }));
  }

  /** A transaction for each page, so that other writers get their turn. */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    let [records, sizeBytes, documents] = [0, 0, 0];
    for (const page of this.#pages(this.#needs)) {
      documents += this.#commit(() => {
        const expired = page.filter((slot) => (this.#needs.get(slot)?.expiresAt ?? Number.POSITIVE_INFINITY) <= now);
        for (const slot of expired) this.#dropSlot(slot);
        return expired.length;
      });
    }
    for (const page of this.#pages(this.#index)) {
      this.#commit(() => {
        for (const key of page) {
          const indexed = this.#index.get(key);
          if (!indexed || !this.#isCollectable(key, indexed, now, minimumAgeMs)) continue;
          this.#dropRecord(key);
          records++;
          sizeBytes += indexed.sizeBytes;
        }
      });
    }
    return { records, sizeBytes, documents };
  }

  async close(): Promise<void> {
    clearTimeout(this.#touching);
    if (this.#touched.size > 0) this.#tryWriteTouched();
    await this.#root.close();
  }

  #expectLayout(): void {
    const [layout, records] = this.#see(() => [this.#totals.get('layout'), this.#records.getCount()]);
    const found = layout ?? (records === 0 ? LAYOUT : 0);
    if (found !== LAYOUT) {
      throw new DkvError(
        'STORE_MISMATCH',
        `${this.location}: its tables have layout ${found}, this package knows ${LAYOUT}. Use the version that made it, or prime into an empty folder.`,
      );
    }
    if (layout === undefined && !this.isReadOnly) {
      this.#commit(() => this.#totals.putSync('layout', LAYOUT));
    }
  }

  #isCollectable(key: string, { expiresAt, storedAt }: Indexed, now: number, minimumAgeMs: number): boolean {
    if (expiresAt !== null && expiresAt <= now) return true;
    if (storedAt > now - minimumAgeMs || this.#pins.doesExist(key)) return false;
    // References are `key:slot`; `;` follows `:`.
    return this.#refs.getKeysCount({ start: `${key}:`, end: `${key};`, limit: 1 }) === 0;
  }

  #putRecord({ key, bytes, expiresAt }: Blob): void {
    this.#dropRecord(key);
    const usedAt = this.#uses.next();
    this.#records.putSync(key, asBuffer(bytes));
    this.#index.putSync(key, {
      sizeBytes: bytes.byteLength,
      storedAt: Date.now(),
      usedAt,
      expiresAt: expiresAt ?? null,
    });
    this.#access.putSync([usedAt, key], Buffer.alloc(0));
    this.#addBytes(bytes.byteLength);
  }

  #dropRecord(key: string): void {
    const indexed = this.#index.get(key);
    if (!indexed) return;
    this.#records.removeSync(key);
    this.#index.removeSync(key);
    this.#access.removeSync([indexed.usedAt, key]);
    this.#addBytes(-indexed.sizeBytes);
  }

  #putSlot({ slot, bytes, keys, expiresAt }: Slot): void {
    this.#dropSlot(slot);
    this.#documents.putSync(slot, asBuffer(bytes));
    this.#needs.putSync(slot, { keys, expiresAt: expiresAt ?? null });
    for (const key of keys) this.#refs.putSync(`${key}:${slot}`, Buffer.alloc(0));
  }

  #dropSlot(slot: string): void {
    for (const key of this.#needs.get(slot)?.keys ?? []) this.#refs.removeSync(`${key}:${slot}`);
    this.#needs.removeSync(slot);
    this.#documents.removeSync(slot);
  }

  #addBytes(bytes: number): void {
    this.#totals.putSync('sizeBytes', (this.#totals.get('sizeBytes') ?? 0) + bytes);
  }

  /** @throws DkvError STORE_FULL, which undoes the transaction */
  #evict(kept: ReadonlySet<string>): void {
    const sizeBytes = this.#totals.get('sizeBytes') ?? 0;
    if (sizeBytes <= this.#maxBytes) return;
    let left = sizeBytes;
    const victims: string[] = [];
    for (const [, key] of this.#access.getKeys()) {
      if (left <= this.#maxBytes) break;
      if (kept.has(key) || this.#pins.doesExist(key)) continue;
      victims.push(key);
      left -= this.#index.get(key)?.sizeBytes ?? 0;
    }
    if (left > this.#maxBytes) throw full(this.location, left, this.#maxBytes);
    for (const key of victims) this.#dropRecord(key);
  }

  #touch(key: string): void {
    if (this.isReadOnly) return;
    this.#touched.set(key, this.#uses.next());
    this.#touching ??= setTimeout(() => {
      this.#touching = undefined;
      this.#tryWriteTouched();
    }, TOUCH_AFTER_MS).unref();
  }

  #tryWriteTouched(): void {
    try {
      this.#commit(() => this.#writeTouched());
    } catch {
      // A use that is not noted only makes eviction less exact.
    }
  }

  #writeTouched(): void {
    for (const [key, usedAt] of this.#touched) {
      const indexed = this.#index.get(key);
      if (!indexed || indexed.usedAt >= usedAt) continue;
      this.#access.removeSync([indexed.usedAt, key]);
      this.#access.putSync([usedAt, key], Buffer.alloc(0));
      this.#index.putSync(key, { ...indexed, usedAt });
    }
    this.#touched.clear();
  }

  /**
   * Runs in a transaction that an exception undoes, and returns when it is on the disk. It holds this thread meanwhile, a few
   * milliseconds: the asynchronous transactions of lmdb-js end the process when a commit fails.
   */
  #commit<T>(work: () => T): T {
    if (this.isReadOnly) throw this.#readOnly();
    try {
      const result = this.#root.transactionSync(work);
      // Not before: what went into a file that nobody can open any more must not be acknowledged.
      this.#expectFile();
      return result;
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #expectFile(): void {
    if (fileOf(this.location) !== this.#file) {
      throw new DkvError(
        'STORE_UNREACHABLE',
        `${this.location}: the folder was deleted or replaced while it was open; what is written now would be lost. Open the store again.`,
      );
    }
    this.#lookedAt = Date.now();
  }

  #readOnly(cause?: unknown): DkvError {
    return new DkvError(
      'STORE_READONLY',
      `${this.location} may only be read by this user, or lies on a disk that may only be read: nothing can be put into it or taken out. Copy it (dkv store copy), or ask its owner for the right.`,
      { cause },
    );
  }

  #translate(error: unknown): unknown {
    if (error instanceof DkvError) return error;
    const message = messageOf(error);
    const told = (code: ErrorCode, text: string) => new DkvError(code, `${this.location}: ${text}`, { cause: error });
    if (/READERS_FULL/.test(message)) {
      return told('STORE_BUSY', `as many processes read it as it has places for (${message}). Wait for one to end.`);
    }
    if (/CORRUPTED|PAGE_NOTFOUND|MDB_INVALID|MDB_PANIC|BAD_TXN|JSON/.test(message)) {
      return told(
        'STORE_DAMAGED',
        `its tables are damaged (${message}). Copy what can still be read into another folder (dkv store copy ${shellWord(this.location)} FOLDER), then prime there.`,
      );
    }
    if (/VERSION_MISMATCH/.test(message)) return told('STORE_MISMATCH', `it was made by another LMDB (${message}).`);
    if (/permission denied|read-only file system|operation not permitted/i.test(message)) return this.#readOnly(error);
    if (/no space|MAP_FULL|file too large|quota/i.test(message) || this.#isDiskFull()) {
      return told(
        'DISK_FULL',
        `there is no room for what is to be stored (${message}). Nothing of it was stored. Free some, or set a maximum size.`,
      );
    }
    return told(
      'STORE_UNREACHABLE',
      `${message}. Open the store again; if that does not help, look at the folder's disk and rights.`,
    );
  }

  /** LMDB calls it an input or output error when the last bytes of a disk are too few for a write. */
  #isDiskFull(): boolean {
    try {
      const { bavail, bsize } = statfsSync(this.location);
      return bavail * bsize < NO_ROOM_BYTES;
    } catch {
      return false;
    }
  }

  /** Each page is a look of its own: a long one would keep old pages of the file alive. */
  *#pages(table: Database<unknown, string>): Iterable<string[]> {
    let start: string | undefined;
    for (;;) {
      const range = { limit: PAGE, ...(start !== undefined && { start }) };
      const page = this.#see(() => [...table.getKeys(range)]);
      if (page.length === 0) return;
      yield page;
      // Keys are hex digits of one length: this is just behind the last one.
      start = `${page.at(-1)}!`;
    }
  }
}

/** The bytes of an entry, valid until the next read. The types of lmdb-js leave out that it takes a transaction here as elsewhere. */
function fast(table: Database<Buffer, string>, name: string, transaction: Transaction | undefined): Buffer | undefined {
  type Read = (name: string, options?: { readonly transaction: Transaction }) => Buffer | undefined;
  return (table.getBinaryFast as Read).call(table, name, transaction && { transaction });
}

function ofAnotherProgram(directory: string): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${directory} holds the database of another program. Name an empty folder or a store.`,
  );
}
