/** Candidates that a store does not have: found before anything is scored, and told. */
import { DkvError, isResult } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import { didYouMean } from '../base/near.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import { keyOfVariant } from '../store/records/entry.js';
import type { Store } from '../store/store.js';

const ENTRIES_TOGETHER = 1024;

/**
 * Finds the ids that have no cache of the variant, evicted ones included, each once. Damaged ones are an error. Where missing ones are allowed,
 * damaged ones are not listed either: the code that reads them is told.
 */
export async function missingDocuments(
  store: Store,
  ids: Iterable<string>,
  variant: string,
  onMissing: 'error' | 'skip' = 'error',
): Promise<string[]> {
  const missing = new Set(ids);
  for (const some of grouped([...missing], ENTRIES_TOGETHER)) {
    const entries = await store.entries(some);
    await inParallel(some.entries(), STORE_REQUESTS, async ([at, id]) => {
      const entry = entries[at];
      if (entry instanceof DkvError) {
        if (onMissing === 'error' || entry.code !== 'STORE_DAMAGED') throw entry;
        missing.delete(id);
        return;
      }
      const key = keyOfVariant(entry, variant);
      if (key !== undefined && (await store.has(key))) missing.delete(id);
    });
  }
  return [...missing];
}

const SHOWN_MISSING = 5;

/** What `onMissing` does beside ending with an error. */
const WAYS = { last: 'puts them last', skip: 'leaves them out' };

/** @param ways the values of `onMissing` that the caller has beside `error` */
export async function missingMessage(
  store: Store,
  variant: string,
  missing: readonly string[],
  all: number,
  ways: readonly ('last' | 'skip')[],
): Promise<string> {
  const choices = ways.map((way) => `${way} ${WAYS[way]}`).join(', ');
  const some = missing.slice(0, SHOWN_MISSING);
  const shown = some.map((id) => JSON.stringify(id));
  const more = missing.length > SHOWN_MISSING ? ', ...' : '';
  const entries = (await store.entries(some)).filter((entry) => entry !== undefined).filter(isResult);
  const others = new Set(entries.flatMap(({ variants }) => Object.keys(variants)));
  others.delete(variant);
  const known = others.size === 0 ? '' : ` What they have is ${[...others].join(', ')}.${didYouMean(variant, others)}`;
  return `${store.location} has no ${JSON.stringify(variant)} cache of ${missing.length} of ${all} candidates: ${shown.join(', ')}${more}.${known} They were never primed so, or have expired, or were evicted. Prime them, or say with --on-missing (onMissing in a program) what becomes of missing ones: ${choices}.`;
}
