/** What a store notes of itself, read in the form that it must have. */
import type { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { tryParse } from '../base/parse.js';
import type { NoteName, Store } from '../store/store.js';

/**
 * @returns undefined where the store has no such note
 * @throws DkvError STORE_DAMAGED; STORE_MISMATCH for a note of another form
 */
export async function readNote<T>(store: Store, name: NoteName, schema: z.ZodType<T>): Promise<T | undefined> {
  const note = await store.note(name);
  if (!note) return undefined;
  const parsed = tryParse(schema, note);
  if (parsed.success) return parsed.data;
  throw new DkvError(
    'STORE_MISMATCH',
    `${store.location}: what it notes of itself as "${name}" has another form (${parsed.problem}). Use the version that primed it, or prime it anew (dkv prime --replace).`,
  );
}
