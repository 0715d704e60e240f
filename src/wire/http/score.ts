/** `POST /v1/score`: NLLs of targets given primed documents or texts. */
import { z } from 'zod';
import { visibilitySchema } from '../../priming/input.js';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';
import { float32Schema } from '../score.js';
import { documentIdSchema, errorBodySchema, requestShape, spokenSchema, textSchema, variantSchema } from './common.js';

const itemSchema = wireObject({
  id: z.string().optional().describe('The caller’s own name of the item, which comes back.'),
  document: textSchema.optional().describe('What the encoder reads; or give `document_id`.'),
  documentId: documentIdSchema.optional(),
  variant: variantSchema.optional(),
  prefix: textSchema.optional().describe('The text before `document` in the encoder.'),
  visibility: visibilitySchema.optional().describe('Of `document`: which rows the decoder sees; `exact` by default.'),
  query: spokenSchema.optional().describe('The text before the target in the decoder; it is not scored.'),
  target: spokenSchema.describe('What is scored.'),
});

export type ScoreRequestItem = z.output<typeof itemSchema>;

export const scoreRequestSchema = wireObject({
  ...requestShape,
  items: z.array(itemSchema).min(1).readonly().describe('What is scored, each on its own.'),
});

const scoredItemSchema = wireObject({
  id: z.string().optional().describe('The caller’s name of the item.'),
  nll: z.number().describe('Mean NLL over the target’s tokens, in nats.'),
  nllSum: z.number().describe('Sum of the NLLs of the target’s tokens.'),
  numTokens: countSchema.describe('Tokens of the target.'),
  tokenNlls: float32Schema.describe('NLL of each token: float32 numbers in nine digits.'),
  cache: wireObject({
    hit: z.boolean().describe('The document’s states were stored: no encoder ran.'),
    key: z.string().nullable().describe('The key of the record that was read; null without one.'),
  }),
});

const refusedItemSchema = wireObject({
  id: z.string().optional().describe('The caller’s name of the item.'),
  error: errorBodySchema.in.shape.error.describe('Why the item has no score.'),
});

export const scoreResponseSchema = wireObject({
  model: z.string().describe('The model’s name.'),
  items: z
    .array(z.union([refusedItemSchema, scoredItemSchema]))
    .readonly()
    .describe('For each item its score or its error, in the items’ order.'),
});
