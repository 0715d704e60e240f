/** `memory:`, the store in this process's RAM: gone when it ends; the top of tiers, and what tests compare with. */
import type { Collected } from '../store.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  expectFits,
  type Found,
  foundIn,
  full,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';

interface Kept extends Blob {
  readonly storedAt: number;
}

export class InProcessBackend implements Backend {
  readonly location = 'memory:';
  readonly isReadOnly = false;
  readonly places = [];
  readonly #maxBytes: number;
  /** The records in the order of their last use. */
  readonly #records = new Map<string, Kept>();
  readonly #slots = new Map<string, Slot>();
  readonly #pins = new Set<string>();
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    return readingTurns(signal).map(keys, (key) => {
      const kept = this.#records.get(key);
      if (!kept) return undefined;
      this.#records.delete(key);
      this.#records.set(key, kept);
      return foundIn(() => decode(kept.bytes, key));
    });
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    const kept = this.#records.get(key);
    return kept && decode(kept.bytes, key);
  }

  async has(key: string, now: number): Promise<boolean> {
    const kept = this.#records.get(key);
    return kept !== undefined && (kept.expiresAt ?? Number.POSITIVE_INFINITY) > now;
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    expectFits(blobs, this.#maxBytes, this.location);
    const victims = this.#victims(blobs);
    for (const key of victims) this.#drop(key);
    for (const { key, bytes, expiresAt, isSpare } of blobs) {
      this.#drop(key);
      const own = isSpare ? bytes : new Uint8Array(bytes);
      this.#records.set(key, { key, bytes: own, expiresAt, storedAt: Date.now() });
      this.#sizeBytes += bytes.byteLength;
    }
    if (slot) this.#slots.set(slot.slot, slot);
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return slots.map((slot) => this.#slots.get(slot)?.bytes);
  }

  async deleteSlot(slot: string): Promise<boolean> {
    return this.#slots.delete(slot);
  }

  async remove(key: string): Promise<void> {
    this.#drop(key);
  }

  async *keys(): AsyncIterable<string> {
    yield* [...this.#records.keys()];
  }

  async *slots(): AsyncIterable<string> {
    yield* [...this.#slots.keys()];
  }

  async pin(key: string): Promise<void> {
    this.#pins.add(key);
  }

  async unpin(key: string): Promise<void> {
    this.#pins.delete(key);
  }

  async usage(): Promise<Usage> {
    return {
      records: this.#records.size,
      documents: this.#slots.size,
      pinned: this.#pins.size,
      sizeBytes: this.#sizeBytes,
      ...(Number.isFinite(this.#maxBytes) && { maxBytes: this.#maxBytes }),
    };
  }

  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    const expired = [...this.#slots.values()].filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt <= now);
    for (const { slot } of expired) this.#slots.delete(slot);
    const needed = new Set([...this.#slots.values()].flatMap(({ keys }) => keys));
    const gone = [...this.#records.values()].filter(
      ({ key, storedAt, expiresAt = Number.POSITIVE_INFINITY }) =>
        expiresAt <= now || (!needed.has(key) && !this.#pins.has(key) && storedAt <= now - minimumAgeMs),
    );
    for (const { key } of gone) this.#drop(key);
    return {
      records: gone.length,
      sizeBytes: gone.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      documents: expired.length,
    };
  }

  async close(): Promise<void> {
    this.#records.clear();
    this.#slots.clear();
  }

  /** The keys of the records that must go so that these fit. */
  #victims(blobs: readonly Blob[]): string[] {
    const incoming = new Map(blobs.map(({ key, bytes }) => [key, bytes.byteLength]));
    const replaced = [...incoming.keys()].reduce(
      (sum, key) => sum + (this.#records.get(key)?.bytes.byteLength ?? 0),
      0,
    );
    let sizeBytes = this.#sizeBytes - replaced + [...incoming.values()].reduce((sum, bytes) => sum + bytes, 0);
    const victims: string[] = [];
    for (const { key, bytes } of this.#records.values()) {
      if (sizeBytes <= this.#maxBytes) return victims;
      if (this.#pins.has(key) || incoming.has(key)) continue;
      victims.push(key);
      sizeBytes -= bytes.byteLength;
    }
    if (sizeBytes > this.#maxBytes) throw full(this.location, sizeBytes, this.#maxBytes);
    return victims;
  }

  #drop(key: string): void {
    const kept = this.#records.get(key);
    if (!kept) return;
    this.#records.delete(key);
    this.#sizeBytes -= kept.bytes.byteLength;
  }
}
