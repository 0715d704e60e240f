/**
 * Texts that models wrote for a run's documents, `written.json`, with who wrote them and how. A writer that draws at random writes others the next time: a run
 * goes on with these.
 */
import { z } from 'zod';
import { parseWhole, RECORD_FORMAT } from './format.js';
import { keptTextSchema } from './kept-text.js';
import type { FileContent } from './sealed.js';

export const WRITTEN_FILE = 'written.json';

export const writtenSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT).describe('Version of the file’s form.'),
  writers: z
    .array(
      z.strictObject({
        by: z
          .enum(['llm', 'self'])
          .describe('Which surrogates the texts are for: those by a language model, or `self`.'),
        asked: z.string().nullable().describe('What the surrogate asks for, word for word; null for `self`.'),
        writer: z
          .string()
          .nullable()
          .describe(
            'Who wrote: the model’s name and address, or “self” and the model’s fingerprint; null where it is not known.',
          ),
        prompt: z
          .string()
          .nullable()
          .describe(
            'What the writer was told before it was shown the document’s first 150 words; null for one that was shown the document alone, as the encoder reads it.',
          ),
        sampling: z
          .strictObject({
            max_tokens: z.number().int().positive().describe('The most tokens that a text may have.'),
            temperature: z.number().nonnegative().describe('0: the likeliest token each time.'),
            top_p: z.number().positive().describe('The share of probability that tokens are drawn from.'),
            seed: z.number().int().nullable().describe('Null where the writer takes none.'),
          })
          .nullable()
          .describe('How tokens were chosen; null where it is not known.'),
        texts: z
          .array(
            z.strictObject({
              sample: z.string().describe('The first sample that has the document.'),
              text: keptTextSchema.describe('The text, or where texts are not kept its digest and length.'),
            }),
          )
          .readonly()
          .describe('A text for each document that got one.'),
      }),
    )
    .readonly()
    .describe('One for each writer and what it was asked.'),
});

/** The texts that models wrote for the documents of a run. */
export type Written = z.infer<typeof writtenSchema>;

/**
 * Reads the content of a `written.json`.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming what in it is not as it was written
 */
export function parseWritten(content: FileContent, file: string = WRITTEN_FILE): Written {
  return parseWhole(file, content, writtenSchema, {
    what: 'texts that models wrote for a run',
    advice: 'Bring it back from a copy, or repeat the run in another folder (--out).',
  });
}
