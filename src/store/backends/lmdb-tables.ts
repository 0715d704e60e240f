/**
 * The database of an embedded store: its tables, opened, with what they hold in the forms that it must have. Who only looks and who writes each
 * has one of these, in threads of their own.
 *
 * Tables, by record key: `records` (bytes), `index` (size, times), `access` (time of last use and key, in order), `refs` (key and slot,
 * for each document that needs the record), `pins`; by slot: `documents` (bytes), `needs` (keys, expiry). `totals`: bytes of all
 * records.
 */
import { statfsSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { z } from 'zod';
import { DkvError, type ErrorCode, messageOf } from '../../base/errors.js';
import { tryParse } from '../../base/parse.js';
import { shellWord } from '../../base/shell-word.js';
import { fileOf } from './lmdb-folder.js';

/** The version of the tables, which is not that of the records. */
const LAYOUT = 1;
const NO_ROOM_BYTES = 1024 ** 2;
/** The number of processes that may read at a time, as the first one to open a store sets it. */
const MOST_READERS = 1024;
/** The milliseconds between two checks of whether the folder still exists, in a process that only reads. */
const LOOK_AFTER_MS = 1000;
const TABLES = ['records', 'index', 'access', 'refs', 'pins', 'documents', 'needs', 'totals'] as const;

const indexedSchema = z.strictObject({
  sizeBytes: z.int().nonnegative(),
  /** The time of storing in milliseconds since 1970. */
  storedAt: z.number(),
  /** The time of the last use, by the clock of uses. */
  usedAt: z.number(),
  expiresAt: z.number().nullable(),
});
export type Indexed = z.infer<typeof indexedSchema>;

const needsSchema = z.strictObject({ keys: z.array(z.string()), expiresAt: z.number().nullable() });
export type Needs = z.infer<typeof needsSchema>;

const totalSchema = z.int();

/** A table of JSON that is read and written in its form or not at all. */
export class JsonTable<T> {
  readonly table: Database<unknown, string>;
  readonly #name: string;
  readonly #schema: z.ZodType<T>;
  readonly #location: string;

  constructor(root: RootDatabase<Buffer, string>, name: string, schema: z.ZodType<T>, location: string) {
    this.table = root.openDB<unknown, string>({ name, encoding: 'json' });
    this.#name = name;
    this.#schema = schema;
    this.#location = location;
  }

  /** @throws DkvError STORE_DAMAGED */
  get(key: string): T | undefined {
    const value = this.table.get(key);
    if (value === undefined) return undefined;
    const parsed = tryParse(this.#schema, value);
    if (parsed.success) return parsed.data;
    throw damagedTables(this.#location, `${this.#name}, ${key}: ${parsed.problem}`);
  }

  put(key: string, value: T): void {
    this.table.putSync(key, value);
  }

  remove(key: string): void {
    this.table.removeSync(key);
  }
}

export class LmdbTables {
  readonly location: string;
  readonly isReadOnly: boolean;
  readonly root: RootDatabase<Buffer, string>;
  readonly records: Database<Buffer, string>;
  readonly index: JsonTable<Indexed>;
  readonly access: Database<Buffer, [number, string]>;
  readonly refs: Database<Buffer, string>;
  readonly pins: Database<Buffer, string>;
  readonly documents: Database<Buffer, string>;
  readonly needs: JsonTable<Needs>;
  readonly #totals: JsonTable<number>;
  /** The identity of the file that is open, since another one may take its name. */
  readonly file: string | undefined;
  #lookedAt = Date.now();

  /** @throws DkvError INPUT_INVALID for a database of another program; STORE_DAMAGED, STORE_BUSY, STORE_MISMATCH */
  constructor(directory: string, isReadOnly: boolean) {
    this.location = directory;
    this.isReadOnly = isReadOnly;
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
      this.root = root;
      this.records = root.openDB({ name: 'records', encoding: 'binary' });
      this.index = new JsonTable(root, 'index', indexedSchema, directory);
      this.access = root.openDB({ name: 'access', encoding: 'binary' });
      this.refs = root.openDB({ name: 'refs', encoding: 'binary' });
      this.pins = root.openDB({ name: 'pins', encoding: 'binary' });
      this.documents = root.openDB({ name: 'documents', encoding: 'binary' });
      this.needs = new JsonTable(root, 'needs', needsSchema, directory);
      this.#totals = new JsonTable(root, 'totals', totalSchema, directory);
      this.file = fileOf(directory);
    } catch (error) {
      void root?.close();
      throw this.translate(error);
    }
  }

  /** The size of all records in bytes. */
  get sizeBytes(): number {
    return this.#totals.get('sizeBytes') ?? 0;
  }

  set sizeBytes(bytes: number) {
    this.#totals.put('sizeBytes', bytes);
  }

  /** @returns whether the layout is still to be noted. @throws DkvError STORE_MISMATCH when it is another one */
  expectLayout(): boolean {
    const [layout, records] = this.see(() => [this.#totals.get('layout'), this.records.getCount()]);
    const found = layout ?? (records === 0 ? LAYOUT : 0);
    if (found !== LAYOUT) {
      throw new DkvError(
        'STORE_MISMATCH',
        `${this.location}: its tables have layout ${found}, this package knows ${LAYOUT}. Use the version that made it, or prime into an empty folder.`,
      );
    }
    return layout === undefined;
  }

  noteLayout(): void {
    this.#totals.put('layout', LAYOUT);
  }

  /**
   * Reads what is there now. lmdb-js keeps what it reads from until a timer runs, so that what another thread or process has acknowledged could be
   * missed until then.
   */
  see<T>(look: () => T): T {
    try {
      if (Date.now() - this.#lookedAt >= LOOK_AFTER_MS) this.expectFile();
      this.root.resetReadTxn();
      return look();
    } catch (error) {
      throw this.translate(error);
    }
  }

  expectFile(): void {
    if (fileOf(this.location) !== this.file) {
      throw new DkvError(
        'STORE_UNREACHABLE',
        `${this.location}: the folder was deleted or replaced while it was open; what is written now would be lost. Open the store again.`,
      );
    }
    this.#lookedAt = Date.now();
  }

  readOnly(cause?: unknown): DkvError {
    return new DkvError(
      'STORE_READONLY',
      `${this.location} may only be read by this user, or lies on a disk that may only be read: nothing can be put into it or taken out. Copy it (dkv store copy), or ask its owner for the right.`,
      { cause },
    );
  }

  translate(error: unknown): unknown {
    if (error instanceof DkvError) return error;
    const message = messageOf(error);
    const told = (code: ErrorCode, text: string) => new DkvError(code, `${this.location}: ${text}`, { cause: error });
    if (/READERS_FULL/.test(message)) {
      return told('STORE_BUSY', `as many processes read it as it has places for (${message}). Wait for one to end.`);
    }
    if (/CORRUPTED|PAGE_NOTFOUND|MDB_INVALID|MDB_PANIC|BAD_TXN|JSON/.test(message)) {
      return damagedTables(this.location, message, error);
    }
    if (/VERSION_MISMATCH/.test(message)) return told('STORE_MISMATCH', `it was made by another LMDB (${message}).`);
    if (/permission denied|read-only file system|operation not permitted/i.test(message)) return this.readOnly(error);
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

  /** Tells whether the disk is full. LMDB reports an input or output error when the last bytes of a disk are too few for a write. */
  #isDiskFull(): boolean {
    try {
      const { bavail, bsize } = statfsSync(this.location);
      return bavail * bsize < NO_ROOM_BYTES;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.root.close();
  }
}

function damagedTables(location: string, reason: string, cause?: unknown): DkvError {
  return new DkvError(
    'STORE_DAMAGED',
    `${location}: its tables are damaged (${reason}). Copy what can still be read into another folder (dkv store copy ${shellWord(location)} FOLDER), then prime there.`,
    { cause },
  );
}

function ofAnotherProgram(directory: string): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${directory} holds the database of another program. Name an empty folder or a store.`,
  );
}
