/** Any storage with an end: closing waits for the requests that are under way, and what is asked afterwards is refused by name. */
import { DkvError } from '../../base/errors.js';
import type { Collected } from '../store.js';
import type { Backend, Blob, Decode, Expiring, Found, Slot, Usage } from './backend.js';

export class ClosableBackend implements Backend {
  readonly location: string;
  readonly isReadOnly: boolean;
  readonly places: readonly string[];
  readonly #backend: Backend;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** @param backend is closed with it */
  constructor(backend: Backend) {
    this.#backend = backend;
    this.location = backend.location;
    this.isReadOnly = backend.isReadOnly;
    this.places = backend.places;
  }

  read<T extends Expiring>(keys: readonly string[], decode: Decode<T>, signal?: AbortSignal): Promise<Found<T>[]> {
    return this.#ask((backend) => backend.read(keys, decode, signal));
  }

  placeOf(key: string): string | undefined {
    return this.#backend.placeOf?.(key);
  }

  learn(key: string, place: string): void {
    this.#backend.learn?.(key, place);
  }

  check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    return this.#ask((backend) => backend.check(key, decode));
  }

  has(key: string, now: number): Promise<boolean> {
    return this.#ask((backend) => backend.has(key, now));
  }

  write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    return this.#ask((backend) => backend.write(blobs, slot));
  }

  readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#ask((backend) => backend.readSlots(slots));
  }

  deleteSlot(slot: string): Promise<boolean> {
    return this.#ask((backend) => backend.deleteSlot(slot));
  }

  remove(key: string): Promise<void> {
    return this.#ask((backend) => backend.remove(key));
  }

  keys(): AsyncIterable<string> {
    return this.#each((backend) => backend.keys());
  }

  slots(): AsyncIterable<string> {
    return this.#each((backend) => backend.slots());
  }

  pin(key: string): Promise<void> {
    return this.#ask((backend) => backend.pin(key));
  }

  unpin(key: string): Promise<void> {
    return this.#ask((backend) => backend.unpin(key));
  }

  usage(): Promise<Usage> {
    return this.#ask((backend) => backend.usage());
  }

  collect(now: number, minimumAgeMs: number): Promise<Collected> {
    return this.#ask((backend) => backend.collect(now, minimumAgeMs));
  }

  /** Closes the storage. It may be called twice. */
  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#underWay).then(() => this.#backend.close());
    return this.#closed;
  }

  async #ask<T>(request: (backend: Backend) => Promise<T>): Promise<T> {
    if (this.#closed) {
      throw new DkvError('STORE_CLOSED', `The store ${this.location} was closed. Open it again to use it.`);
    }
    const answer = request(this.#backend);
    this.#underWay.add(answer);
    try {
      return await answer;
    } finally {
      this.#underWay.delete(answer);
    }
  }

  async *#each(list: (backend: Backend) => AsyncIterable<string>): AsyncIterable<string> {
    const names = list(this.#backend)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#ask(() => names.next());
      if (next.done) return;
      yield next.value;
    }
  }
}
