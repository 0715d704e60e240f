/**
 * A tenant's part of a store, carried to another one: notes, documents, the records that documents need. Records keep their bytes.
 * What the other store has already is left alone, so that a transfer that was stopped goes on by being started again. Pins stay
 * where they are, and so do records that no document points to.
 */
import { isDeepStrictEqual } from 'node:util';
import { DkvError } from '../base/errors.js';
import { inParallel } from '../base/parallel.js';
import { upTo, windows } from '../base/windows.js';
import { unlessDamaged } from './records/damage.js';
import { type DocumentEntry, type Metadata, NOTES, type NoteName, type Store } from './store.js';

export interface TransferOptions {
  /** Allow notes of the other store that differ to be replaced. */
  readonly replace?: boolean;
  /** Aborting this signal ends the copy with CANCELLED. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (transferred: Transferred) => void;
}

export interface Transferred {
  readonly documents: number;
  /** The number of records written. A record that documents share may be written more than once. */
  readonly records: number;
  readonly notes: number;
  /** The number of documents that the other store already held, unchanged. */
  readonly unchanged: number;
  /** The number of documents left out because some of their records are gone, by eviction or expiry. */
  readonly incomplete: number;
}

const WINDOW = 256;
/** The number of documents on their way at a time. */
const LANES = 8;

/**
 * Copies documents, records and notes from one store to another.
 * @throws DkvError STORE_MISMATCH for other notes or another tenant, STORE_DAMAGED, CANCELLED, and what the stores throw
 */
export async function copyStore(from: Store, to: Store, options: TransferOptions = {}): Promise<Transferred> {
  const counts = { documents: 0, records: 0, notes: 0, unchanged: 0, incomplete: 0 };
  for (const name of NOTES) {
    const note = await from.note(name);
    if (note && (await putNote(to, name, note, options.replace ?? false))) counts.notes++;
  }
  const copy = async (id: string) => {
    const entry = await from.entry(id);
    if (!entry) return;
    if (await isThere(to, entry)) {
      counts.unchanged++;
      return;
    }
    const records = await missingRecords(from, entry, (key) => to.isSound(key));
    if (!records) {
      counts.incomplete++;
      return;
    }
    await putEntry(to, entry, records);
    counts.documents++;
    counts.records += records.size;
  };
  for await (const ids of windows(from.ids(), upTo(WINDOW))) {
    expectGoing(options.signal);
    await inParallel(ids, LANES, copy);
    options.onProgress?.(counts);
  }
  return counts;
}

/**
 * The records of a document that are not there yet, by key.
 * @returns undefined when one of them is gone
 */
export async function missingRecords(
  from: Store,
  { variants }: DocumentEntry,
  isThere: (key: string) => boolean | Promise<boolean>,
): Promise<Map<string, Uint8Array> | undefined> {
  const records = new Map<string, Uint8Array>();
  for (const key of new Set(Object.values(variants))) {
    if (await isThere(key)) continue;
    const bytes = await from.getBytes(key);
    if (!bytes) return undefined;
    records.set(key, bytes);
  }
  return records;
}

/** @param records by key; the store has the others */
export async function putEntry(
  to: Store,
  { id, variants, metadata, expiresAt }: DocumentEntry,
  records: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const own = Object.entries(variants).map(([variant, key]) => [variant, records.get(key) ?? key] as const);
  await to.putDocument(id, Object.fromEntries(own), { metadata, ...(expiresAt !== undefined && { expiresAt }) });
}

/** Tells whether a store holds the same document with all its records, all of it intact. */
export async function isThere(store: Store, entry: DocumentEntry): Promise<boolean> {
  // What is damaged is replaced, as what is not there is put.
  const found = await unlessDamaged(store.entry(entry.id));
  if (!isDeepStrictEqual(found, entry)) return false;
  for (const key of Object.values(entry.variants)) if (!(await store.isSound(key))) return false;
  return true;
}

/** @returns false when it was there @throws DkvError STORE_MISMATCH for another one */
export async function putNote(to: Store, name: NoteName, note: Metadata, replace: boolean): Promise<boolean> {
  const found = await unlessDamaged(to.note(name));
  if (isDeepStrictEqual(found, note)) return false;
  if (found && !replace) {
    const differing = [...new Set([...Object.keys(found), ...Object.keys(note)])].filter(
      (field) => !isDeepStrictEqual(found[field], note[field]),
    );
    throw new DkvError(
      'STORE_MISMATCH',
      `${to.location} has another note "${name}" (${differing.join(', ')} differ). Take an empty store, or let the note be replaced.`,
    );
  }
  await to.putNote(name, note);
  return true;
}

/** @throws DkvError CANCELLED */
export function expectGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DkvError('CANCELLED', 'Stopped; what was carried over stays. Start again to go on.');
}
