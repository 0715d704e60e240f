/**
 * The store of directed caches: what a document's priming made, kept for the decoder.
 *
 * Records are named by their content: a key is a digest of everything that decides the states (model, input, visibility, precision),
 * so two documents that prime alike share one record, and another model never finds it. Ids of documents point to keys, one a
 * variant (say, one a surrogate), and are replaced in one step. Records that no id points to go with `gc`.
 *
 * The store does not know how states are made, and nothing of texts beyond keeping one. Every read is checked against the record's
 * checksum: a damaged record is an error, never an answer. Several processes may share a store.
 */
import { DkvError } from '../base/errors.js';
import type { States, StatesSource } from '../engine/engine.js';
import type { Range, Segment, Visibility } from '../priming/input.js';

/** How states are stored: 4, 2 or 1 byte for each number. `int8` adds one float32 scale for each row. */
export const STATES_PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type StatesPrecision = (typeof STATES_PRECISIONS)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Metadata = { readonly [name: string]: Json };

/** Everything that a record's key is made of, besides the tenant's salt. */
export interface RecordIdentity {
  /** The model's fingerprint (`Model.fingerprint`), SHA-256 in hex. It covers weights, config, tokenizer and precision. */
  readonly fingerprint: string;
  /** The precision that the model ran with. */
  readonly modelPrecision: string;
  readonly precision: StatesPrecision;
  /** The token ids of the encoder's whole input, hidden rows included, because the encoder attends in both directions. */
  readonly tokenIds: Int32Array;
  readonly spans: Readonly<Partial<Record<Segment, Range>>>;
  readonly visibility: Visibility;
  /** The rows of the input that the record keeps, in this order. */
  readonly visible: readonly Range[];
  /** SHA-256 (hex) over positions and pair mask, where they are not the usual ones. */
  readonly layoutDigest?: string;
}

export interface CacheRecord extends RecordIdentity {
  /** The states of the visible rows only. They are rounded to `precision` when stored, and read back as float32. */
  readonly states: States;
  /** The specification of the surrogate that stood before the document; null for a bare document. */
  readonly surrogate: Json;
  /** Facts about the priming. They are not part of the key: facts about one document go to `putDocument`'s metadata. */
  readonly metadata: Metadata;
  /** The document's own text, for programs that show it. */
  readonly text?: string;
}

export interface PutOptions {
  /** The milliseconds after which the records and the document are no longer served. By default they are served forever. */
  readonly ttlMs?: number;
  /** The time, in milliseconds since 1970, after which they are no longer served. It serves copies. */
  readonly expiresAt?: number;
}

export interface PutDocumentOptions extends PutOptions {
  /** Facts about the document that has this id. */
  readonly metadata?: Metadata;
}

/** What an id points to: its variants and their records. */
export interface DocumentEntry {
  readonly id: string;
  /** The key of the record of each variant. */
  readonly variants: Readonly<Record<string, string>>;
  readonly metadata: Metadata;
  /** The time of expiry in milliseconds since 1970. Left out, the entry never expires. */
  readonly expiresAt?: number;
}

export interface StoredDocument {
  readonly key: string;
  readonly record: CacheRecord;
  readonly metadata: Metadata;
}

/** The names of the notes that are kept about a store as a whole. */
export const NOTES = ['primed', 'prior', 'calibration'] as const;
export type NoteName = (typeof NOTES)[number];

export interface StoreStats {
  readonly records: number;
  /** The number of documents of all tenants. */
  readonly documents: number;
  readonly pinned: number;
  /** The size of the records, without the storage's own overhead. */
  readonly sizeBytes: number;
  /** The largest size; undefined where there is none. */
  readonly maxBytes?: number;
  /** The number of documents read and found, as counted by this process since it opened the store; `misses` counts those that were not there. */
  readonly hits: number;
  readonly misses: number;
  /** The number of reads that were answered without a storage that failed. Only tiers can do that. */
  readonly fallbacks: number;
}

export interface GcOptions {
  /**
   * Leave records alone that were stored or replaced more recently than this, since a document may be about to point to them. One hour by default.
   */
  readonly minimumAgeMs?: number;
}

export interface Collected {
  readonly records: number;
  readonly sizeBytes: number;
  /** The number of documents removed because they had expired. */
  readonly documents: number;
}

export interface VerifyOptions {
  /** Remove what is damaged, so that it is missing and is primed or noted again. */
  readonly remove?: boolean;
}

export interface Damage {
  /** The kind of what is damaged: a record of states, an id's entry, or a note about the store. */
  readonly kind: 'record' | 'document' | 'note';
  /** The key of the record, the name of the entry's place in the storage, or the note's name. */
  readonly key: string;
  readonly reason: string;
}

/** How much was read of each kind, damaged parts included. */
export interface Verification {
  readonly records: number;
  /** The number of documents of all tenants. */
  readonly documents: number;
  /** The number of notes of this tenant. */
  readonly notes: number;
  readonly damaged: readonly Damage[];
}

