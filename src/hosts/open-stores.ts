/** Stores that the engine's process opens for itself, by the addresses that its host was given: one for each, until the end. */
import type { StatesSource } from '../engine/engine.js';
import { openStore } from '../store/open.js';
import type { Store, StoreAddressed } from '../store/store.js';

export class OpenStores {
  readonly #sources = new Map<string, { readonly source: StatesSource; close(): Promise<void> }>();

  /** Opened when it is first read. An address of a store's own, which is not checked again. */
  at(address: unknown): StatesSource {
    const name = JSON.stringify(address);
    const known = this.#sources.get(name);
    if (known) return known.source;
    let opened: Promise<Store> | undefined;
    const store = () => {
      const { location, options } = address as StoreAddressed;
      opened ??= openStore(location, { ...options, mustExist: true }).catch((error) => {
        // The next one who asks tries again.
        opened = undefined;
        throw error;
      });
      return opened;
    };
    const source: StatesSource = {
      address,
      statesOf: async (keys, fingerprints, signal) => (await store()).statesOf(keys, fingerprints, signal),
    };
    this.#sources.set(name, { source, close: async () => (await opened?.catch(() => undefined))?.close() });
    return source;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sources.values()].map((own) => own.close()));
  }
}
