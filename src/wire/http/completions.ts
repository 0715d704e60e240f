/** `POST /v1/completions`: OpenAI's legacy form, with a document that the encoder has read. */
import { z } from 'zod';
import { visibilitySchema } from '../../priming/input.js';
import { wireObject } from '../case.js';
import { countSchema } from '../numbers.js';
import { documentIdSchema, requestShape, spokenSchema, textSchema, variantSchema } from './common.js';

const stopSchema = spokenSchema.min(1);

export const completionRequestSchema = wireObject({
  ...requestShape,
  document: textSchema.optional().describe('What the encoder reads; or give `document_id`.'),
  documentId: documentIdSchema.optional(),
  variant: variantSchema.optional(),
  prefix: textSchema.optional().describe('The text before `document` in the encoder.'),
  visibility: visibilitySchema.optional().describe('Of `document`: which rows the decoder sees; `exact` by default.'),
  prompt: z
    .union([spokenSchema, z.array(spokenSchema).length(1)], { error: 'expected a string, or a list of one string' })
    .nullish()
    .describe(
      'The text in the decoder that the completion goes on with: a string, or a list of one; empty by default.',
    ),
  maxTokens: z
    .int()
    .min(0)
    .nullish()
    .describe('Most tokens of the completion, 16 by default; 0 is for `echo`, which then only looks at the prompt.'),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .describe('Sampling temperature, 1 by default; 0 takes the likeliest.'),
  topP: z.number().gt(0).max(1).nullish().describe('Share of the probability that is drawn from; 1 by default.'),
  seed: z.int().nullish().describe('The same seed draws the same tokens; another one for each request by default.'),
  stop: z
    .union([stopSchema, z.array(stopSchema).max(4)], {
      error: 'expected a string, or a list of up to four, none of them empty',
    })
    .nullish()
    .describe('Up to four strings of which the first to appear ends the completion, which is cut before it.'),
  stream: z.boolean().nullish().describe('Answer by server-sent events, the completion in parts.'),
  streamOptions: wireObject({
    includeUsage: z.boolean().nullish().describe('Send a last part with `usage`.'),
  })
    .nullish()
    .describe('Of `stream`.'),
  logprobs: z
    .number()
    .nullish()
    .describe('0 or 1 for the log probability of each token; alternatives are not computed, so more is refused.'),
  echo: z.boolean().nullish().describe('Put the prompt before the completion, its log probabilities too.'),
  n: z.number().nullish().describe('1 only.'),
  bestOf: z.number().nullish().describe('1 only.'),
  suffix: z.string().nullish().describe('Not supported.'),
  logitBias: z.record(z.string(), z.number()).nullish().describe('Not supported.'),
  presencePenalty: z.number().nullish().describe('0 only.'),
  frequencyPenalty: z.number().nullish().describe('0 only.'),
  user: z.string().nullish().describe('Not looked at.'),
});

export type CompletionRequest = z.output<typeof completionRequestSchema>;

const usageSchema = wireObject({
  promptTokens: countSchema.describe('Tokens of the prompt.'),
  completionTokens: countSchema.describe('Tokens that were written, those of a stop string included.'),
  totalTokens: countSchema.describe('The sum.'),
});

const logprobsSchema = wireObject({
  tokens: z
    .array(z.string())
    .readonly()
    .describe('The text that each token adds; empty for one that ends within a character, or in a stop string.'),
  tokenLogprobs: z.array(z.number()).readonly().describe('The natural logarithm of each token’s probability.'),
  topLogprobs: z.null().describe('Always null: alternatives are not computed.'),
  textOffset: z
    .array(z.number())
    .readonly()
    .describe('The place of each token in the text, in characters (code points).'),
});

const choiceSchema = wireObject({
  index: z.literal(0),
  text: z.string().describe('The completion, or in a stream its next part.'),
  logprobs: logprobsSchema.nullable().describe('Null unless `logprobs` was given.'),
  finishReason: z
    .enum(['stop', 'length'])
    .nullable()
    .describe(
      '`stop` for the model’s end or a stop string, `length` for `max_tokens`; null before a stream’s last part.',
    ),
});

export const completionResponseSchema = wireObject({
  id: z.string().describe('The id of the answer.'),
  object: z.literal('text_completion'),
  created: z.number().describe('Seconds since 1970.'),
  model: z.string().describe('The model’s name.'),
  choices: z.array(choiceSchema).readonly().describe('One; none in the part of a stream that has `usage`.'),
  usage: usageSchema.nullable().optional().describe('Tokens read and written.'),
});

export type CompletionResponse = z.output<typeof completionResponseSchema>;
export type CompletionLogprobs = z.output<typeof logprobsSchema>;
