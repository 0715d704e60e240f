/** Aliases of a catalogue: which generation is served. */
import { z } from 'zod';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';

export const aliasParamsSchema = wireObject({
  name: z.string().min(1).max(64).describe('The alias; another one than the one that is served is only written down.'),
});

export const activationRequestSchema = wireObject({
  generation: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('The generation: its id, the beginning of it, or another alias.'),
  rollback: z.literal(true).optional().describe('Instead: the generation that the alias named before.'),
  reason: z.string().max(2000).optional().describe('Why, for the audit.'),
  model: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('Where the generation is of another model: what to load. The model that the generation names.'),
});

export const activationSchema = wireObject({
  alias: z.string().describe('The alias.'),
  generation: z.string().describe('The generation that it names now.'),
  before: z.string().nullable().describe('The generation that it named before; null for a new alias.'),
  since: z.string().describe('Since when, as ISO 8601.'),
  served: z.boolean().describe('It is the alias whose generation this server serves.'),
});

export const aliasesSchema = wireObject({
  servedAlias: z.string().nullable().describe('The alias whose generation is served; null where one generation is.'),
  servedGeneration: z.string().nullable().describe('The generation that is served.'),
  problem: z.string().nullable().describe('Why what the alias names is not served; null where it is.'),
  aliases: z
    .array(
      wireObject({
        name: z.string().describe('The alias.'),
        generation: z.string().describe('The generation that it names.'),
        since: z.string().describe('Since when, as ISO 8601.'),
        earlier: z.array(z.string()).readonly().describe('What it named before, the latest first.'),
      }),
    )
    .readonly(),
  generations: z
    .array(
      wireObject({
        id: z.string().describe('The generation.'),
        documents: countSchema.nullable().describe('Its documents; null where it cannot be read.'),
        model: z.string().nullable().describe('The name of its model, where it says that.'),
        fingerprint: z.string().nullable().describe('Digest of everything that decides its numbers.'),
      }),
    )
    .readonly()
    .describe('Published generations, the oldest first.'),
});
