/**
 * Changes of an embedded store, each a transaction: acknowledged when it is on the disk, or nothing of it has happened. A transaction holds the
 * thread that it runs in for some milliseconds, since the asynchronous ones of lmdb-js end the process when a commit fails.
 */
import type { Database } from 'lmdb';
import { asBuffer } from '../../base/bytes.js';
import type { Collected } from '../store.js';
import { type Blob, full, type Slot } from './backend.js';
import { pagesOf } from './lmdb-pages.js';
import type { Indexed, LmdbTables } from './lmdb-tables.js';

/** Uses of records that are not noted yet: key and time of the last one. */
export type Uses = readonly (readonly [key: string, usedAt: number])[];

/** The changes that are written together. */
export interface Write {
  /** Uses to note before anything else, since what is evicted depends on them. */
  readonly uses: Uses;
  readonly blobs: readonly Blob[];
  /** The time of use of each record, by the clock of uses. */
  readonly usedAt: readonly number[];
  readonly slot: Slot | undefined;
}

export class LmdbWriter {
  readonly #tables: LmdbTables;
  readonly #maxBytes: number;
  readonly #pass: <T>(transaction: () => T) => T;

  /** @param pass runs each transaction */
  constructor(tables: LmdbTables, maxBytes: number, pass = <T>(transaction: () => T): T => transaction()) {
    this.#tables = tables;
    this.#maxBytes = maxBytes;
    this.#pass = pass;
  }

  noteLayout(): void {
    this.#commit(() => this.#tables.noteLayout());
  }

  write({ uses, blobs, usedAt, slot }: Write): void {
    this.#commit(() => {
      this.#putUses(uses);
      for (const [at, blob] of blobs.entries()) this.#putRecord(blob, usedAt[at]!);
      if (slot) this.#putSlot(slot);
      this.#evict(new Set(blobs.map(({ key }) => key)));
    });
  }

  noteUses(uses: Uses): void {
    this.#commit(() => this.#putUses(uses));
  }

  deleteSlot(slot: string): boolean {
    return this.#commit(() => {
      const present = this.#tables.documents.doesExist(slot);
      this.#dropSlot(slot);
      return present;
    });
  }

  remove(key: string): void {
    this.#commit(() => this.#dropRecord(key));
  }

  pin(key: string): void {
    this.#commit(() => this.#tables.pins.putSync(key, Buffer.alloc(0)));
  }

  unpin(key: string): void {
    this.#commit(() => this.#tables.pins.removeSync(key));
  }

  /** Removes what has expired or is not needed, in a transaction for each page with a rest after it, so that other writers get their turn. */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    let [records, sizeBytes, documents] = [0, 0, 0];
    const { needs, index } = this.#tables;
    for (const page of this.#pages(needs.table)) {
      documents += this.#commit(() => {
        const expired = page.filter((slot) => (needs.get(slot)?.expiresAt ?? Number.POSITIVE_INFINITY) <= now);
        for (const slot of expired) this.#dropSlot(slot);
        return expired.length;
      });
      await nextTurn();
    }
    for (const page of this.#pages(index.table)) {
      this.#commit(() => {
        for (const key of page) {
          const indexed = index.get(key);
          if (!indexed || !this.#isCollectable(key, indexed, now, minimumAgeMs)) continue;
          this.#dropRecord(key);
          records++;
          sizeBytes += indexed.sizeBytes;
        }
      });
      await nextTurn();
    }
    return { records, sizeBytes, documents };
  }

  #pages(table: Database<unknown, string>): Iterable<string[]> {
    return pagesOf(this.#tables, table);
  }

  #isCollectable(key: string, { expiresAt, storedAt }: Indexed, now: number, minimumAgeMs: number): boolean {
    if (expiresAt !== null && expiresAt <= now) return true;
    if (storedAt > now - minimumAgeMs || this.#tables.pins.doesExist(key)) return false;
    // References are `key:slot`; `;` follows `:`.
    return this.#tables.refs.getKeysCount({ start: `${key}:`, end: `${key};`, limit: 1 }) === 0;
  }

  #putRecord({ key, bytes, expiresAt }: Blob, usedAt: number): void {
    this.#dropRecord(key);
    this.#tables.records.putSync(key, asBuffer(bytes));
    this.#tables.index.put(key, {
      sizeBytes: bytes.byteLength,
      storedAt: Date.now(),
      usedAt,
      expiresAt: expiresAt ?? null,
    });
    this.#tables.access.putSync([usedAt, key], Buffer.alloc(0));
    this.#addBytes(bytes.byteLength);
  }

  #dropRecord(key: string): void {
    const indexed = this.#tables.index.get(key);
    if (!indexed) return;
    this.#tables.records.removeSync(key);
    this.#tables.index.remove(key);
    this.#tables.access.removeSync([indexed.usedAt, key]);
    this.#addBytes(-indexed.sizeBytes);
  }

  #putSlot({ slot, bytes, keys, expiresAt }: Slot): void {
    this.#dropSlot(slot);
    this.#tables.documents.putSync(slot, asBuffer(bytes));
    this.#tables.needs.put(slot, { keys: [...keys], expiresAt: expiresAt ?? null });
    for (const key of keys) this.#tables.refs.putSync(`${key}:${slot}`, Buffer.alloc(0));
  }

  #dropSlot(slot: string): void {
    for (const key of this.#tables.needs.get(slot)?.keys ?? []) this.#tables.refs.removeSync(`${key}:${slot}`);
    this.#tables.needs.remove(slot);
    this.#tables.documents.removeSync(slot);
  }

  #addBytes(bytes: number): void {
    this.#tables.sizeBytes += bytes;
  }

  /** @throws DkvError STORE_FULL, which undoes the transaction */
  #evict(kept: ReadonlySet<string>): void {
    const { sizeBytes } = this.#tables;
    if (sizeBytes <= this.#maxBytes) return;
    let left = sizeBytes;
    const victims: string[] = [];
    for (const [, key] of this.#tables.access.getKeys()) {
      if (left <= this.#maxBytes) break;
      if (kept.has(key) || this.#tables.pins.doesExist(key)) continue;
      victims.push(key);
      left -= this.#tables.index.get(key)?.sizeBytes ?? 0;
    }
    if (left > this.#maxBytes) throw full(this.#tables.location, left, this.#maxBytes);
    for (const key of victims) this.#dropRecord(key);
  }

  #putUses(uses: Uses): void {
    for (const [key, usedAt] of uses) {
      const indexed = this.#tables.index.get(key);
      if (!indexed || indexed.usedAt >= usedAt) continue;
      this.#tables.access.removeSync([indexed.usedAt, key]);
      this.#tables.access.putSync([usedAt, key], Buffer.alloc(0));
      this.#tables.index.put(key, { ...indexed, usedAt });
    }
  }

  #commit<T>(work: () => T): T {
    const tables = this.#tables;
    if (tables.isReadOnly) throw tables.readOnly();
    try {
      const result = this.#pass(() => tables.root.transactionSync(work));
      // Not before: what went into a file that nobody can open any more must not be acknowledged.
      tables.expectFile();
      return result;
    } catch (error) {
      throw tables.translate(error);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
