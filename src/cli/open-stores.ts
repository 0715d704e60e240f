/** Stores and catalogues that commands open, and close whatever happens. */
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
