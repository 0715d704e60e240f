/**
 * The embedded store: one folder, many processes, every write a transaction. A write is acknowledged when it is on the disk. Reads are made in
 * this thread; writes in one of their own, since a transaction holds its thread for milliseconds. Uses of records are noted in RAM and written
 * once in a while, so that a read costs no transaction.
 */
import type { Database, Transaction } from 'lmdb';
import { DkvError } from '../../base/errors.js';
import type { Collected } from '../store.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  expectFits,
  type Found,
  foundIn,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';
import { expectDataFile } from './lmdb-file.js';
import { expectFolder, isWritable } from './lmdb-folder.js';
import type { WriterMethod } from './lmdb-messages.js';
import { pagesOf } from './lmdb-pages.js';
import { LmdbTables } from './lmdb-tables.js';
import { LmdbThread } from './lmdb-thread.js';
import { LmdbWriter, type Uses } from './lmdb-writer.js';
import { UseClock } from './use-clock.js';

const TOUCH_AFTER_MS = 1000;

export class LmdbBackend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly isReadOnly: boolean;
  readonly #maxBytes: number;
  readonly #tables: LmdbTables;
  readonly #thread: LmdbThread;
  readonly #touched = new Map<string, number>();
  #touching: NodeJS.Timeout | undefined;
  readonly #uses = new UseClock();

  /**
   * Opens the store in a folder. A folder that may not be written to is opened for reading.
   * @throws DkvError INPUT_INVALID for something that is not a folder, or holds something else; FILES_UNUSABLE, STORE_MISMATCH, STORE_DAMAGED,
   * STORE_BUSY
   */
  static async open(directory: string, maxBytes: number, mustExist: boolean): Promise<LmdbBackend> {
    await expectFolder(directory, mustExist);
    const isReadOnly = !(await isWritable(directory));
    const isThere = await expectDataFile(directory, isReadOnly);
    if (!isThere && (mustExist || isReadOnly)) {
      throw new DkvError('INPUT_INVALID', `${directory}: there is no store. Name one, or prime one there.`);
    }
    const tables = new LmdbTables(directory, isReadOnly);
    try {
      if (tables.expectLayout() && !isReadOnly) new LmdbWriter(tables, maxBytes).noteLayout();
    } catch (error) {
      await tables.close();
      throw error;
    }
    return new LmdbBackend(tables, maxBytes);
  }

  private constructor(tables: LmdbTables, maxBytes: number) {
    this.location = tables.location;
    this.places = [tables.location];
    this.isReadOnly = tables.isReadOnly;
    this.#maxBytes = maxBytes;
    this.#tables = tables;
    this.#thread = new LmdbThread({ directory: tables.location, maxBytes, file: tables.file });
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
    return this.#tables.see(() => this.#lookUp(key, decode));
  }

  #lookUp<T>(key: string, decode: Decode<T>, transaction?: Transaction): T | undefined {
    try {
      // Valid until the next read, which `decode` does not wait for.
      const bytes = fast(this.#tables.records, key, transaction);
      return bytes && decode(bytes.subarray(0, bytes.length), key);
    } catch (error) {
      throw this.#tables.translate(error);
    }
  }

  /** Makes several readings of one state of the store, with rests between them. */
  async #seeEach<T>(
    names: readonly string[],
    look: (name: string, transaction: Transaction) => T,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const turns = readingTurns(signal);
    const transaction = this.#tables.see(() => this.#tables.root.useReadTransaction());
    try {
      return await turns.map(names, (name) => look(name, transaction));
    } catch (error) {
      throw this.#tables.translate(error);
    } finally {
      transaction.done();
    }
  }

  async has(key: string, now: number): Promise<boolean> {
    return this.#tables.see(() => {
      const indexed = this.#tables.index.get(key);
      const isLasting = indexed !== undefined && (indexed.expiresAt ?? Number.POSITIVE_INFINITY) > now;
      return isLasting && this.#tables.records.doesExist(key);
    });
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    expectFits(blobs, this.#maxBytes, this.location);
    const usedAt = blobs.map(() => this.#uses.next());
    const spare = blobs.flatMap(({ bytes, isSpare }) => (isSpare ? [bytes.buffer as ArrayBuffer] : []));
    await this.#ask('write', [{ uses: this.#takeTouched(), blobs, usedAt, slot }], spare);
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#seeEach(slots, (slot, transaction) => {
      const bytes = fast(this.#tables.documents, slot, transaction);
      return bytes && new Uint8Array(bytes.subarray(0, bytes.length));
    });
  }

  deleteSlot(slot: string): Promise<boolean> {
    return this.#ask('deleteSlot', [slot]);
  }

  remove(key: string): Promise<void> {
    return this.#ask('remove', [key]);
  }

  async *keys(): AsyncIterable<string> {
    for (const page of pagesOf(this.#tables, this.#tables.index.table)) yield* page;
  }

  async *slots(): AsyncIterable<string> {
    for (const page of pagesOf(this.#tables, this.#tables.documents)) yield* page;
  }

  pin(key: string): Promise<void> {
    return this.#ask('pin', [key]);
  }

  unpin(key: string): Promise<void> {
    return this.#ask('unpin', [key]);
  }

  async usage(): Promise<Usage> {
    const { index, documents, pins } = this.#tables;
    return this.#tables.see(() => ({
      records: index.table.getCount(),
      documents: documents.getCount(),
      pinned: pins.getCount(),
      sizeBytes: this.#tables.sizeBytes,
      ...(Number.isFinite(this.#maxBytes) && { maxBytes: this.#maxBytes }),
    }));
  }

  collect(now: number, minimumAgeMs: number): Promise<Collected> {
    return this.#ask('collect', [now, minimumAgeMs]);
  }

  async close(): Promise<void> {
    clearTimeout(this.#touching);
    if (this.#touched.size > 0) await this.#writeTouched(!this.#thread.isRunning);
    await this.#thread.close();
    await this.#tables.close();
  }

  /** @param spare memory that is given away */
  async #ask<M extends WriterMethod>(
    method: M,
    args: Parameters<LmdbWriter[M]>,
    spare: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<LmdbWriter[M]>>> {
    if (this.isReadOnly) throw this.#tables.readOnly();
    return this.#thread.request(method, args, spare);
  }

  #touch(key: string): void {
    if (this.isReadOnly) return;
    this.#touched.set(key, this.#uses.next());
    this.#touching ??= setTimeout(() => {
      this.#touching = undefined;
      void this.#writeTouched(false);
    }, TOUCH_AFTER_MS).unref();
  }

  #takeTouched(): Uses {
    const uses = [...this.#touched];
    this.#touched.clear();
    return uses;
  }

  /** @param isHere in this thread: at the end, who has only read for a moment needs no thread of its own to write that */
  async #writeTouched(isHere: boolean): Promise<void> {
    const uses = this.#takeTouched();
    try {
      if (isHere) new LmdbWriter(this.#tables, this.#maxBytes).noteUses(uses);
      else await this.#ask('noteUses', [uses]);
    } catch {
      // A use that is not noted only makes eviction less exact.
    }
  }
}

/** The bytes of an entry, valid until the next read. The types of lmdb-js leave out that it takes a transaction here as elsewhere. */
function fast(table: Database<Buffer, string>, name: string, transaction: Transaction | undefined): Buffer | undefined {
  type Read = (name: string, options?: { readonly transaction: Transaction }) => Buffer | undefined;
  return (table.getBinaryFast as Read).call(table, name, transaction && { transaction });
}
