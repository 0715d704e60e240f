/** The store over any storage: keys, records, documents, expiry. The storage moves bytes; everything read is checked here. */
import { inspect } from 'node:util';
import { DkvError, messageOf } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import type { States } from '../engine/engine.js';
import { type Backend, type Blob, type Found, foundIn, readingTurns } from './backends/backend.js';
import { ClosableBackend } from './backends/closable.js';
import { isDamage, unlessDamaged } from './records/damage.js';
import { decodeEntry, encodeEntry, inspectEntry, keyOfVariant, notesSalt, slotOf, tenantOf } from './records/entry.js';
import { keyOf } from './records/key.js';
import {
  type DecodedRecord,
  decodeRecord,
  encodeRecordInTurns,
  expectIdentity,
  inspectRecord,
  keyIn,
  withExpiry,
} from './records/record.js';
import { StatesMemory } from './records/states-memory.js';
import type {
  CacheRecord,
  Collected,
  Damage,
  DocumentEntry,
  GcOptions,
  Metadata,
  NoteName,
  PutDocumentOptions,
  PutOptions,
  RecordIdentity,
  Store,
  StoreAddressed,
  StoredDocument,
  StoreStats,
  Verification,
  VerifyOptions,
} from './store.js';
import { missingDocument, NOTES } from './store.js';

const DEFAULT_MINIMUM_AGE_MS = 3_600_000;

export class DirectedStore implements Store {
  readonly location: string;
  readonly isReadOnly: boolean;
  /** The address of the store. It holds the password of a server and the keys of a bucket. */
  readonly #address: StoreAddressed | undefined;
  readonly #backend: ClosableBackend;
  readonly #salt: string;
  #hits = 0;
  #misses = 0;

  /**
   * @param backend is the store's from now on
   * @param address by which another process opens the same store; undefined where only this one has it
   */
  constructor(backend: Backend, tenantSalt: string, address?: StoreAddressed) {
    this.#address = address;
    this.#backend = new ClosableBackend(backend);
    this.#salt = tenantSalt;
    this.isReadOnly = backend.isReadOnly;
    this.location = backend.location;
  }

  get address(): StoreAddressed | undefined {
    return this.#address;
  }

  /** The printed form of the store. Code that looks at hidden properties too would be shown what getters return. */
  [inspect.custom](): string {
    return `DirectedStore(${this.location})`;
  }

