/** NLLs of targets given documents: what `dkv score` reads and answers, a line each. */
import { isLosslessNumber, type LosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { shortestFloat32 } from '../base/float32.js';
import { visibilitySchema } from '../priming/input.js';
import { wireObject } from './case.js';

const idSchema = z
  .union([z.string(), z.number(), z.custom<LosslessNumber>(isLosslessNumber)])
  .describe('The caller’s own name of the line: text or a number, which comes back as it was written.');

export const scoreLineSchema = wireObject({
  id: idSchema.optional(),
  document: z.string().describe('What the encoder reads.'),
  prefix: z.string().optional().describe('The text before the document in the encoder.'),
  visibility: visibilitySchema
    .optional()
    .describe('Which rows the decoder sees: `exact`, the document alone, when left out.'),
  query: z.string().optional().describe('The text before the target in the decoder; it is not scored.'),
  target: z.string().describe('What is scored.'),
});

export type ScoreLine = z.output<typeof scoreLineSchema>;

/** Float32 numbers, each with the nine digits that identify it. */
export const float32Schema = z.codec(z.array(z.number()), z.custom<Float32Array>(), {
  decode: (numbers) => Float32Array.from(numbers),
  encode: (numbers) => Array.from(numbers, shortestFloat32),
});

const count = z.int().nonnegative();

const scoredShape = {
  nll: z.number().describe('Mean NLL over the target’s tokens, in nats.'),
  nllSum: z.number().describe('Sum of the NLLs of the target’s tokens.'),
  numTokens: count.describe('Tokens of the target.'),
  tokenNlls: float32Schema.describe('NLL of each token: float32 numbers in nine digits.'),
  prefixTokens: count.describe('Tokens of the prefix.'),
  documentTokens: count.describe('Tokens of the document that the encoder read.'),
  cut: z.boolean().describe('The document was cut at its end to keep to the maximum length.'),
};

/** How surprising a target is given a text: the same fields in answers and in a run’s journal. */
export const scoredSchema = wireObject(scoredShape);

export type Scored = z.output<typeof scoredSchema>;

export const scoreAnswerSchema = wireObject({ id: idSchema.optional(), ...scoredShape });

export type ScoreAnswer = z.output<typeof scoreAnswerSchema>;

export const scoreRefusalSchema = wireObject({
  id: idSchema.optional(),
  line: z.int().positive().describe('The line’s number in the input, from 1.'),
  error: wireObject({
    code: z.string().describe('One of the error codes.'),
    message: z.string().describe('What was found, what was expected and what to do.'),
  }).describe('Why the line has no score.'),
});

export type ScoreRefusal = z.output<typeof scoreRefusalSchema>;
