/**
 * A part of a layer that is packed by itself: a layer is cut by the first bits of the digests of ids, so that whoever has all documents of one part can write its
 * shard without the others, on another machine and at another time. Parts that were made so are put together to a manifest without a look at their records.
 */
import { z } from 'zod';
import { Breather } from '../../base/breather.js';
import { DkvError } from '../../base/errors.js';
import { encodeEntry, slotOf, tenantOf } from '../records/entry.js';
import type { Store } from '../store.js';
import { missingRecords } from '../transfer.js';
import type { CatalogueFiles } from './files.js';
import { LayerWriter } from './layer-writer.js';
import { type Generation, type Manifest, manifestSchema, shardSchema } from './manifest.js';
import { ModelKinds } from './model-kinds.js';
import { notesOf } from './notes.js';
import { digestIn, partOf } from './shard.js';
import { Takedowns } from './takedowns.js';

const { model, states, variants, notes } = manifestSchema.shape;

export const partSchema = z.strictObject({
  shard: shardSchema.nullable().describe('The shard; null where no document of this part was packed or taken out.'),
  model: model.nullable().describe('The model that its records are of; null where no document was packed.'),
  states: states
    .nullable()
    .describe('What the states of its records have in common; null where no document was packed.'),
  variants: variants.describe('Pairs of a variant’s name and the number of documents of this part that have it.'),
  notes: notes.describe('What the store notes of itself: pairs of a slot and its bytes in base64.'),
});
export type Part = z.infer<typeof partSchema>;

export interface PartOptions {
  /** The number of parts is 2 to this power. */
  readonly bits: number;
  readonly part: number;
  /** The slots of documents of older layers that this part takes out. */
  readonly removed?: readonly string[] | undefined;
  /** The salt that the store was opened with. */
  readonly tenantSalt?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PackedPart {
  readonly part: Part;
  /** The ids of documents of the store that were not packed: they are taken down, or some of their records are gone. */
  readonly left: readonly string[];
}

/**
 * Packs the documents of a store that are all of one part into its shard. The bytes are those that packing all parts together gives.
 * @throws DkvError STORE_MISMATCH for records of several models, CANCELLED
 */
export async function packPart(store: Store, files: CatalogueFiles, options: PartOptions): Promise<PackedPart> {
  const { bits, part: number, removed = [], tenantSalt: salt = '', signal } = options;
  const turns = new Breather(signal, 'Stopped before the shard was written.');
  const isDown = await new Takedowns(files).hidden();
  const items = new Map<string, string | undefined>(removed.map((slot) => [slot, undefined]));
  for await (const id of store.ids()) items.set(slotOf(id, salt), id);
  const writer = new LayerWriter(files, { tenant: tenantOf(salt), bits });
  const kinds = new ModelKinds();
  const counts = new Map<string, number>();
  const left: string[] = [];
  for (const [slot, id] of [...items].sort(([one], [other]) => (one < other ? -1 : 1))) {
    await turns.breathe();
    if (partOf(digestIn(slot), bits) !== number) throw new Error(`Slot ${slot} is of another part than ${number}.`);
    if (id === undefined) {
      await writer.addTombstone(slot);
      continue;
    }
    const entry = isDown(slot) ? undefined : await store.entry(id);
    const records = entry && (await missingRecords(store, entry, () => false));
    if (!entry || !records) {
      left.push(id);
      continue;
    }
    for (const bytes of records.values()) kinds.expect(bytes, id);
    const document = { slot, entry: encodeEntry(entry), keys: Object.values(entry.variants) };
    await writer.add(document, async (key) => records.get(key)!);
    for (const variant of Object.keys(entry.variants)) counts.set(variant, (counts.get(variant) ?? 0) + 1);
  }
  // The last moment at which nothing has been written.
  if (signal?.aborted) throw new DkvError('CANCELLED', 'Stopped before the shard was written.');
  const [shard = null] = (await writer.finish()).shards;
  const { notes, name } = await notesOf(store, salt);
  const facts = counts.size > 0 ? kinds.facts(undefined) : undefined;
  return {
    part: {
      shard,
      model: facts ? { name, ...facts.model } : null,
      states: facts?.states ?? null,
      variants: [...counts],
      notes,
    },
    left,
  };
}

export interface AssemblyOptions {
  readonly bits: number;
  readonly tenant: string;
  /** The time that the manifest says that it was made at. */
  readonly madeAt: number;
  /** The generation that the parts are a delta to. */
  readonly parent?: Generation | undefined;
  /** The documents of the parent that stay as they are. */
  readonly unchanged?: { readonly documents: number; readonly variants: ReadonlyMap<string, number> } | undefined;
}

/**
 * The manifest of parts that were made apart.
 * @param parts by their numbers
 * @throws DkvError STORE_MISMATCH for parts of several models, INPUT_INVALID where there is no document at all
 */
export function manifestOfParts(parts: ReadonlyMap<number, Part>, options: AssemblyOptions): Manifest {
  const { bits, tenant, madeAt, parent, unchanged } = options;
  const ordered = [...parts].sort(([one], [other]) => one - other).map(([, part]) => part);
  const kinds = new ModelKinds();
  const variants = new Map<string, number>(unchanged?.variants);
  let documents = unchanged?.documents ?? 0;
  let name = parent?.manifest.model.name ?? null;
  for (const [number, part] of parts) {
    if (!part.model || !part.states) continue;
    const { precision: states, width, visibility } = part.states;
    const { fingerprint, precision } = part.model;
    kinds.add({ fingerprint, precision, states, width }, visibility, `Part ${number}`);
    name = part.model.name;
  }
  for (const part of ordered) {
    documents += part.shard?.documents ?? 0;
    for (const [variant, count] of part.variants) variants.set(variant, (variants.get(variant) ?? 0) + count);
  }
  const { model, states } = kinds.facts(parent?.manifest);
  return {
    format: 'directed-kvcache generation',
    version: 1,
    parent: parent?.id ?? null,
    madeAt,
    model: { name, ...model },
    states,
    variants: [...variants].filter(([, count]) => count > 0),
    tenant,
    documents,
    // What was noted of the parent since, such as a calibration, goes on with its documents.
    notes: parent?.manifest.notes ?? ordered[0]?.notes ?? [],
    layers: [
      ...(parent?.manifest.layers ?? []),
      { bits, shards: ordered.flatMap(({ shard }) => (shard ? [shard] : [])) },
    ],
  };
}
