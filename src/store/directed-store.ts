/** The store over any storage: keys, records, documents, expiry. The storage moves bytes; everything read is checked here. */
import { DkvError, messageOf } from '../errors.js';
import type {
  CacheRecord,
  Collected,
  DocumentEntry,
  GcOptions,
  Metadata,
  NoteName,
  PutDocumentOptions,
  PutOptions,
  RecordIdentity,
  Store,
  StoredDocument,
  StoreStats,
  Verification,
  VerifyOptions,
} from '../store.js';
import { NOTES } from '../store.js';
import type { Backend, Blob } from './backend.js';
import { decodeEntry, encodeEntry, type StoredEntry, slotOf, tenantOf } from './entry.js';
import { keyOf } from './identity.js';
import { decodeRecord, encodeRecord, expectIdentity } from './record.js';

const DEFAULT_MINIMUM_AGE_MS = 3_600_000;

export class DirectedStore implements Store {
  readonly location: string;
  readonly #backend: Backend;
  readonly #salt: string;
  #closed: Promise<void> | undefined;
  #hits = 0;
  #misses = 0;

  /** @param backend is the store's from now on */
  constructor(backend: Backend, tenantSalt: string) {
    this.#backend = backend;
    this.#salt = tenantSalt;
    this.location = backend.location;
  }

