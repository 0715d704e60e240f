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

/** How states are kept: 4, 2 or 1 byte a number; `int8` has one float32 scale a row. */
export const STATES_PRECISIONS = ['float32', 'float16', 'int8'] as const;
export type StatesPrecision = (typeof STATES_PRECISIONS)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Metadata = { readonly [name: string]: Json };

/** What a record's key is made of, besides the tenant's salt. */
export interface RecordIdentity {
  /** `Model.fingerprint`: weights, config, tokenizer, precision. SHA-256 in hex. */
  readonly fingerprint: string;
  /** The precision that the model ran with. */
  readonly modelPrecision: string;
  readonly precision: StatesPrecision;
  /** The encoder's whole input, hidden rows included: the encoder looks both ways. */
  readonly tokenIds: Int32Array;
  readonly spans: Readonly<Partial<Record<Segment, Range>>>;
  readonly visibility: Visibility;
  /** Rows of the input that the record keeps, in this order. */
  readonly visible: readonly Range[];
  /** SHA-256 (hex) over positions and pair mask, where they are not the usual ones. */
  readonly layoutDigest?: string;
}

export interface CacheRecord extends RecordIdentity {
  /** The visible rows only. Rounded to `precision` when stored; read back as float32. */
  readonly states: States;
  /** What stood before the document, as its specification; null for a bare document. */
  readonly surrogate: Json;
  /** About the priming. Not part of the key: what belongs to one document only goes to `putDocument`'s metadata. */
  readonly metadata: Metadata;
  /** The document's own text, for whoever must show it. */
  readonly text?: string;
}

export interface PutOptions {
  /** The records, and the document, are not served after so long. For ever when left out. */
  readonly ttlMs?: number;
  /** The same as a time, in milliseconds since 1970: for copies. */
  readonly expiresAt?: number;
}

export interface PutDocumentOptions extends PutOptions {
  /** About the document under this id. */
  readonly metadata?: Metadata;
}

/** What an id points to. */
export interface DocumentEntry {
  readonly id: string;
  /** Variant to key. */
  readonly variants: Readonly<Record<string, string>>;
  readonly metadata: Metadata;
  /** Milliseconds since 1970; never when left out. */
  readonly expiresAt?: number;
}

export interface StoredDocument {
  readonly key: string;
  readonly record: CacheRecord;
  readonly metadata: Metadata;
}

/** What can be kept about a store as a whole. */
export const NOTES = ['primed', 'prior', 'calibration'] as const;
export type NoteName = (typeof NOTES)[number];

export interface StoreStats {
  readonly records: number;
  /** Of all tenants. */
  readonly documents: number;
  readonly pinned: number;
  /** Of the records, without the storage's own overhead. */
  readonly sizeBytes: number;
  /** Undefined without a cap. */
  readonly maxBytes?: number;
  /** By this process since it opened the store. */
  readonly hits: number;
  readonly misses: number;
  /** Reads answered without a storage that failed; only tiers can do that. */
  readonly fallbacks: number;
}

export interface GcOptions {
  /** Leave records stored or replaced more recently alone: a document may be about to point to them. One hour when left out. */
  readonly minimumAgeMs?: number;
}

export interface Collected {
  readonly records: number;
  readonly sizeBytes: number;
  /** That had expired. */
  readonly documents: number;
}

export interface VerifyOptions {
  /** Take what is damaged out, so that it is missed, and primed or noted again. */
  readonly remove?: boolean;
}

export interface Damage {
  /** A record of states, what an id points to, or a note about the store. */
  readonly kind: 'record' | 'document' | 'note';
  /** A record's key, the name of a document's place in the storage, a note's name. */
  readonly key: string;
  readonly reason: string;
}

/** How many were read of each, damaged ones included. */
export interface Verification {
  readonly records: number;
  /** Of all tenants. */
  readonly documents: number;
  /** Of this tenant. */
  readonly notes: number;
  readonly damaged: readonly Damage[];
}

