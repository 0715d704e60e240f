/** What workers leave in the catalogue: a report of each chunk that is done, and what went wrong with one that is not. */
import { z } from 'zod';
import { partSchema } from '../store/generations/part.js';

export const reportSchema = z.strictObject({
  chunk: z.int().nonnegative().describe('The number of the chunk.'),
  part: partSchema.describe('The part of the layer that was made of it.'),
  replaced: z.int().nonnegative().describe('Rows left out, since a later one has the same id.'),
  rejected: z
    .array(
      z.strictObject({
        row: z.int().positive().describe('The row’s number in the corpus, from 1.'),
        id: z.string().exactOptional().describe('The document’s id, where the row has one.'),
        reason: z.string().describe('Why it was not primed.'),
      }),
    )
    .describe('Rows that could not be primed.'),
  takenDown: z.int().nonnegative().describe('Documents that are taken down, and were not packed.'),
  kept: z
    .strictObject({
      documents: z.int().nonnegative().describe('How many.'),
      variants: z.array(z.tuple([z.string(), z.int().positive()])).describe('How many of these have each variant.'),
    })
    .describe(
      'Documents that stay as the parent has them, since what they were to become was rejected or is taken down.',
    ),
  cut: z.int().nonnegative().describe('Documents that were cut at their end to keep to the maximum length.'),
  tokens: z.int().nonnegative().describe('Tokens that the encoder read.'),
  encoded: z.int().nonnegative().describe('Passes through the encoder.'),
  worker: z
    .strictObject({
      host: z.string().describe('The name of the machine.'),
      process: z.int().describe('The number of the process.'),
      cpu: z.string().describe('The processor, as the system calls it.'),
      device: z.string().describe('What computed: cpu, cuda, webgpu ...'),
      release: z.string().describe('The release that worked.'),
    })
    .describe('Who worked.'),
  startedAt: z.int().describe('When it began, in milliseconds since 1970, by the worker’s clock.'),
  seconds: z.number().nonnegative().describe('Seconds that it took.'),
});
export type Report = z.infer<typeof reportSchema>;

export const failureSchema = z.strictObject({
  chunk: z.int().nonnegative().describe('The number of the chunk.'),
  attempts: z.int().positive().describe('How often it has failed with an error, as far as was counted.'),
  code: z.string().describe('The last error’s code.'),
  message: z.string().describe('The last error.'),
  host: z.string().describe('The name of the machine where it was.'),
  at: z.int().describe('When, in milliseconds since 1970, by that machine’s clock.'),
});
export type Failure = z.infer<typeof failureSchema>;

export const beginningSchema = z.strictObject({
  madeAt: z
    .int()
    .describe('When the generation was made, in milliseconds since 1970: the first coordinator says it for all.'),
});

export const endSchema = z.strictObject({
  generation: z.string().describe('The generation that was published.'),
  documents: z.int().nonnegative().describe('Its documents.'),
  rejected: z.int().nonnegative().describe('Rows that could not be primed.'),
});
export type End = z.infer<typeof endSchema>;
