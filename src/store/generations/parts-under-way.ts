/**
 * Shards that machines have made for a generation to come: reports of parts name them, and no manifest does before all parts are there, which may take days.
 * `fleet/` has more than is read here; a plan that is finished has a `finished.json`.
 */
import { z } from 'zod';
import { decodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';
import { shardName } from './shard-reader.js';

const reportSchema = z.looseObject({
  part: z.looseObject({ shard: z.looseObject({ digest: z.string() }).nullable() }),
});

/** The names of the shards that no collection may take, since a plan that is not finished has them. */
export async function shardsOfParts(files: CatalogueFiles): Promise<ReadonlySet<string>> {
  const reports = new Map<string, string[]>();
  const finished = new Set<string>();
  for await (const { name } of files.list('fleet/')) {
    const [plan = '', folder = ''] = name.split('/');
    if (folder === 'chunks') reports.set(plan, [...(reports.get(plan) ?? []), `fleet/${name}`]);
    if (folder === 'finished.json') finished.add(plan);
  }
  const shards = new Set<string>();
  for (const [plan, names] of reports) {
    if (finished.has(plan)) continue;
    for (const name of names) {
      const found = await files.read(name);
      const digest = found && digestIn(found.bytes, name);
      if (digest !== undefined) shards.add(shardName(digest));
    }
  }
  return shards;
}

/** A damaged report names nothing: its chunk is worked on again. */
function digestIn(bytes: Buffer, name: string): string | undefined {
  try {
    return decodeChecked(reportSchema, bytes, name).part.shard?.digest;
  } catch {
    return undefined;
  }
}
