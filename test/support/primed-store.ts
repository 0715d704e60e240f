/** Documents primed into a store that closes with the test. */
import { onTestFinished } from 'vitest';
import type { Pool } from '../../src/samples/sample.js';
import type { Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import type { DocumentToPrime, PrimeOptions } from '../../src/serving/prime-options.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';

/** In memory, each document alone unless said otherwise. */
export async function primedStore(
  model: Model,
  documents: readonly DocumentToPrime[],
  { maxBytes, ...options }: PrimeOptions & { readonly maxBytes?: number } = {},
): Promise<Store> {
  const store = await openStore('memory:', maxBytes === undefined ? {} : { maxBytes });
  onTestFinished(() => store.close());
  await prime(model, store, documents, { surrogates: [], ...options });
  return store;
}

/** The candidates of pools, each once. */
export function documentsOf(pools: readonly Pool[]): DocumentToPrime[] {
  const documents = new Map<string, DocumentToPrime>();
  for (const { candidates } of pools) {
    for (const { id, document } of candidates) documents.set(id, { id, text: document });
  }
  return [...documents.values()];
}
