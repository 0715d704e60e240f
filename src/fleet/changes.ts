/** What of a corpus differs from a generation: rows that are new or changed, and documents that are gone. Both come in the order of digests, so that neither is held whole. */

import type { CatalogueFiles } from '../store/generations/files.js';
import { GenerationReader } from '../store/generations/layers.js';
import type { Generation } from '../store/generations/manifest.js';
import { digestIn } from '../store/generations/shard.js';
import { Takedowns } from '../store/generations/takedowns.js';
import { inspectEntry } from '../store/records/entry.js';
import { BUCKETS, Buckets } from './buckets.js';
import { contentOf, placeOf, type Row } from './row.js';

export interface Changes {
  /** The lines of rows that are to be primed. */
  readonly rows: Buckets;
  /** The slots of documents that are to be taken out, in their order. */
  readonly removed: readonly string[];
  readonly unchanged: { readonly documents: number; readonly variants: ReadonlyMap<string, number> };
}

export interface ChangesOptions {
  readonly files: CatalogueFiles;
  readonly parent: Generation;
  /** The expiry that the plan asks for, in milliseconds since 1970. */
  readonly expiresAt: number | null;
  /** The names of the variants that the plan asks for, in their order. */
  readonly variants: readonly string[];
}

export async function changesSince(rows: Buckets, options: ChangesOptions): Promise<Changes> {
  const { files, parent, expiresAt } = options;
  const isDown = await new Takedowns(files).hidden();
  const documents = new GenerationReader(files, parent).documents();
  const removed: string[] = [];
  const variants = new Map<string, number>();
  const planned = new Buckets();
  let unchanged = 0;
  let next = await documents.next();
  const now = Date.now();
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const lines = await rows.read(bucket);
    const byPlace = new Map<string, { readonly at: number[]; last: Row }>();
    for (const [at, line] of lines.entries()) {
      const row = JSON.parse(line) as Row;
      const place = placeOf(row).toString('hex');
      const found = byPlace.get(place);
      if (found) [found.last] = [row];
      if (found) found.at.push(at);
      else byPlace.set(place, { at: [at], last: row });
    }
    const left = new Set<number>();
    for (; !next.done && digestIn(next.value.slot)[0] === bucket; next = await documents.next()) {
      const { slot } = next.value;
      const place = digestIn(slot).toString('hex');
      const own = byPlace.get(place);
      const entry = inspectEntry(next.value.entry, slot);
      if (own === undefined) {
        removed.push(slot);
        continue;
      }
      const isSame =
        entry.metadata.rowDigest === contentOf(own.last) &&
        isLasting(entry.expiresAt, expiresAt, now) &&
        entry.variants.length === options.variants.length &&
        options.variants.every((name) => entry.variants.some(([variant]) => variant === name));
      // What is taken down stays as it is.
      if (!isSame && !isDown(slot)) continue;
      for (const at of own.at) left.add(at);
      unchanged++;
      for (const [variant] of entry.variants) variants.set(variant, (variants.get(variant) ?? 0) + 1);
    }
    for (const [at, line] of lines.entries()) if (!left.has(at)) await planned.add(bucket, line);
  }
  return { rows: planned, removed, unchanged: { documents: unchanged, variants } };
}

/** A document that expires is primed again once half of the time until the plan's expiry would be over when it goes. */
function isLasting(expires: number | null, planned: number | null, now: number): boolean {
  if (expires === null || planned === null) return expires === planned;
  return expires - now > (planned - now) / 2;
}