/** What `openStore` was given, as plain data. It may hold passwords. */
export interface StoreAddressed {
  readonly location: string | readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Why a document cannot be read in a variant that it does not have. */
export function missingDocument(location: string, id: string, variant: string): DkvError {
  return new DkvError(
    'DOCUMENT_MISSING',
    `${location} has no ${JSON.stringify(variant)} cache of document ${JSON.stringify(id)}: it was never primed so, or has expired, or was evicted. Prime it.`,
  );
}

/**
 * @throws DkvError from every method: STORE_CLOSED, STORE_UNREACHABLE, STORE_DENIED, STORE_READONLY, STORE_DAMAGED, DISK_FULL. What is
 * damaged stays so until it is put again or `verify` removes it.
 */
export interface Store extends StatesSource {
  readonly location: string;
  /** Undefined for `memory:`, also as one of several tiers, and for a storage of the caller's own. */
  readonly address: StoreAddressed | undefined;
  /** It was opened where nothing can be put into it or taken out: what would do so throws STORE_READONLY. */
  readonly isReadOnly: boolean;
  /** The key of what has not been computed yet, to ask `has` before computing it. 64 hex digits. */
  keyOf(identity: RecordIdentity): string;
  /** Is it there, and not expired? Does not look whether it is sound. */
  has(key: string): Promise<boolean>;
  /** Is it there, not expired, and what was put there, byte for byte? Reads all of it; counts as no use. */
  isSound(key: string): Promise<boolean>;
  get(key: string): Promise<CacheRecord | undefined>;
  /** The record in its stored form, checked: for copies that keep every byte. A copy of the caller's own. */
  getBytes(key: string): Promise<Uint8Array | undefined>;
  /** The record of this identity, compared with it in full. @throws DkvError STORE_DAMAGED when its token ids are others */
  find(identity: RecordIdentity): Promise<CacheRecord | undefined>;
  /**
   * Without an id that points to it, `gc` takes the record away. A record lives as long as the longest that was asked of it.
   * @throws DkvError INPUT_INVALID, STORE_FULL
   */
  put(record: CacheRecord, options?: PutOptions): Promise<string>;
  /**
   * Stores the records and then lets the id point to them, in one step for every reader; variants it had before and that are not
   * among them are gone. Keys by variant.
   * @param records by variant: a record, the bytes of one as `getBytes` gave them, or the key of one that the store has
   * @throws DkvError INPUT_INVALID, also for a key that is not there; STORE_MISMATCH for bytes of another tenant's; STORE_FULL
   */
  putDocument(
    id: string,
    records: Readonly<Record<string, CacheRecord | Uint8Array | string>>,
    options?: PutDocumentOptions,
  ): Promise<Record<string, string>>;
  /** What the id points to, whether or not the records are still there. */
  entry(id: string): Promise<DocumentEntry | undefined>;
  /**
   * What several ids point to, read together and each once, in the order of the ids.
   * @returns per id its entry, undefined where there is none, or the DkvError STORE_DAMAGED
   */
  entries(ids: readonly string[]): Promise<(DocumentEntry | DkvError | undefined)[]>;
  /**
   * @param fingerprint of the model that will read the states, or those that it has had; another one's are refused
   * @throws DkvError STORE_MISMATCH
   */
  getDocument(
    id: string,
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<StoredDocument | undefined>;
  /**
   * Several documents, in the order of the ids, each with one read of its entry and one of its record; equal ids are read once. The states
   * of all of them are held together. Reading rests every few milliseconds, so that whoever shares the thread has its turn.
   * @param fingerprint of the model that will read the states, or those that it has had; another one's are refused
   * @returns per id its document, or the DkvError that says why it has none: DOCUMENT_MISSING, STORE_DAMAGED, STORE_MISMATCH
   */
  getDocuments(
    ids: readonly string[],
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<(StoredDocument | DkvError)[]>;
  /**
   * Counts documents whose states were asked for by key: who did so, here or in another process, knows what was found.
   * @param misses documents that were not there
   */
  served(hits: number, misses: number): void;
  /** False when there was none. */
  deleteDocument(id: string): Promise<boolean>;
  /** Of every record, in no order. What is stored or deleted meanwhile may or may not be among them. */
  keys(): AsyncIterable<string>;
  /** Of every document of this tenant, likewise. */
  ids(): AsyncIterable<string>;
  /** Something about the whole store, such as what it was primed with; no part of any key. */
  note(name: NoteName): Promise<Metadata | undefined>;
  putNote(name: NoteName, note: Metadata): Promise<void>;
  /** A pinned record is neither evicted nor collected; it still expires. Pins last until `unpin`, also across processes. */
  pin(key: string): Promise<void>;
  unpin(key: string): Promise<void>;
  stats(): Promise<StoreStats>;
  /** Takes away records that no document points to, records and documents that have expired. */
  gc(options?: GcOptions): Promise<Collected>;
  /** Reads everything: records, what ids point to, notes. */
  verify(options?: VerifyOptions): Promise<Verification>;
  /** Waits for what is under way; what is asked afterwards throws STORE_CLOSED. May be called twice. */
  close(): Promise<void>;
}
