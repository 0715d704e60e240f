/** Statistics as a summary holds them: those of `stats`, with the names of a file. */
import { z } from 'zod';
import type { Estimate } from '../../stats/gains.js';

/** JSON has no NaN and writes null: of nothing (no pool with a relevant candidate, say) there is no median. */
const numberOrNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

export const estimateSchema = z.strictObject({
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
}) satisfies z.ZodType<Estimate>;

export const gainSchema = z.strictObject({
  mean: estimateSchema,
  median: numberOrNaN,
  trimmed_mean: numberOrNaN,
  d: estimateSchema,
  d_analytic: estimateSchema,
  win: estimateSchema,
  p: z.strictObject({ t: z.number().nullable(), wilcoxon: z.number(), sign_flip: z.number() }),
});

export interface GainRecord extends z.infer<typeof gainSchema> {}

export const correctedSchema = z.strictObject({
  family_size: z.number().int(),
  bonferroni: z.number().nullable(),
  holm: z.number().nullable(),
  bh: z.number().nullable(),
});

/** `Share` of `stats`, as members of what it is a share of. */
export const SHARE = { share: estimateSchema, share_fieller: estimateSchema };
