/** `dkv store generations`: the table of a catalogue's generations. */
import type { ListedManifest } from '../store/generations/listing.js';
import { storeGenerationsSchema } from '../wire/generations.js';
import { printJson } from './json.js';
import { withCatalogue } from './open-stores.js';
import { printTable } from './print-table.js';
import { manyOf, shownBytes, shownCount } from './quantities.js';

export async function listGenerations(place: string, { json }: { readonly json: boolean }): Promise<void> {
  await withCatalogue(place, async (catalogue) => {
    const { generations, shards, sizeBytes, takenDown, aliases } = await catalogue.generations();
    if (json) {
      return printJson(storeGenerationsSchema, {
        catalogue: catalogue.location,
        shards,
        sizeBytes,
        takenDown,
        generations: generations.map(described),
      });
    }
    const rows = generations.map((listed) => {
      const { id, isDraft, storedAt, documents, layers, sizeBytes: bytes, leases } = described(listed);
      const named = isDraft ? 'draft' : listed.aliases.join(', ');
      const made = new Date(storedAt).toISOString().slice(0, 16).replace('T', ' ');
      const size = bytes === null ? 'damaged' : shownBytes(bytes);
      return [id, made, named, shown(documents), shown(layers), size, shown(leases)];
    });
    await printTable(['generation', 'stored (UTC)', 'aliases', 'documents', 'layers', 'size', 'readers'], rows, 3);
    for (const { damage } of generations) if (damage !== undefined) process.stdout.write(`${damage}\n`);
    for (const [alias, { generation }] of aliases) {
      if (generations.some(({ id, isDraft }) => id === generation && !isDraft)) continue;
      process.stdout.write(`${alias} names ${generation}, which is not there: dkv store verify says more.\n`);
    }
    process.stdout.write(
      `${manyOf(shards, 'shard')}, ${shownBytes(sizeBytes)}; ${manyOf(takenDown, 'document')} taken down.\n`,
    );
  });
}

function described({ manifest, damage, storedAt, ...listed }: ListedManifest) {
  const shards = manifest?.layers.flatMap((layer) => layer.shards);
  return {
    ...listed,
    draft: listed.isDraft,
    storedAt,
    stored: new Date(storedAt).toISOString(),
    parent: manifest?.parent ?? null,
    model: manifest?.model.name ?? null,
    fingerprint: manifest?.model.fingerprint ?? null,
    documents: manifest?.documents ?? null,
    layers: manifest?.layers.length ?? null,
    shards: shards?.length ?? null,
    sizeBytes: shards?.reduce((sum, shard) => sum + shard.sizeBytes, 0) ?? null,
    damage: damage ?? null,
  };
}

function shown(count: number | null): string {
  return count === null ? '' : shownCount(count);
}