/** The arguments of `openStore` as plain data. They may hold passwords. */
export interface StoreAddressed {
  readonly location: string | readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The error that says why a document cannot be read.
 * @param variant one that it does not have
 * @param others the variants that it has
 */
export function missingDocument(
  location: string,
  id: string,
  variant?: string,
  others: readonly string[] = [],
): DkvError {
  const what = variant === undefined ? '' : `${JSON.stringify(variant)} cache of `;
  return new DkvError(
    'DOCUMENT_MISSING',
    `${location} has no ${what}document ${JSON.stringify(id)}: it was never primed so, or was taken down, has expired, or was evicted.${others.length === 0 ? '' : ` What it has is ${others.join(', ')}.`} Prime it.`,
  );
}

/**
 * A store of directed caches.
 * @throws DkvError from every method: STORE_CLOSED, STORE_UNREACHABLE, STORE_DENIED, STORE_READONLY, STORE_DAMAGED, DISK_FULL. What is damaged
 * stays damaged until it is put again or `verify` removes it
 */
export interface Store extends StatesSource {
  readonly location: string;
  /**
   * The store's address for another process. It is undefined for `memory:`, also as one of several tiers, and for a storage of the caller's own.
   */
  readonly address: StoreAddressed | undefined;
  /** True where the place of the store cannot be written. Methods that would change the store throw STORE_READONLY. */
  readonly isReadOnly: boolean;
  /** Computes the key of a record, 64 hex digits, so that `has` can be asked before the states are computed. */
  keyOf(identity: RecordIdentity): string;
  /** The name under which `statesOf` finds a record of this store, here and in another process: its key, and where it is if that was read before. */
  namedStates(key: string): string;
  /** Tells whether a record exists and has not expired. It does not check whether the record is intact. */
  has(key: string): Promise<boolean>;
  /** Tells whether a record exists, has not expired, and is byte for byte what was put there. It reads all of it and does not count as use. */
  isSound(key: string): Promise<boolean>;
  get(key: string): Promise<CacheRecord | undefined>;
  /** Reads a record in its stored form, checked, for copies that keep every byte. The caller owns the returned bytes. */
  getBytes(key: string): Promise<Uint8Array | undefined>;
  /**
   * Finds the record of this identity and compares it with the identity in full.
   * @throws DkvError STORE_DAMAGED when its token ids differ
   */
  find(identity: RecordIdentity): Promise<CacheRecord | undefined>;
  /**
   * Stores a record. `gc` removes it unless an id points to it. It expires at the latest time that any caller asked for.
   * @throws DkvError INPUT_INVALID, STORE_FULL
   */
  put(record: CacheRecord, options?: PutOptions): Promise<string>;
  /**
   * Stores the records and then lets the id point to them, in one step for every reader. Variants that the id had before and that are not among
   * these are removed. It returns the keys by variant.
   * @param records by variant: a record, the bytes of one as `getBytes` gave them, or the key of one that the store has
   * @throws DkvError INPUT_INVALID, also for a key that is not there; STORE_MISMATCH for bytes of another tenant; STORE_FULL
   */
  putDocument(
    id: string,
    records: Readonly<Record<string, CacheRecord | Uint8Array | string>>,
    options?: PutDocumentOptions,
  ): Promise<Record<string, string>>;
  /** Reads what an id points to, whether or not the records still exist. */
  entry(id: string): Promise<DocumentEntry | undefined>;
  /**
   * Reads what several ids point to, together and each once, in the order of the ids.
   * @returns for each id its entry, undefined where there is none, or the DkvError STORE_DAMAGED
   */
  entries(ids: readonly string[]): Promise<(DocumentEntry | DkvError | undefined)[]>;
  /**
   * Reads a document in one of its variants.
   * @param fingerprint the fingerprint of the model that will read the states, or those that it has had; states of another model are refused
   * @throws DkvError STORE_MISMATCH
   */
  getDocument(
    id: string,
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<StoredDocument | undefined>;
  /**
   * Reads several documents, in the order of the ids, each with one read of its entry and one of its record; equal ids are read once. The states of
   * all of them are held in memory together. Reading pauses every few milliseconds, so that other work on the thread gets its turn.
   * @param fingerprint the fingerprint of the model that will read the states, or those that it has had; states of another model are refused
   * @returns for each id its document, or the DkvError that says why it has none: DOCUMENT_MISSING, STORE_DAMAGED, STORE_MISMATCH
   */
  getDocuments(
    ids: readonly string[],
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<(StoredDocument | DkvError)[]>;
  /**
   * Counts documents whose states were asked for by key. The code that asked, in this process or another, knows what was found.
   * @param misses the documents that were not there
   */
  served(hits: number, misses: number): void;
  /** Deletes a document. It returns false when there was none. */
  deleteDocument(id: string): Promise<boolean>;
  /** The keys of all records, in no order. Records stored or deleted meanwhile may or may not be among them. */
  keys(): AsyncIterable<string>;
  /** The ids of all documents of this tenant, in no order. Documents stored or deleted meanwhile may or may not be among them. */
  ids(): AsyncIterable<string>;
  /** Reads a note about the whole store, such as what it was primed with. Notes are no part of any key. */
  note(name: NoteName): Promise<Metadata | undefined>;
  putNote(name: NoteName, note: Metadata): Promise<void>;
  /** Pins a record, so that it is neither evicted nor collected; it still expires. Pins last until `unpin`, also across processes. */
  pin(key: string): Promise<void>;
  unpin(key: string): Promise<void>;
  stats(): Promise<StoreStats>;
  /** Removes records that no document points to, and records and documents that have expired. */
  gc(options?: GcOptions): Promise<Collected>;
  /** Reads everything (records, what ids point to, notes) and reports what is damaged. */
  verify(options?: VerifyOptions): Promise<Verification>;
  /** Waits for what is under way and closes the store. Later calls throw STORE_CLOSED. It may be called twice. */
  close(): Promise<void>;
}