  keyOf(identity: RecordIdentity): string {
    return keyOf(identity, this.#salt);
  }

  async has(key: string): Promise<boolean> {
    return this.#open.has(expectKey(key));
  }

  async get(key: string): Promise<CacheRecord | undefined> {
    const served = await this.#read(this.#open, expectKey(key));
    if (served) this.#hits++;
    else this.#misses++;
    return served;
  }

  async find(identity: RecordIdentity): Promise<CacheRecord | undefined> {
    const key = this.keyOf(identity);
    const record = await this.get(key);
    if (record) expectIdentity(key, record, identity);
    return record;
  }

  async put(record: CacheRecord, { ttlMs }: PutOptions = {}): Promise<string> {
    const backend = this.#open;
    const blob = this.#blobOf(record, expiryAfter(ttlMs));
    await backend.write([blob]);
    return blob.key;
  }

  async putDocument(
    id: string,
    records: Readonly<Record<string, CacheRecord>>,
    { ttlMs, metadata = {} }: PutDocumentOptions = {},
  ): Promise<Record<string, string>> {
    const backend = this.#open;
    const expiresAt = expiryAfter(ttlMs);
    const blobs = new Map<string, Blob>();
    const variants: [string, string][] = [];
    for (const [variant, record] of Object.entries(records)) {
      const blob = this.#blobOf(record, expiresAt);
      blobs.set(blob.key, blob);
      variants.push([variant, blob.key]);
    }
    const entry = { id, variants: Object.fromEntries(variants), metadata, expiresAt };
    const slot = { slot: slotOf(id, this.#salt), bytes: encodeEntry(entry), keys: [...blobs.keys()], expiresAt };
    await backend.write([...blobs.values()], slot);
    return entry.variants;
  }

  async entry(id: string): Promise<DocumentEntry | undefined> {
    const found = await this.#readEntry(slotOf(id, this.#salt));
    if (!found) return undefined;
    const { variants, metadata } = found;
    return { id, variants, metadata };
  }

  async getDocument(id: string, variant: string, fingerprint?: string): Promise<StoredDocument | undefined> {
    const backend = this.#open;
    let before: string | undefined;
    for (;;) {
      const entry = await this.entry(id);
      const key = entry && Object.hasOwn(entry.variants, variant) ? entry.variants[variant] : undefined;
      const found = key === undefined || key === before ? undefined : await this.#read(backend, key);
      if (entry && key !== undefined && found) {
        if (fingerprint !== undefined) expectModel(id, found, fingerprint);
        this.#hits++;
        return { key, record: found, metadata: entry.metadata };
      }
      // Replaced and collected between the two reads? Then the id points elsewhere by now.
      if (key === undefined || key === before) {
        this.#misses++;
        return undefined;
      }
      before = key;
    }
  }

  async deleteDocument(id: string): Promise<boolean> {
    return this.#open.deleteSlot(slotOf(id, this.#salt));
  }

  async *keys(): AsyncIterable<string> {
    yield* this.#open.keys();
  }

  async *ids(): AsyncIterable<string> {
    for await (const slot of this.#ownSlots()) {
      const entry = await this.#readEntry(slot);
      if (entry) yield entry.id;
    }
  }

  async note(name: NoteName): Promise<Metadata | undefined> {
    const salt = notesSalt(this.#salt);
    const slot = slotOf(name, salt);
    const bytes = await this.#open.readSlot(slot);
    return bytes && decodeEntry(bytes, slot, salt).metadata;
  }

  async putNote(name: NoteName, note: Metadata): Promise<void> {
    const salt = notesSalt(this.#salt);
    const bytes = encodeEntry({ id: name, variants: {}, metadata: note, expiresAt: undefined });
    await this.#open.write([], { slot: slotOf(name, salt), bytes, keys: [], expiresAt: undefined });
  }

  async pin(key: string): Promise<void> {
    await this.#open.pin(expectKey(key));
  }

  async unpin(key: string): Promise<void> {
    await this.#open.unpin(expectKey(key));
  }

  async stats(): Promise<StoreStats> {
    const usage = await this.#open.usage();
    const notes = await Promise.all(NOTES.map((name) => this.note(name)));
    const documents = usage.documents - notes.filter(Boolean).length;
    return { fallbacks: 0, ...usage, documents, hits: this.#hits, misses: this.#misses };
  }

  async gc({ minimumAgeMs = DEFAULT_MINIMUM_AGE_MS }: GcOptions = {}): Promise<Collected> {
    return this.#open.collect(Date.now(), minimumAgeMs);
  }

  async verify({ remove = false }: VerifyOptions = {}): Promise<Verification> {
    const backend = this.#open;
    const damaged: { key: string; reason: string }[] = [];
    const check = async (key: string, read: () => Promise<unknown>, take: () => Promise<unknown>) => {
      try {
        await read();
      } catch (error) {
        if (!(error instanceof DkvError) || error.code !== 'STORE_DAMAGED') throw error;
        damaged.push({ key, reason: messageOf(error) });
        if (remove) await take();
      }
    };
    let records = 0;
    for await (const key of backend.keys()) {
      records++;
      await check(
        key,
        () => backend.read(key, (bytes) => decodeRecord(bytes, key)),
        () => backend.remove(key),
      );
    }
    for await (const slot of this.#ownSlots()) {
      await check(
        slot,
        () => this.#readEntry(slot),
        () => backend.deleteSlot(slot),
      );
    }
    return { records, damaged };
  }

  close(): Promise<void> {
    this.#closed ??= this.#backend.close();
    return this.#closed;
  }

  get #open(): Backend {
    if (!this.#closed) return this.#backend;
    throw new DkvError('STORE_CLOSED', `The store ${this.location} was closed. Open it again to use it.`);
  }

  #blobOf(record: CacheRecord, expiresAt: number | undefined): Blob {
    const key = this.keyOf(record);
    return { key, bytes: encodeRecord(key, record, expiresAt), expiresAt };
  }

  async #read(backend: Backend, key: string): Promise<CacheRecord | undefined> {
    const found = await backend.read(key, (bytes) => decodeRecord(bytes, key));
    return found && !isPast(found.expiresAt) ? found.record : undefined;
  }

  async #readEntry(slot: string): Promise<StoredEntry | undefined> {
    const bytes = await this.#open.readSlot(slot);
    const entry = bytes && decodeEntry(bytes, slot, this.#salt);
    return entry && !isPast(entry.expiresAt) ? entry : undefined;
  }

  async *#ownSlots(): AsyncIterable<string> {
    const tenant = tenantOf(this.#salt);
    for await (const slot of this.#open.slots()) if (slot.startsWith(tenant)) yield slot;
  }
}

/** Notes are documents of a tenant beside the tenant, so that they are not among its ids. */
function notesSalt(salt: string): string {
  return `notes:${salt}`;
}

function expectModel(id: string, { fingerprint }: CacheRecord, expected: string): void {
  if (fingerprint === expected) return;
  throw new DkvError(
    'STORE_MISMATCH',
    `Document ${JSON.stringify(id)} was primed with model ${fingerprint.slice(0, 12)}, its states are to be read with ${expected.slice(0, 12)}. Prime it again with this model, or load the other.`,
  );
}

function expectKey(key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  throw new DkvError('INPUT_INVALID', `${JSON.stringify(key)} is no key of a record: expected 64 hex digits.`);
}

function expiryAfter(ttlMs: number | undefined): number | undefined {
  if (ttlMs === undefined) return undefined;
  if (ttlMs > 0 && Number.isFinite(ttlMs)) return Math.ceil(Date.now() + ttlMs);
  throw new DkvError('INPUT_INVALID', `A time to live of ${ttlMs} ms was given: expected a positive number.`);
}

function isPast(time: number | undefined): boolean {
  return time !== undefined && time <= Date.now();
}