  keyOf(identity: RecordIdentity): string {
    return keyOf(identity, this.#salt);
  }

  namedStates(key: string): string {
    const place = this.#backend.placeOf(key);
    return place === undefined ? key : `${key}@${place}`;
  }

  async has(key: string): Promise<boolean> {
    return this.#backend.has(expectKey(key), Date.now());
  }

  async isSound(key: string): Promise<boolean> {
    const found = await unlessDamaged(this.#backend.check(expectKey(key), (bytes) => inspectRecord(bytes, key)));
    return found !== undefined && !isPast(found.expiresAt);
  }

  async get(key: string): Promise<CacheRecord | undefined> {
    const [served] = await this.#read([expectKey(key)]);
    if (served instanceof DkvError) throw served;
    if (served) this.#hits++;
    else this.#misses++;
    return served;
  }

  async find(identity: RecordIdentity): Promise<CacheRecord | undefined> {
    const key = this.keyOf(identity);
    const record = await this.get(key);
    if (record) this.#mended(() => expectIdentity(key, record, identity));
    return record;
  }

  async getBytes(key: string): Promise<Uint8Array | undefined> {
    return (await this.#readBytes(expectKey(key)))?.bytes;
  }

  async put(record: CacheRecord, options: PutOptions = {}): Promise<string> {
    const blob = await this.#encoded(record, expiryOf(options));
    await this.#backend.write([blob]);
    return blob.key;
  }

  async putDocument(
    id: string,
    records: Readonly<Record<string, CacheRecord | Uint8Array | string>>,
    { metadata = {}, ...options }: PutDocumentOptions = {},
  ): Promise<Record<string, string>> {
    const expiresAt = expiryOf(options);
    const blobs = new Map<string, Blob>();
    const variants: [string, string][] = [];
    for (const [variant, record] of Object.entries(records)) {
      const key = typeof record === 'string' ? expectKey(record) : undefined;
      const blob = await this.#blobOf(record, expiresAt);
      if (blob) blobs.set(blob.key, blob);
      variants.push([variant, blob?.key ?? key!]);
    }
    const entry: DocumentEntry = {
      id,
      variants: Object.fromEntries(variants),
      metadata,
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const keys = [...new Set(variants.map(([, key]) => key))];
    const slot = { slot: slotOf(id, this.#salt), bytes: encodeEntry(entry), keys, expiresAt };
    await this.#backend.write([...blobs.values()], slot);
    for (const key of keys) {
      // What was only named may have been collected in between.
      if (!blobs.has(key) && !(await this.#backend.has(key, Date.now()))) throw missing(key, this.location);
    }
    return entry.variants;
  }

  async entry(id: string): Promise<DocumentEntry | undefined> {
    const [entry] = await this.entries([id]);
    if (entry instanceof DkvError) throw entry;
    return entry;
  }

  async entries(ids: readonly string[]): Promise<Found<DocumentEntry>[]> {
    const slots = new Map(ids.map((id) => [id, slotOf(id, this.#salt)]));
    const entries = await this.#readEntries([...slots.values()]);
    const found = new Map([...slots.keys()].map((id, at) => [id, entries[at]]));
    return ids.map((id) => found.get(id));
  }

  async getDocument(
    id: string,
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<StoredDocument | undefined> {
    const [found] = await this.getDocuments([id], variant, fingerprint);
    if (!(found instanceof DkvError)) return found;
    if (found.code === 'DOCUMENT_MISSING') return undefined;
    throw found;
  }

  async getDocuments(
    ids: readonly string[],
    variant: string,
    fingerprint?: string | readonly string[],
  ): Promise<(StoredDocument | DkvError)[]> {
    const found = new Map<string, StoredDocument | DkvError>();
    const before = new Map<string, string>();
    for (let asked = [...new Set(ids)]; asked.length > 0; ) {
      const entries = await this.entries(asked);
      const pointing: { readonly id: string; readonly key: string; readonly metadata: Metadata }[] = [];
      for (const [at, id] of asked.entries()) {
        const entry = entries[at];
        const key = entry instanceof DkvError ? undefined : keyOfVariant(entry, variant);
        if (entry instanceof DkvError) found.set(id, entry);
        else if (!entry || key === undefined || key === before.get(id))
          found.set(id, missingDocument(this.location, id, variant));
        else pointing.push({ id, key, metadata: entry.metadata });
      }
      const keys = [...new Set(pointing.map(({ key }) => key))];
      const records = await this.#read(keys);
      const recordOf = new Map(keys.map((key, at) => [key, records[at]]));
      asked = [];
      for (const { id, key, metadata } of pointing) {
        const record = recordOf.get(key);
        if (record === undefined) {
          // Replaced and collected between the two reads? Then the id points elsewhere by now.
          before.set(id, key);
          asked.push(id);
        } else if (record instanceof DkvError) found.set(id, record);
        else {
          const isOther = fingerprint !== undefined && !isOf(record, fingerprint);
          const called = `Document ${JSON.stringify(id)}`;
          found.set(id, isOther ? otherModel(called, record, fingerprint) : { key, record, metadata });
        }
      }
    }
    for (const document of found.values()) {
      if (!(document instanceof DkvError)) this.#hits++;
      else if (document.code === 'DOCUMENT_MISSING') this.#misses++;
    }
    return ids.map((id) => found.get(id)!);
  }

  async statesOf(
    keys: readonly string[],
    fingerprints: readonly string[],
    signal?: AbortSignal,
  ): Promise<(States | DkvError)[]> {
    const found = new Map<string, States | DkvError>();
    const names = keys.map((name) => /^([^@]*)(?:@(.*))?$/s.exec(name)!.slice(1));
    // A read is shared by many: what is no key fails alone.
    for (const [key = '', place] of names) {
      if (!isKey(key)) found.set(key, noKey(key));
      else if (place !== undefined) this.#backend.learn(key, place);
    }
    const distinct = [...new Set(names.map(([key = '']) => key).filter(isKey))];
    const records = await this.#read(distinct, signal);
    for (const [at, key] of distinct.entries()) {
      const record = records[at];
      if (record === undefined) found.set(key, missingRecord(this.location, key));
      else if (record instanceof DkvError) found.set(key, record);
      else
        found.set(key, isOf(record, fingerprints) ? record.states : otherModel(`Record ${key}`, record, fingerprints));
    }
    return names.map(([key = '']) => found.get(key)!);
  }

  served(hits: number, misses: number): void {
    this.#hits += hits;
    this.#misses += misses;
  }

  async deleteDocument(id: string): Promise<boolean> {
    return this.#backend.deleteSlot(slotOf(id, this.#salt));
  }

  async *keys(): AsyncIterable<string> {
    yield* this.#backend.keys();
  }

  async *ids(): AsyncIterable<string> {
    for await (const slot of this.#ownSlots()) {
      const [entry] = await this.#readEntries([slot]);
      if (entry instanceof DkvError) throw entry;
      if (entry) yield entry.id;
    }
  }

  async note(name: NoteName): Promise<Metadata | undefined> {
    const [bytes] = await this.#backend.readSlots([this.#slotOfNote(name)]);
    return bytes && this.#mended(() => this.#decodeNote(bytes, name).metadata);
  }

  async putNote(name: NoteName, note: Metadata): Promise<void> {
    const bytes = encodeEntry({ id: name, variants: {}, metadata: note });
    await this.#backend.write([], { slot: this.#slotOfNote(name), bytes, keys: [], expiresAt: undefined });
  }

  async pin(key: string): Promise<void> {
    await this.#backend.pin(expectKey(key));
  }

  async unpin(key: string): Promise<void> {
    await this.#backend.unpin(expectKey(key));
  }

  async stats(): Promise<StoreStats> {
    const usage = await this.#backend.usage();
    const notes = await this.#backend.readSlots(NOTES.map((name) => this.#slotOfNote(name)));
    const documents = usage.documents - notes.filter(Boolean).length;
    return { fallbacks: 0, ...usage, documents, hits: this.#hits, misses: this.#misses };
  }

  async gc({ minimumAgeMs = DEFAULT_MINIMUM_AGE_MS }: GcOptions = {}): Promise<Collected> {
    return this.#backend.collect(Date.now(), minimumAgeMs);
  }

  async verify({ remove = false }: VerifyOptions = {}): Promise<Verification> {
    const backend = this.#backend;
    const damaged: Damage[] = [];
    const counts = { records: 0, documents: 0, notes: 0 };
    const check = async (kind: Damage['kind'], key: string, read: () => unknown, take: () => Promise<unknown>) => {
      try {
        await read();
      } catch (error) {
        if (!isDamage(error)) throw error;
        damaged.push({ kind, key, reason: messageOf(error) });
        if (remove) await take();
      }
    };
    const gone = new Set<string>();
    for await (const key of backend.keys()) {
      counts.records++;
      const read = async () => {
        if (!(await backend.check(key, (bytes) => inspectRecord(bytes, key)))) gone.add(key);
      };
      await check('record', key, read, () => backend.remove(key));
    }
    // What was taken out between listing and reading is not listed any more.
    if (gone.size > 0) {
      for await (const key of backend.keys()) {
        if (!gone.has(key) || (await backend.check(key, (bytes) => inspectRecord(bytes, key)))) continue;
        damaged.push({
          kind: 'record',
          key,
          reason: `Record ${key} is damaged: it is listed, and its bytes are gone.`,
        });
        if (remove) await backend.remove(key);
      }
    }
    const notes = new Map(NOTES.map((name) => [this.#slotOfNote(name), name]));
    const tenant = tenantOf(this.#salt);
    for await (const slot of backend.slots()) {
      const note = notes.get(slot);
      const [bytes] = await backend.readSlots([slot]);
      if (!bytes) continue;
      counts[note ? 'notes' : 'documents']++;
      const read = () => {
        if (note) this.#decodeNote(bytes, note);
        else if (slot.startsWith(tenant)) decodeEntry(bytes, slot, this.#salt);
        else inspectEntry(bytes, slot);
      };
      await check(note ? 'note' : 'document', note ?? slot, read, () => backend.deleteSlot(slot));
    }
    return { ...counts, damaged };
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  /** The bytes to write so that the record lives long enough; undefined when it exists and does. */
  async #blobOf(record: CacheRecord | Uint8Array | string, expiresAt: number | undefined): Promise<Blob | undefined> {
    if (typeof record === 'string') return this.#prolonged(record, expiresAt);
    if (record instanceof Uint8Array) return this.#copied(record, expiresAt);
    return this.#encoded(record, expiresAt);
  }

  async #encoded(record: CacheRecord, expiresAt: number | undefined): Promise<Blob> {
    const key = this.keyOf(record);
    const end = await this.#endOf(key, expiresAt);
    return { key, bytes: await encodeRecordInTurns(key, record, end), expiresAt: end, isSpare: true };
  }

  async #copied(bytes: Uint8Array, expiresAt: number | undefined): Promise<Blob> {
    const key = keyIn(bytes);
    const { record, expiresAt: own } = decodeRecord(bytes, key);
    if (this.keyOf(record) !== key) {
      throw new DkvError(
        'STORE_MISMATCH',
        `Record ${key} belongs to another tenant than the one that ${this.location} was opened for. Open both stores for the same tenant.`,
      );
    }
    const end = await this.#endOf(key, outlives(own, expiresAt) ? own : expiresAt);
    if (end === own) return { key, bytes, expiresAt: end };
    return { key, bytes: withExpiry(bytes, key, end), expiresAt: end, isSpare: true };
  }

  async #prolonged(key: string, expiresAt: number | undefined): Promise<Blob | undefined> {
    const kept = await this.#readBytes(key);
    if (!kept) throw missing(key, this.location);
    if (outlives(kept.expiresAt, expiresAt)) return undefined;
    return { key, bytes: withExpiry(kept.bytes, key, expiresAt), expiresAt, isSpare: true };
  }

  /** The time of expiry to write. Another document may have been promised a longer life of the same record. */
  async #endOf(key: string, expiresAt: number | undefined): Promise<number | undefined> {
    if (expiresAt === undefined) return undefined;
    const kept = await unlessDamaged(this.#readBytes(key));
    return kept && outlives(kept.expiresAt, expiresAt) ? kept.expiresAt : expiresAt;
  }

  async #readBytes(key: string): Promise<(DecodedRecord & { readonly bytes: Uint8Array }) | undefined> {
    let copy = new Uint8Array();
    const [found] = await this.#backend.read([key], (bytes) => {
      const decoded = this.#mended(() => decodeRecord(bytes, key));
      copy = new Uint8Array(bytes);
      return decoded;
    });
    if (found instanceof DkvError) throw found;
    return found && !isPast(found.expiresAt) ? { ...found, bytes: copy } : undefined;
  }

  /** @param keys distinct */
  async #read(keys: readonly string[], signal?: AbortSignal): Promise<Found<CacheRecord>[]> {
    const memory = new StatesMemory(keys.length);
    const take = (count: number) => memory.take(count);
    const decode = (bytes: Uint8Array, key: string) => this.#mended(() => decodeRecord(bytes, key, take));
    return (await this.#backend.read(keys, decode, signal)).map((found) => {
      if (found instanceof DkvError) return found;
      return found && !isPast(found.expiresAt) ? found.record : undefined;
    });
  }

  /** @param slots distinct */
  async #readEntries(slots: readonly string[]): Promise<Found<DocumentEntry>[]> {
    const read = await this.#backend.readSlots(slots);
    return readingTurns().map(slots.entries(), ([at, slot]) => {
      const bytes = read[at];
      const entry = bytes && foundIn(() => this.#mended(() => decodeEntry(bytes, slot, this.#salt)));
      return entry instanceof DkvError || (entry && !isPast(entry.expiresAt)) ? entry : undefined;
    });
  }

  #slotOfNote(name: NoteName): string {
    return slotOf(name, notesSalt(this.#salt));
  }

  #decodeNote(bytes: Uint8Array, name: NoteName): DocumentEntry {
    try {
      return decodeEntry(bytes, this.#slotOfNote(name), notesSalt(this.#salt));
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw new DkvError('STORE_DAMAGED', `What the store notes of itself as "${name}" is damaged.`, { cause: error });
    }
  }

  /** Reads something and, where it is damaged, says how to mend it. */
  #mended<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw new DkvError('STORE_DAMAGED', `${this.location}: ${messageOf(error)} ${this.#advice()}`, { cause: error });
    }
  }

  /** How to mend what is damaged. */
  #advice(): string {
    const { places } = this.#backend;
    const [first = ''] = places;
    if (places.length === 1 && first.startsWith('packed:')) {
      return `Repair it from another copy of the catalogue (dkv store verify ${shellWord(first)} --repair-from COPY), or roll back.`;
    }
    const commands = places.map(
      (place) =>
        `dkv store verify ${shellWord(place)} ${place.startsWith('packed:') ? '--repair-from COPY' : '--remove'}`,
    );
    const how = commands.length > 0 ? commands.join('; ') : 'verify({ remove: true })';
    return `Take it out (${how}), then prime the documents again.`;
  }

  async *#ownSlots(): AsyncIterable<string> {
    const tenant = tenantOf(this.#salt);
    for await (const slot of this.#backend.slots()) if (slot.startsWith(tenant)) yield slot;
  }
}

function isOf({ fingerprint }: CacheRecord, wanted: string | readonly string[]): boolean {
  return typeof wanted === 'string' ? wanted === fingerprint : wanted.includes(fingerprint);
}

function missingRecord(location: string, key: string): DkvError {
  return new DkvError(
    'DOCUMENT_MISSING',
    `${location} has no record ${key}: it has expired, or was evicted or collected. Prime its documents again.`,
  );
}

/** @param called the document or record, at the beginning of a sentence */
function otherModel(called: string, { fingerprint }: CacheRecord, wanted: string | readonly string[]): DkvError {
  const [expected = ''] = typeof wanted === 'string' ? [wanted] : wanted;
  return new DkvError(
    'STORE_MISMATCH',
    `${called} was primed with model ${fingerprint.slice(0, 12)}, its states are to be read with ${expected.slice(0, 12)}. Prime it again with this model, or load the other.`,
  );
}

function expectKey(key: string): string {
  if (isKey(key)) return key;
  throw noKey(key);
}

function isKey(key: string): boolean {
  return /^[0-9a-f]{64}$/.test(key);
}

function noKey(key: string): DkvError {
  return new DkvError('INPUT_INVALID', `${JSON.stringify(key)} is no key of a record: expected 64 hex digits.`);
}

function missing(key: string, location: string): DkvError {
  return new DkvError('INPUT_INVALID', `${location} has no record ${key} for a document to point to. Put the record.`);
}

/** Tells whether one time of expiry (undefined for never) is at least as late as the other. */
function outlives(end: number | undefined, other: number | undefined): boolean {
  return (end ?? Number.POSITIVE_INFINITY) >= (other ?? Number.POSITIVE_INFINITY);
}

function expiryOf({ ttlMs, expiresAt }: PutOptions): number | undefined {
  if (ttlMs === undefined) return expiresAt;
  if (ttlMs > 0 && Number.isFinite(ttlMs)) return Math.ceil(Date.now() + ttlMs);
  throw new DkvError('INPUT_INVALID', `A time to live of ${ttlMs} ms was given: expected a positive number.`);
}

function isPast(time: number | undefined): boolean {
  return time !== undefined && time <= Date.now();
}
