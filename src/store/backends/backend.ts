/**
 * What a storage must do for the store of directed caches. It moves bytes and knows neither records nor documents: records are bytes
 * under a key, documents are bytes in a slot that name keys. Checking them is the caller's part, handed in as `decode`.
 */
import { Breather } from '../../base/breather.js';
import { DkvError } from '../../base/errors.js';
import type { Collected } from '../store.js';

export interface Blob {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The time of expiry in milliseconds since 1970; undefined for never. */
  readonly expiresAt: number | undefined;
  /**
   * True where the bytes have memory of their own, all of it theirs, and nobody looks at them any more. The storage may give it to another thread.
   */
  readonly isSpare?: boolean;
}

export interface Slot {
  readonly slot: string;
  readonly bytes: Uint8Array;
  /** The keys of the records that the document needs. */
  readonly keys: readonly string[];
  readonly expiresAt: number | undefined;
}

export interface Usage {
  readonly records: number;
  readonly documents: number;
  readonly pinned: number;
  readonly sizeBytes: number;
  readonly maxBytes?: number;
  readonly fallbacks?: number;
}

/** What was read of a record, whole or in part. */
export interface Expiring {
  /** The time of expiry in milliseconds since 1970; undefined for never. */
  readonly expiresAt: number | undefined;
}

/**
 * Throws STORE_DAMAGED for bytes that are not the record, STORE_MISMATCH for a record that this package cannot read. The bytes may change
 * once it returns.
 */
export type Decode<T> = (bytes: Uint8Array, key: string) => T;

/** One of several things that were asked for together: the thing, undefined where there is none, or the error that says why it cannot be served. */
export type Found<T> = T | undefined | DkvError;

export interface Backend {
  readonly location: string;
  /** The places of each storage that it consists of. */
  readonly places: readonly string[];
  /** True where nothing can be put into it or taken out. Every method that would do so throws STORE_READONLY. */
  readonly isReadOnly: boolean;
  /**
   * Reads records in the order of their keys, which are distinct; each is read once and counts as used. The thread is not held for longer than a
   * record takes.
   * @throws DkvError CANCELLED when the signal is aborted, and what affects all of them
   */
  read<T extends Expiring>(keys: readonly string[], decode: Decode<T>, signal?: AbortSignal): Promise<Found<T>[]>;
  /** Reads one record without counting it as used. Of several storages it reads what the last one has. */
  check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined>;
  /**
   * Tells whether a record exists and has not expired at that time.
   * @param now milliseconds since 1970
   */
  has(key: string, now: number): Promise<boolean>;
  /** Writes all of it or nothing. Where a storage cannot do that, the slot is written last. It evicts what was used longest ago to keep the cap. */
  write(blobs: readonly Blob[], slot?: Slot): Promise<void>;
  /** Reads slots in their order, each once. */
  readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  deleteSlot(slot: string): Promise<boolean>;
  /** Removes a record, pinned or not. */
  remove(key: string): Promise<void>;
  keys(): AsyncIterable<string>;
  slots(): AsyncIterable<string>;
  pin(key: string): Promise<void>;
  unpin(key: string): Promise<void>;
  usage(): Promise<Usage>;
  /**
   * Tells where a record that was found before is, for `learn` of the same storage elsewhere. Storages that find every record by its key alone have
   * neither.
   */
  placeOf?(key: string): string | undefined;
  /** Takes in where a record is. It is found all the same where that is wrong. */
  learn?(key: string, place: string): void;
  /** Of these records, those that may be served: of documents that are not taken down. Storages without takedowns have no such method. */
  visible?(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** True where documents may be taken down behind the storage's back, so that nobody may answer for it from what it said before. */
  readonly hasTakedowns?: boolean;
  /** See `Store.gc`. @param now milliseconds since 1970 */
  collect(now: number, minimumAgeMs: number): Promise<Collected>;
  close(): Promise<void>;
}

/** The milliseconds after which a reading of several records rests, so that other work on the thread does not wait. */
const READ_TURN_MS = 2;

/**
 * Makes the rests of a reading of records.
 * @throws DkvError CANCELLED from `breathe`
 */
export function readingTurns(signal?: AbortSignal): Breather {
  return new Breather(signal, 'Reading from the store was stopped.', READ_TURN_MS);
}

/**
 * Reads one of several records.
 * @throws what is not a fault of the record itself
 */
export function foundIn<T>(read: () => T): Found<T> {
  try {
    return read();
  } catch (error) {
    if (error instanceof DkvError && (error.code === 'STORE_DAMAGED' || error.code === 'STORE_MISMATCH')) return error;
    throw error;
  }
}

/** @throws DkvError STORE_FULL when the records cannot fit together even into an empty store */
export function expectFits(blobs: readonly Blob[], maxBytes: number, location: string): void {
  const neededBytes = blobs.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (neededBytes > maxBytes) throw full(location, neededBytes, maxBytes);
}

export function full(location: string, neededBytes: number, maxBytes: number): DkvError {
  return new DkvError(
    'STORE_FULL',
    `${location}: ${neededBytes} bytes are to be stored, the store may hold ${maxBytes}, and too little of it may be evicted. Raise its maximum size or unpin records.`,
  );
}
