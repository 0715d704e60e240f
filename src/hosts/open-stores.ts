/** Stores that the engine's process opens for itself, by the addresses that its host was given: one for each, until the end. */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { parse } from '../base/parse.js';
import type { StatesSource } from '../engine/engine.js';
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

export class OpenStores {
  readonly #sources = new Map<string, { readonly source: StatesSource; close(): Promise<void> }>();

  /** Gives the store at an address. It is opened when it is first read, and again when what it was kept in is gone. */
  at(address: unknown): StatesSource {
    const name = JSON.stringify(address);
    const known = this.#sources.get(name);
    if (known) return known.source;
    let opened: Promise<Store> | undefined;
    const store = () => {
      const { location, options } = parse(addressSchema, address, 'INPUT_INVALID', 'Address of a store');
      opened ??= openStore(location, { ...options, mustExist: true }).catch((error) => {
        // The next one who asks tries again.
        opened = undefined;
        throw error;
      });
      return opened;
    };
    const source: StatesSource = {
      address,
      statesOf: async (keys, fingerprints, signal) => {
        const asked = store();
        const used = await asked;
        try {
          return await used.statesOf(keys, fingerprints, signal);
        } catch (error) {
          if (!isGone(error)) throw error;
          // Several reads may find it so: the first of them forgets it.
          if (opened === asked) opened = undefined;
          await used.close().catch(() => undefined);
          return (await store()).statesOf(keys, fingerprints, signal);
        }
      },
    };
    this.#sources.set(name, { source, close: async () => (await opened?.catch(() => undefined))?.close() });
    return source;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sources.values()].map((own) => own.close()));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof DkvError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_CLOSED');
}
