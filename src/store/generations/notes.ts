/** What a store notes of itself, in the form that a manifest keeps. */
import { encodeEntry, notesSalt, slotOf } from '../records/entry.js';
import { NOTES, type Store } from '../store.js';
import type { Manifest } from './manifest.js';

/** @returns also the model's name, for messages; null where the store does not say it */
export async function notesOf(
  store: Pick<Store, 'note'>,
  salt: string,
): Promise<{ readonly notes: Manifest['notes']; readonly name: string | null }> {
  const notes: Manifest['notes'] = [];
  let name: string | null = null;
  for (const note of NOTES) {
    const metadata = await store.note(note);
    if (!metadata) continue;
    if (note === 'primed' && typeof metadata.model === 'string') name = metadata.model;
    const bytes = encodeEntry({ id: note, variants: {}, metadata });
    notes.push([slotOf(note, notesSalt(salt)), bytes.toString('base64')]);
  }
  return { notes, name };
}
