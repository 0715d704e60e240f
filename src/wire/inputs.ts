/** JSON lines that commands read beside those of `dkv score`. What a line says besides is allowed; of documents it is kept. */
import { isLosslessNumber, type LosslessNumber } from 'lossless-json';
import { z } from 'zod';

const idSchema = z
  .union([z.string(), z.int(), z.custom<LosslessNumber>(isLosslessNumber)])
  .optional()
  .describe('A unique id: text, or a whole number of any size. `_id` or `id` must be there.');

export const documentInputSchema = z.looseObject({
  id: idSchema,
  _id: idSchema,
  text: z.string().optional().describe('The text to encode. `text` or `document` must be there.'),
  document: z.string().optional().describe('The text to encode, under another name.'),
  title: z.string().nullish().describe('The document’s title, where it has one.'),
});

export const queryInputSchema = z.looseObject({
  _id: idSchema,
  id: idSchema,
  text: z.string().describe('The query’s text.'),
  answer: z.string().nullish().describe('The query’s answer, which `--objective answer-likelihood` scores.'),
});

export const referenceQueryInputSchema = z.looseObject({
  text: z.string().nullish().describe('A query. `text` or `query` has to be there.'),
  query: z.unknown().optional().describe('The query, in lines without `text`.'),
});
