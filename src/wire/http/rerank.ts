/**
 * `POST /v1/rerank` in two dialects: a body with `documents` is Cohere's and Jina's, with fields of ours beside theirs; one with `texts` is that of
 * text-embeddings-inference, with its answer.
 */
import { z } from 'zod';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';
import { objectiveSchema } from '../ranking.js';
import { documentIdSchema, requestShape, spokenSchema, textSchema, variantSchema } from './common.js';

const scalarSchema = z.union([z.string().max(4096), z.number(), z.boolean(), z.null()]);

const boundSchema = z.union([z.string().max(4096), z.number()]);

/** What a field of a document must be. */
const conditionSchema = z.union([
  scalarSchema.describe('The value itself; of a list, one of its members.'),
  z.array(scalarSchema).min(1).max(1000).readonly().describe('One of these.'),
  z
    .strictObject({
      gte: boundSchema.exactOptional().describe('At least this number, or this text in the order of its code units.'),
      lte: boundSchema.exactOptional().describe('At most this.'),
      gt: boundSchema.exactOptional().describe('More than this.'),
      lt: boundSchema.exactOptional().describe('Less than this.'),
      ne: scalarSchema.exactOptional().describe('Anything but this; a field that is not there is.'),
      exists: z.boolean().exactOptional().describe('The field is there, or is not.'),
    })
    .describe('All of these.'),
]);

export type FilterCondition = z.output<typeof conditionSchema>;

const filterSchema = z
  .record(z.string().min(1).max(256), conditionSchema)
  .describe('Conditions on the fields of stored documents, by the field’s path (`price`, `shop.city`); all must hold.');

const firstStageScore = z
  .number()
  .optional()
  .describe('The score that an earlier stage gave the document; higher is better.');

export const FALLBACKS = ['first_stage', 'prior', 'bm25', 'none'] as const;

export const rerankRequestSchema = wireObject({
  ...requestShape,
  query: spokenSchema.describe('What the documents are ranked by.'),
  documents: z
    .array(
      z.union([
        textSchema.describe('A text, which is encoded now.'),
        wireObject({ id: documentIdSchema, firstStageScore }).describe('A primed document.'),
        wireObject({ text: textSchema.describe('A text, which is encoded now.'), firstStageScore }),
      ]),
    )
    .min(1)
    .readonly()
    .describe('The candidates: texts, primed documents, or both.'),
  topN: z.int().positive().optional().describe('How many results to answer with; all by default.'),
  returnDocuments: z.boolean().default(false).describe('Show the documents’ texts.'),
  maxTokensPerDoc: z
    .int()
    .positive()
    .optional()
    .describe('Texts are cut to so many tokens. Stored documents are read as they were primed.'),
  variant: variantSchema.optional(),
  objective: objectiveSchema.optional().describe('What is scored; `query-likelihood` by default.'),
  answer: spokenSchema.optional().describe('For the objective `answer-likelihood`: the answer that is scored.'),
  relevance: wireObject({
    relevantToken: spokenSchema.describe('The decoder’s first word for a relevant document.'),
    irrelevantToken: spokenSchema.optional().describe('Its first word for another one: scores are odds of the two.'),
    prompt: spokenSchema.optional().describe('What the decoder reads before that word, with `{query}` in it.'),
  })
    .optional()
    .describe('For the objective `relevance`.'),
  prior: z.boolean().default(false).describe('Add each document’s prior to its score.'),
  interpolate: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('The first stage’s weight in the order; every document then needs its `first_stage_score`.'),
  filter: filterSchema.optional(),
  fallback: z
    .enum(FALLBACKS)
    .optional()
    .describe(
      'The order where the model’s cannot be had in time: `first_stage` by default where every document has its score, else `none`.',
    ),
  unit: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('Whoever is assigned to an arm of an experiment, such as a visitor. It is never logged as it is.'),
  priority: z.int().min(0).max(999).optional().describe('Cohere’s: 0 by default; above it work is done as bulk.'),
  rankFields: z
    .array(z.literal('text'))
    .readonly()
    .optional()
    .describe('Cohere’s version 1: the text is all that is ranked by.'),
  maxChunksPerDoc: z.int().positive().optional().describe('Cohere’s version 1: documents are read whole.'),
});

