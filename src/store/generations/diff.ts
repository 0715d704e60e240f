/** What differs between two generations. */

import { inspectEntry } from '../records/entry.js';
import type { CatalogueFiles } from './files.js';
import { GenerationReader, type LayeredEntry } from './layers.js';
import type { Generation } from './manifest.js';

export interface Difference {
  readonly id: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/** The documents of which two generations say different things, in the order of their slots. */
export async function* differences(files: CatalogueFiles, a: Generation, b: Generation): AsyncGenerator<Difference> {
  const [before, after] = [a, b].map((generation) => new GenerationReader(files, generation).documents());
  let [old, now] = [await next(before!), await next(after!)];
  while (old || now) {
    const order = !old ? 1 : !now ? -1 : Buffer.compare(Buffer.from(old.slot), Buffer.from(now.slot));
    const found = (order <= 0 ? old : now)!;
    const change = order < 0 ? 'removed' : order > 0 ? 'added' : old!.entry.equals(now!.entry) ? undefined : 'changed';
    if (change) yield { id: inspectEntry(found.entry, found.slot).id, change };
    if (order <= 0) old = await next(before!);
    if (order >= 0) now = await next(after!);
  }
}

async function next(entries: AsyncGenerator<LayeredEntry>): Promise<LayeredEntry | undefined> {
  const { done, value } = await entries.next();
  return done ? undefined : value;
}
