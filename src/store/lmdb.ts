/**
 * The embedded store: one folder, many processes, every write a transaction. A write is acknowledged when it is on the disk.
 *
 * Tables, by record key: `records` (bytes), `index` (size, times), `access` (time of last use and key, in order), `refs` (key and slot,
 * for each document that needs the record), `pins`; by slot: `documents` (bytes), `needs` (keys, expiry). `totals`: bytes of all
 * records. Uses are noted in memory and written once in a while, so that a read costs no transaction.
 */
import { existsSync, statfsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { DkvError, messageOf } from '../errors.js';
import type { Collected } from '../store.js';
import { type Backend, type Blob, type Decode, expectFits, full, type Slot, type Usage } from './backend.js';
import type { DecodedRecord } from './record.js';

/** Version of the tables, not of the records. */
const LAYOUT = 1;
const PAGE = 256;
const NO_ROOM_BYTES = 1024 ** 2;
const TOUCH_AFTER_MS = 1000;

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
  readonly #maxBytes: number;
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
  #lastUse = 0;

  /** @throws DkvError STORE_MISMATCH, INPUT_INVALID for a folder that holds something else */
  static async open(directory: string, maxBytes: number, mustExist: boolean): Promise<LmdbBackend> {
    if (!mustExist) await mkdir(directory, { recursive: true });
    if (mustExist && !existsSync(path.join(directory, 'data.mdb'))) {
      throw new DkvError('INPUT_INVALID', `${directory}: there is no store. Name one, or prime one there.`);
    }
    const files = await readdir(directory);
    if (files.length > 0 && !files.includes('data.mdb')) {
      throw new DkvError(
        'INPUT_INVALID',
        `${directory} holds other files and no store. Name an empty folder or a store.`,
      );
    }
    const backend = new LmdbBackend(directory, maxBytes);
    await backend.#expectLayout();
    return backend;
  }

  private constructor(directory: string, maxBytes: number) {
    this.location = directory;
    this.#maxBytes = maxBytes;
    const root = open<Buffer, string>({ path: directory, maxDbs: 12, encoding: 'binary' });
    this.#root = root;
    this.#records = root.openDB({ name: 'records', encoding: 'binary' });
    this.#index = root.openDB({ name: 'index', encoding: 'json' });
    this.#access = root.openDB({ name: 'access', encoding: 'binary' });
    this.#refs = root.openDB({ name: 'refs', encoding: 'binary' });
    this.#pins = root.openDB({ name: 'pins', encoding: 'binary' });
    this.#documents = root.openDB({ name: 'documents', encoding: 'binary' });
    this.#needs = root.openDB({ name: 'needs', encoding: 'json' });
    this.#totals = root.openDB({ name: 'totals', encoding: 'json' });
  }

  async read(key: string, decode: Decode): Promise<DecodedRecord | undefined> {
    this.#seeOthersWrites();
    // Valid until the next read, which `decode` does not wait for.
    const bytes = this.#records.getBinaryFast(key);
    if (!bytes) return undefined;
    const decoded = decode(bytes.subarray(0, bytes.length));
    this.#touch(key);
    return decoded;
  }

  /** lmdb-js keeps what it reads from until a timer runs: without this, what another process has acknowledged could be missed till then. */
  #seeOthersWrites(): void {
    this.#root.resetReadTxn();
  }

  async has(key: string, now: number): Promise<boolean> {
    this.#seeOthersWrites();
    const indexed = this.#index.get(key);
    return indexed !== undefined && (indexed.expiresAt ?? Number.POSITIVE_INFINITY) > now;
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

  async readSlot(slot: string): Promise<Uint8Array | undefined> {
    this.#seeOthersWrites();
    return this.#documents.getBinary(slot);
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
    for (const page of keyPages(this.#index)) yield* page;
  }

  async *slots(): AsyncIterable<string> {
    for (const page of keyPages(this.#documents)) yield* page;
  }

  async pin(key: string): Promise<void> {
    this.#commit(() => this.#pins.putSync(key, Buffer.alloc(0)));
  }

  async unpin(key: string): Promise<void> {
    this.#commit(() => this.#pins.removeSync(key));
  }

  async usage(): Promise<Usage> {
    return {
      records: this.#index.getCount(),
      documents: this.#documents.getCount(),
      pinned: this.#pins.getCount(),
      sizeBytes: this.#totals.get('sizeBytes') ?? 0,
      ...(Number.isFinite(this.#maxBytes) && { maxBytes: this.#maxBytes }),
    };
  }

  /** A transaction for each page, so that other writers get their turn. */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    let [records, sizeBytes, documents] = [0, 0, 0];
    for (const page of keyPages(this.#needs)) {
      documents += this.#commit(() => {
        const expired = page.filter((slot) => (this.#needs.get(slot)?.expiresAt ?? Number.POSITIVE_INFINITY) <= now);
        for (const slot of expired) this.#dropSlot(slot);
        return expired.length;
      });
    }
    for (const page of keyPages(this.#index)) {
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

  async #expectLayout(): Promise<void> {
    const found = this.#totals.get('layout') ?? (this.#records.getCount() === 0 ? LAYOUT : 0);
    if (found !== LAYOUT) {
      await this.#root.close();
      throw new DkvError(
        'STORE_MISMATCH',
        `${this.location}: its tables have layout ${found}, this package knows ${LAYOUT}. Use the version that made it, or prime into an empty folder.`,
      );
    }
    if (this.#totals.get('layout') === undefined) this.#commit(() => this.#totals.putSync('layout', LAYOUT));
  }

  #isCollectable(key: string, { expiresAt, storedAt }: Indexed, now: number, minimumAgeMs: number): boolean {
    if (expiresAt !== null && expiresAt <= now) return true;
    if (storedAt > now - minimumAgeMs || this.#pins.doesExist(key)) return false;
    // References are `key:slot`; `;` follows `:`.
    return this.#refs.getKeysCount({ start: `${key}:`, end: `${key};`, limit: 1 }) === 0;
  }

  #putRecord({ key, bytes, expiresAt }: Blob): void {
    this.#dropRecord(key);
    const usedAt = this.#nextUse();
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
    this.#touched.set(key, this.#nextUse());
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

  /** Milliseconds since 1970 with room for 4096 uses in each, so that uses have an order. */
  #nextUse(): number {
    this.#lastUse = Math.max(this.#lastUse + 1, Date.now() * 4096);
    return this.#lastUse;
  }

  /**
   * Runs in a transaction that an exception undoes, and returns when it is on the disk. It holds this thread meanwhile, a few
   * milliseconds: the asynchronous transactions of lmdb-js end the process when a commit fails.
   */
  #commit<T>(work: () => T): T {
    try {
      return this.#root.transactionSync(work);
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): unknown {
    if (error instanceof DkvError) return error;
    const message = messageOf(error);
    if (/no space|MAP_FULL|file too large|quota/i.test(message) || this.#isDiskFull()) {
      return new DkvError(
        'DISK_FULL',
        `${this.location}: there is no room for what is to be stored (${message}). Nothing of it was stored. Free some, or set a maximum size.`,
        { cause: error },
      );
    }
    return new DkvError(
      'STORE_UNREACHABLE',
      `${this.location}: ${message}. Open the store again; if that does not help, look at the folder's disk and rights.`,
      { cause: error },
    );
  }

  /** LMDB calls it an input or output error when the last bytes of a disk are too few for a write. */
  #isDiskFull(): boolean {
    const { bavail, bsize } = statfsSync(this.location);
    return bavail * bsize < NO_ROOM_BYTES;
  }
}

/** Each page is a read of its own: a long one would keep old pages of the file alive. */
function* keyPages(table: Database<unknown, string>): Iterable<string[]> {
  let start: string | undefined;
  for (;;) {
    const page: string[] = [...table.getKeys({ limit: PAGE, ...(start !== undefined && { start }) })];
    if (page.length === 0) return;
    yield page;
    // Keys are hex digits of one length: this is just behind the last one.
    start = `${page.at(-1)}!`;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
