/** Stores that the engine's process opens for itself, by the addresses that its host was given: one for each, while it is read. */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { parse } from '../base/parse.js';
import type { States, StatesSource } from '../engine/engine.js';
import { openStore } from '../store/open.js';
import type { Store, StoreAddressed } from '../store/store.js';

const addressSchema: z.ZodType<StoreAddressed> = z.object({
  location: z.union([z.string(), z.array(z.string())]),
  options: z.record(z.string(), z.unknown()),
});

/** The address, if another process can be told it and opens a store by it; undefined otherwise. */
export function addressToSend(address: unknown): unknown {
  if (!addressSchema.safeParse(address).success) return undefined;
  try {
    // Functions, such as those that find a server's keys, stay here.
    return structuredClone(address);
  } catch {
    return undefined;
  }
}

/** A store that nobody has read for so long is closed: it holds files, and a generation of a catalogue that is not served any more. */
const IDLE_MS = 60_000;

/** A store at one address, which is open while it is read now and then. */
class OpenedStore implements StatesSource {
  readonly address: unknown;
  readonly #idleMs: number;
  #opened: Promise<Store> | undefined;
  #readers = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(address: unknown, idleMs: number) {
    this.address = address;
    this.#idleMs = idleMs;
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  async statesOf(
    keys: readonly string[],
    fingerprints: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (States | DkvError)[]> {
    clearTimeout(this.#timer);
    this.#readers++;
    try {
      const asked = this.#store();
      const used = await asked;
      try {
        return await used.statesOf(keys, fingerprints, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        // Several reads may find it so: the first of them forgets it.
        if (this.#opened === asked) this.#opened = undefined;
        await used.close().catch(() => undefined);
        return await (await this.#store()).statesOf(keys, fingerprints, signal);
      }
    } finally {
      this.#readers--;
      if (this.#readers === 0) this.#timer = setTimeout(() => void this.close(), this.#idleMs).unref();
    }
  }

  /** Closes the store. Whoever reads it later opens it again. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened?.catch(() => undefined))?.close().catch(() => undefined);
  }

  #store(): Promise<Store> {
    const { location, options } = parse(addressSchema, this.address, 'INPUT_INVALID', 'Address of a store');
    this.#opened ??= openStore(location, { ...options, mustExist: true }).catch((error) => {
      // The next one who asks tries again.
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

export class OpenStores {
  readonly #sources = new Map<string, OpenedStore>();
  readonly #idleMs: number;

  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** The number of stores that are open. */
  get open(): number {
    return [...this.#sources.values()].filter(({ isOpen }) => isOpen).length;
  }

  /** Gives the store at an address. It is opened when it is read, and again when what it was kept in is gone. */
  at(address: unknown): StatesSource {
    const name = JSON.stringify(address);
    const known = this.#sources.get(name) ?? new OpenedStore(address, this.#idleMs);
    this.#sources.set(name, known);
    return known;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((own) => own.close()));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof DkvError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_CLOSED');
}
