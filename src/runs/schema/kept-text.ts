/** What a run keeps of a text: the text itself, or what tells it from others. */
import { z } from 'zod';

export const keptTextSchema = z.union([
  z.string(),
  z.strictObject({
    sha256: z.string().describe('SHA-256 of its bytes in UTF-8, in lower-case hexadecimal digits.'),
    bytes: z.number().int().nonnegative().describe('The number of these bytes.'),
  }),
]);

/** A text, or where texts are not kept its digest and length. */
export type KeptText = z.infer<typeof keptTextSchema>;