export type RerankRequest = z.output<typeof rerankRequestSchema>;

const DIRECTIONS = ['left', 'right', 'Left', 'Right'] as const;

export const rerankTextsRequestSchema = wireObject({
  query: spokenSchema.describe('What the texts are ranked by.'),
  texts: z.array(textSchema).min(1).readonly().describe('The candidates.'),
  rawScores: z.boolean().default(false).describe('Give the scores themselves, and no probabilities.'),
  returnText: z.boolean().default(false).describe('Show the texts.'),
  truncate: z
    .boolean()
    .nullish()
    .describe('False refuses texts that are too long; otherwise they are cut at their end.'),
  truncationDirection: z
    .enum(DIRECTIONS)
    .optional()
    .describe('`right`, the text’s end. `left` is refused where a text would have to be cut.'),
});

export type RerankTextsRequest = z.output<typeof rerankTextsRequestSchema>;

export const anyRerankRequestSchema = z.union([rerankRequestSchema, rerankTextsRequestSchema]);

const resultSchema = wireObject({
  index: countSchema.describe('The document’s place in the request.'),
  relevanceScore: z.number().min(0).max(1).describe('How relevant, in [0, 1]; what it is of says `ordered_by`.'),
  nll: z.number().nullable().describe('Mean NLL over the target’s tokens, in nats; null of odds, and without a score.'),
  score: z.number().describe('What results are ordered by; higher is better.'),
  document: wireObject({
    id: z.string().optional().describe('Its id.'),
    text: z.string().optional().describe('Its text; absent where the store does not keep it.'),
  })
    .optional()
    .describe('With `return_documents`.'),
});

export const ORDERS = ['model', 'model_and_prior', 'model_and_first_stage', 'first_stage', 'prior', 'bm25'] as const;

export const rerankResponseSchema = wireObject({
  id: z.string().describe('The request’s id.'),
  decisionId: z.string().describe('The id that outcomes are joined by.'),
  model: z.string().describe('The model’s name.'),
  results: z.array(resultSchema).readonly().describe('The best first; equal scores in the order of the request.'),
  calibrated: z
    .boolean()
    .describe(
      '`relevance_score` is by the store’s calibration of exactly this scoring; else what the score says itself.',
    ),
  orderedBy: z
    .enum(ORDERS)
    .describe(
      'What `score` is. `relevance_score` descends with it, except where `model_and_prior` or `model_and_first_stage` is not calibrated: it is the model’s own there. Of a fallback it is `score` between the lowest, 0, and the highest, 1.',
    ),
  degraded: z.literal(true).optional().describe('The order is the fallback’s.'),
  reason: z.string().optional().describe('The code of the error for which it is.'),
  leftOut: z
    .array(
      wireObject({
        index: countSchema.describe('The document’s place in the request.'),
        id: z.string().optional().describe('Its id.'),
        code: z.string().describe('One of the error codes.'),
        message: z.string().describe('Why it is left out.'),
      }),
    )
    .readonly()
    .describe('Candidates without a result.'),
  usage: wireObject({ totalTokens: countSchema.describe('Tokens that encoder and decoder have read.') }),
  meta: wireObject({
    apiVersion: wireObject({ version: z.string().describe('Cohere’s version, by the address.') }),
    billedUnits: wireObject({ searchUnits: countSchema.describe('Always 1: one query.') }),
  }).describe('What Cohere’s clients look for.'),
});

export type RerankResponse = z.output<typeof rerankResponseSchema>;

export const rerankTextsResponseSchema = z
  .array(
    wireObject({
      index: countSchema.describe('The text’s place in the request.'),
      score: z.number().describe('A probability, or with `raw_scores` the score itself.'),
      text: z.string().optional().describe('With `return_text`.'),
    }),
  )
  .readonly();

export type RerankTextsResponse = z.output<typeof rerankTextsResponseSchema>;

export const anyRerankResponseSchema = z.union([rerankResponseSchema, rerankTextsResponseSchema]);
