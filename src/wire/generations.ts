/** Catalogues of generations: what `dkv store pack`, `publish` and the others of a catalogue print. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema } from './numbers.js';

const catalogueSchema = z.string().describe('Where the catalogue is.');
const generationSchema = z.string().describe('The generation’s id.');
const timeSchema = z.iso.datetime();
const takedownStatusSchema = z
  .enum(['hidden', 'erased'])
  .describe('hidden: not served. erased: nor is it in any shard any more.');

export const storePackSchema = wireObject({
  catalogue: catalogueSchema,
  generation: z.string().describe('The id of what was packed; the parent’s where nothing has changed.'),
  parent: z.string().nullable().describe('The generation that it is a delta to; null for a base.'),
  changed: z.boolean().describe('Whether anything differs from the parent. Otherwise no generation is made.'),
  documents: countSchema.describe('Documents of the generation, all layers together.'),
  packed: countSchema.describe('Documents in the last layer.'),
  removed: countSchema.describe('Documents of the parent that the last layer takes out.'),
  unchanged: countSchema.describe('Documents that the parent has already.'),
  takenDown: countSchema.describe('Documents of the store that are taken down, and not packed.'),
  incomplete: countSchema.describe('Documents left out: some of their records are gone.'),
  layers: countSchema.describe('The base and its deltas.'),
  writtenBytes: countSchema.describe('Bytes of shards that were not there already, and of the manifest.'),
  published: z.boolean().describe('Whether it is published, now or before.'),
  alias: z.string().nullable().describe('The alias that names it now, where that was asked for.'),
});

export const storePublishSchema = wireObject({
  catalogue: catalogueSchema,
  generation: generationSchema,
  documents: countSchema.describe('Documents of the generation.'),
  layers: countSchema.describe('The base and its deltas.'),
});

export const storeAliasSchema = wireObject({
  catalogue: catalogueSchema,
  alias: z.string().describe('The alias.'),
  generation: z.string().describe('The generation that it names now.'),
  before: z.string().nullable().describe('The generation that it named before; null for a new alias.'),
  since: timeSchema.describe('Since when, as ISO 8601.'),
});

export const storeGenerationsSchema = wireObject({
  catalogue: catalogueSchema,
  shards: countSchema.describe('Shards that manifests name, each counted once.'),
  sizeBytes: countSchema.describe('Bytes of these shards.'),
  takenDown: countSchema.describe('Documents that are taken down.'),
  generations: z
    .array(
      wireObject({
        id: z.string().describe('The id.'),
        draft: z.boolean().describe('Whether it is packed and not published.'),
        stored: timeSchema.describe('When it was published, or packed while it is a draft, as ISO 8601.'),
        parent: z.string().nullable().describe('The generation that it is a delta to; null for a base.'),
        model: z.string().nullable().describe('The model’s name, where the store said it.'),
        fingerprint: z.string().nullable().describe('The model’s fingerprint; null of a damaged manifest.'),
        documents: countSchema.nullable().describe('Documents; null of a damaged manifest, as the next three.'),
        layers: countSchema.nullable().describe('The base and its deltas.'),
        shards: countSchema.nullable().describe('Shards that it names.'),
        sizeBytes: countSchema.nullable().describe('Bytes of these shards, which others may name as well.'),
        aliases: z.array(z.string()).readonly().describe('The aliases that name it.'),
        leases: countSchema.describe('Readers that hold it.'),
        damage: z.string().nullable().describe('What is wrong with its manifest; null: nothing.'),
      }),
    )
    .readonly()
    .describe('Generations and then drafts, the oldest first.'),
});

export const storeDifferenceSchema = wireObject({
  id: z.string().describe('The document’s id.'),
  change: z.enum(['added', 'removed', 'changed']).describe('What the second generation does to the first.'),
});

export const storeDifferenceCountsSchema = wireObject({
  added: countSchema.describe('Documents that only the second one has.'),
  removed: countSchema.describe('Documents that only the first one has.'),
  changed: countSchema.describe('Documents that both have, with other fields or other records.'),
});

export const storeCompactionSchema = wireObject({
  catalogue: catalogueSchema,
  generation: z.string().describe('The id of the compacted generation, which is published.'),
  from: z.string().describe('The generation that it was made of.'),
  documents: countSchema.describe('Documents of it.'),
  takenDown: countSchema.describe('Documents left out: they are taken down.'),
  writtenBytes: countSchema.describe('Bytes of shards that were not there already, and of the manifest.'),
  alias: z.string().nullable().describe('The alias that names it now, where that was asked for.'),
});

export const storeGenerationCollectionSchema = wireObject({
  catalogue: catalogueSchema,
  dryRun: z.boolean().describe('Whether nothing was taken away, and this is what would be.'),
  generations: z.array(z.string()).readonly().describe('Generations that were taken away.'),
  drafts: countSchema.describe('Drafts that were taken away.'),
  shards: countSchema.describe('Shards that were taken away.'),
  freedBytes: countSchema.describe('Bytes of these shards.'),
  erased: countSchema.describe('Documents taken down that are in no shard any more since now.'),
});

export const storeTakedownSchema = wireObject({
  catalogue: catalogueSchema,
  documents: z
    .array(
      wireObject({
        id: z.string().describe('The document’s id.'),
        status: takedownStatusSchema,
        at: timeSchema.describe('When it was taken down, as ISO 8601.'),
        new: z.boolean().describe('Whether it was not taken down before.'),
        generations: countSchema
          .nullable()
          .describe('Published generations that have it; null where one cannot be read.'),
      }),
    )
    .readonly()
    .describe('The documents that were named.'),
});

export const storeLiftSchema = wireObject({
  catalogue: catalogueSchema,
  documents: z
    .array(
      wireObject({
        id: z.string().describe('The document’s id.'),
        before: takedownStatusSchema
          .nullable()
          .describe('What it was: hidden, or erased, which wants packing again. null: it was not taken down.'),
      }),
    )
    .readonly()
    .describe('The documents that were named.'),
});

export const storeTakedownsSchema = wireObject({
  catalogue: catalogueSchema,
  documents: z
    .array(
      wireObject({
        id: z.string().describe('The document’s id.'),
        status: takedownStatusSchema,
        at: timeSchema.describe('Since when, as ISO 8601.'),
        reason: z.string().nullable().describe('Why, where somebody said so.'),
      }),
    )
    .readonly()
    .describe('What is taken down, the earliest first.'),
});

export const storeAuditLineSchema = wireObject({
  at: timeSchema.describe('When, as ISO 8601.'),
  host: z.string().describe('The name of the machine.'),
  action: z.string().describe('What was done.'),
  subject: z.string().describe('The alias, generation or document that it was done to.'),
  reason: z.string().nullable().describe('Why, where somebody said so.'),
});

export const catalogueVerificationSchema = wireObject({
  catalogue: catalogueSchema,
  shards: countSchema.describe('Shards that were read.'),
  sizeBytes: countSchema.describe('Bytes of these.'),
  generations: countSchema.describe('Manifests that were read.'),
  drafts: countSchema.describe('Manifests of drafts that were read.'),
  aliases: countSchema.describe('Aliases that were read.'),
  takedowns: countSchema.describe('Files of takedowns that were read.'),
  audit: countSchema.describe('Lines of the audit that were read.'),
  damaged: z
    .array(
      wireObject({
        kind: z.enum(['shard', 'generation', 'draft', 'alias', 'takedowns', 'audit']).describe('What it is.'),
        name: z.string().describe('The file in the catalogue.'),
        reason: z.string().describe('What is wrong with it.'),
        documents: countSchema.optional().describe('Documents in a shard, where a manifest says it.'),
      }),
    )
    .readonly()
    .describe('What is not as it was written and stays so.'),
  repaired: z.array(z.string()).readonly().describe('Files that were fetched from the other copy.'),
  lost: wireObject({
    withText: countSchema.describe('Documents with a damaged record whose text was written.'),
    withoutText: countSchema.describe('Documents with a damaged record and no text that could be read.'),
    unknown: countSchema.describe('Documents of which not even the id can be read.'),
  })
    .nullable()
    .describe('Documents of the generation that cannot be read whole; null where `--documents` did not ask.'),
});
