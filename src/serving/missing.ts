/** Candidates that a store does not have: found before anything is scored, and told. */
import { didYouMean } from '../base/near.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import type { Store } from '../store/store.js';

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

export async function missingMessage(
  store: Store,
  variant: string,
  missing: readonly string[],
  all: number,
): Promise<string> {
  const some = missing.slice(0, SHOWN_MISSING);
  const shown = some.map((id) => JSON.stringify(id));
  const more = missing.length > SHOWN_MISSING ? ', ...' : '';
  const entries = await Promise.all(some.map((id) => store.entry(id)));
  const others = new Set(entries.flatMap((entry) => Object.keys(entry?.variants ?? {})));
  others.delete(variant);
  const known = others.size === 0 ? '' : ` What they have is ${[...others].join(', ')}.${didYouMean(variant, others)}`;
  return `${store.location} has no ${JSON.stringify(variant)} cache of ${missing.length} of ${all} candidates: ${shown.join(', ')}${more}.${known} They were never primed so, or have expired, or were evicted. Prime them, or say that missing ones are put last or skipped.`;
}
