/** Statistics as a summary holds them: those of `stats`, with the names of a file. */
import { z } from 'zod';
import type { Estimate } from '../../stats/gains.js';

/** JSON has no NaN and writes null: of nothing (no pool with a relevant candidate, say) there is no median. */
const numberOrNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

export const estimateSchema = z
  .strictObject({
    value: z.number().nullable().describe('The number; null where it is undefined.'),
    low: z.number().nullable().describe('Lower end of the 95% interval.'),
    high: z.number().nullable().describe('Upper end of the 95% interval.'),
  })
  .meta({ id: 'estimate' }) satisfies z.ZodType<Estimate>;

export const gainSchema = z
  .strictObject({
    mean: estimateSchema.describe('Mean of the differences; positive when the treatment is better.'),
    median: numberOrNaN.describe('Median of the differences.'),
    trimmed_mean: numberOrNaN.describe('Mean of the differences without the lowest and the highest fifth.'),
    d: estimateSchema.describe('Cohen’s d of the differences.'),
    d_analytic: estimateSchema.describe('Cohen’s d with the interval of its large-sample standard error.'),
    win: estimateSchema.describe('Share of differences above 0, with Wilson’s interval.'),
    p: z
      .strictObject({
        t: z.number().nullable().describe('P of the t-test.'),
        wilcoxon: z.number().describe('P of Wilcoxon’s signed ranks.'),
        sign_flip: z.number().describe('P of random signs.'),
      })
      .describe('P-values, two-sided and uncorrected.'),
  })
  .meta({ id: 'gain' });

export interface GainRecord extends z.infer<typeof gainSchema> {}

export const correctedSchema = z.strictObject({
  family_size: z.number().int().describe('Number of p-values in the family.'),
  bonferroni: z.number().nullable().describe('P corrected by Bonferroni.'),
  holm: z.number().nullable().describe('P corrected by Holm.'),
  bh: z.number().nullable().describe('P corrected by Benjamini and Hochberg.'),
});

/** `Share` of `stats`, as members of what it is a share of. */
export const SHARE = {
  share: estimateSchema.describe('Ratio of means; null where the whole is not distinguishable from 0.'),
  share_fieller: estimateSchema.describe('The share with Fieller’s interval.'),
};
