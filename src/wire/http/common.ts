/** What bodies of several routes have in common. */
import { z } from 'zod';
import { wireObject } from '../case.js';

export const errorBodySchema = wireObject({
  error: wireObject({
    code: z.string().describe('One of the error codes.'),
    message: z.string().describe('What was found, what was expected and what to do.'),
  }),
});

export const documentIdSchema = z
  .string()
  .min(1)
  .max(1024)
  .refine((id) => id.isWellFormed() && !id.includes('\0'), {
    error: 'expected an id without NUL and without half of a surrogate pair',
  })
  .describe('The id of a primed document.');

/** A text of a request. It may not hold half of a surrogate pair, which UTF-8 does not have. */
export const textSchema = z
  .string()
  .refine((text) => text.isWellFormed(), { error: 'expected text without half of a surrogate pair' });

/** A text that the decoder reads. What is longer than this has more tokens than any decoder is given, and would hold the server while it is cut into them. */
export const spokenSchema = textSchema.max(50_000);

export const variantSchema = z
  .string()
  .min(1)
  .max(4096)
  .describe('Which of a document’s caches: `bare`, or a surrogate’s specification.');

/** Fields that requests of every kind take. */
export const requestShape = {
  model: z.string().max(1024).optional().describe('The model’s name, or nothing: a server serves one model.'),
  deadlineMs: z
    .number()
    .positive()
    .max(86_400_000)
    .optional()
    .describe('Milliseconds from the request’s arrival. Work that has not begun by then is dropped.'),
  generation: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('The generation to read, where a catalogue is served: its id, or the beginning of it.'),
};
