/** Candidates that a store does not have: found before anything is scored, and told. */
import { inParallel, STORE_REQUESTS } from '../parallel.js';
import type { Store } from '../store.js';

/** Which of these ids have no cache of the variant, evicted ones included; each once. */
export async function missingDocuments(store: Store, ids: Iterable<string>, variant: string): Promise<string[]> {
  const missing = new Set(ids);
  await inParallel([...missing], STORE_REQUESTS, async (id) => {
    const variants = (await store.entry(id))?.variants ?? {};
    const key = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
    if (key !== undefined && (await store.has(key))) missing.delete(id);
  });
  return [...missing];
}

const SHOWN_MISSING = 5;

export function missingMessage(store: Store, variant: string, missing: readonly string[], all: number): string {
  const shown = missing.slice(0, SHOWN_MISSING).map((id) => JSON.stringify(id));
  const more = missing.length > SHOWN_MISSING ? ', ...' : '';
  return `${store.location} has no ${JSON.stringify(variant)} cache of ${missing.length} of ${all} candidates: ${shown.join(', ')}${more}. They were never primed so, or have expired, or were evicted. Prime them, or say that missing ones are put last or skipped.`;
}
