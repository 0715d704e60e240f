/** Stores and catalogues that commands open, and close whatever happens. */
import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { parseAddress } from '../store/backends/address.js';
import type { Catalogue } from '../store/generations/catalogue-store.js';
import type { Store } from '../store/store.js';

export async function withStore(
  location: string,
  options: { readonly mustExist?: boolean; readonly maxBytes?: number },
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const { openStore } = await import('../store/open.js');
  const store = await openStore(location, options);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/**
 * Checks that documents may be put into a store, before anything else is done.
 * @throws DkvError STORE_READONLY for a generation of a catalogue
 */
export function expectNoGeneration(location: string): void {
  if (parseAddress(location).kind !== 'packed') return;
  throw new DkvError(
    'STORE_READONLY',
    `${location} is a published generation, which nothing changes. Put the documents into a store, and pack that: dkv store pack STORE ${shellWord(location.replace(/\?.*$/, ''))}`,
  );
}

/** @param options with `create`, one may begin there */
export async function withCatalogue(
  location: string,
  work: (catalogue: Catalogue) => Promise<void>,
  options: { readonly create?: boolean } = {},
): Promise<void> {
  const { openCatalogue } = await import('../store/generations/catalogue-store.js');
  const catalogue = await openCatalogue(location, options);
  try {
    await work(catalogue);
  } finally {
    await catalogue.close();
  }
}
