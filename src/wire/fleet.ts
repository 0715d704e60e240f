/** Priming on many machines: what `dkv fleet` prints. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema, measuredSchema } from './numbers.js';

const catalogueSchema = z.string().describe('Where the catalogue is.');
const planSchema = z.string().describe('The plan’s id.');

export const fleetPlanSchema = wireObject({
  catalogue: catalogueSchema,
  plan: planSchema,
  parent: z.string().nullable().describe('The generation that it changes; null for a base.'),
  rows: countSchema.describe('Rows of the corpus that are to be primed.'),
  removed: countSchema.describe('Documents of the parent that are to be taken out.'),
  unchanged: countSchema.describe('Documents of the parent that stay as they are.'),
  chunks: countSchema.describe('Chunks, numbered from 0.'),
  model: z.string().describe('The model’s name.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  variants: z.array(z.string()).readonly().describe('What each document is primed as.'),
  expires: z.iso.datetime().nullable().describe('When the documents expire, as ISO 8601; null: never.'),
});

const failureSchema = wireObject({
  chunk: countSchema.describe('The number of the chunk.'),
  attempts: countSchema.describe('How often it has failed with an error, as far as was counted.'),
  code: z.string().describe('The last error’s code.'),
  message: z.string().describe('The last error.'),
  host: z.string().describe('The machine where it was.'),
});

export const fleetWorkSchema = wireObject({
  catalogue: catalogueSchema,
  plan: planSchema,
  chunk: countSchema.describe('The number of the chunk.'),
  new: z.boolean().describe('Whether it was primed now; otherwise it was done before.'),
  shard: z.string().nullable().describe('SHA-256 of the shard; null where nothing was packed.'),
  documents: countSchema.describe('Documents in the shard.'),
  removed: countSchema.describe('Documents of the parent that the shard takes out.'),
  rejected: countSchema.describe('Rows that could not be primed.'),
  seconds: measuredSchema.describe('Seconds that it took, whoever did it.'),
});

export const fleetFinishSchema = wireObject({
  catalogue: catalogueSchema,
  plan: planSchema,
  generation: z.string().describe('The generation that was published; the parent where nothing differs.'),
  new: z.boolean().describe('Whether it was published now.'),
  documents: countSchema.describe('Documents of the generation, all layers together.'),
  packed: countSchema.describe('Documents in the last layer.'),
  removed: countSchema.describe('Documents of the parent that the last layer takes out.'),
  replaced: countSchema.describe('Rows left out, since a later one has the same id.'),
  rejected: countSchema.describe('Rows that could not be primed.'),
  takenDown: countSchema.describe('Documents that are taken down, and were not packed.'),
  workers: countSchema.describe('Processes that worked.'),
  cpus: z.array(z.string()).readonly().describe('Their processors, each once.'),
  alias: z.string().nullable().describe('The alias that names it now, where that was asked for.'),
});

const queueCounts = {
  waiting: countSchema.describe('Chunks that wait.'),
  active: countSchema.describe('Chunks that are worked on.'),
  delayed: countSchema.describe('Chunks that have failed and are tried again after a pause.'),
  dead: z
    .array(
      wireObject({
        chunk: countSchema.describe('The number of the chunk.'),
        reason: z.string().describe('Why it failed at last.'),
      }),
    )
    .readonly()
    .describe('Chunks that have failed too often.'),
};

export const fleetQueueSchema = wireObject({
  catalogue: catalogueSchema,
  plan: planSchema,
  queue: z.string().describe('The server, without password.'),
  added: countSchema.describe('Chunks that were put into the queue now.'),
  ...queueCounts,
});

export const fleetStatusSchema = wireObject({
  catalogue: catalogueSchema,
  plan: planSchema,
  chunks: countSchema.describe('Chunks.'),
  done: countSchema.describe('Chunks that are done.'),
  missing: z.array(countSchema).readonly().describe('The numbers of the others.'),
  rows: countSchema.describe('Rows of all chunks.'),
  rowsDone: countSchema.describe('Rows of chunks that are done.'),
  rejected: countSchema.describe('Rows that could not be primed.'),
  failures: z.array(failureSchema).readonly().describe('What went wrong with chunks that are not done.'),
  workers: z
    .array(
      wireObject({
        host: z.string().describe('The machine.'),
        process: countSchema.describe('The number of the process.'),
        chunks: countSchema.describe('Chunks that it has done.'),
        rows: countSchema.describe('Rows of these.'),
        seconds: measuredSchema.describe('Seconds that it has worked on these.'),
      }),
    )
    .readonly()
    .describe('Who has worked.'),
  cpus: z.array(z.string()).readonly().describe('Their processors, each once.'),
  queue: wireObject(queueCounts).nullable().describe('What the queue says; null where none was named.'),
  generation: z.string().nullable().describe('The generation, once it is published.'),
});

export const fleetDropSchema = wireObject({
  catalogue: catalogueSchema,
  plan: z.string().describe('The id of the plan that is gone.'),
});
