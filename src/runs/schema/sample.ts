/** What a run keeps of a sample: what the statistics need to know of it and, unless it is unwanted, its texts for the report. */
import { z } from 'zod';

export const sampleSchema = z.strictObject({
  id: z.string(),
  cluster: z.string().optional(),
  /** Of a candidate: its pool, its name in it, its grade, and the lowest grade that counts as relevant. */
  pool: z.string().optional(),
  candidate: z.string().optional(),
  grade: z.number().optional(),
  relevant: z.number().optional(),
  /** That the texts hold as they are written, such as `<bos>`. */
  control_tokens: z.array(z.string()).optional(),
  /** Absent where texts were not to be kept. */
  texts: z
    .strictObject({
      document: z.string(),
      query: z.string(),
      answer: z.string(),
      /** The scored text, token by token. */
      target: z.array(z.string()),
    })
    .optional(),
});

export type SampleRecord = z.infer<typeof sampleSchema>;
