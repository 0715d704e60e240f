/** Numbers as JSON has them, and statistics made of them. */
import { z } from 'zod';
import { wireObject } from './case.js';

export const countSchema = z.int().nonnegative();

/** The codec of a measured number. JSON has no NaN and no infinity, so null is written, as for the median of nothing. */
export const measuredSchema = z.codec(z.number().nullable(), z.custom<number>(), {
  decode: (value) => value ?? Number.NaN,
  encode: (value) => (Number.isFinite(value) ? value : null),
});

export const estimateSchema = wireObject({
  value: z.number().nullable().describe('The number; null where it is undefined.'),
  low: z.number().nullable().describe('Lower end of the 95% interval.'),
  high: z.number().nullable().describe('Upper end of the 95% interval.'),
}).meta({ id: 'estimate' });

export const ratioSchema = wireObject({
  value: z.number().nullable().describe('The number; null where it is undefined.'),
  low: z.number().nullable().describe('Lower end of the 95% set.'),
  high: z.number().nullable().describe('Upper end of the 95% set.'),
  shape: z
    .enum(['interval', 'outside', 'all'])
    .optional()
    .describe('What the set is: what lies between its ends, all but that, or every number.'),
}).meta({ id: 'ratio' });

export const gainSchema = wireObject({
  mean: estimateSchema.describe(
    'Mean of the differences; positive when the treatment is better. No interval with fewer than six.',
  ),
  median: measuredSchema.describe('Median of the differences.'),
  trimmedMean: estimateSchema.describe('Mean of the differences without the lowest and the highest fifth.'),
  robustD: estimateSchema.describe('.642 times the trimmed mean over the winsorised standard deviation.'),
  d: estimateSchema.describe('Cohen’s d of the differences; its interval is nominal, for normal data.'),
  win: estimateSchema.describe('Share of differences above 0, with Wilson’s interval.'),
  ties: measuredSchema.describe('Share of differences that are 0.'),
  topShare: z
    .number()
    .nullable()
    .describe('Share of the sum of differences in the 25 that are farthest from 0; null of no more than these.'),
  effectiveSamples: z
    .number()
    .describe('The number of independent queries that would determine the mean as precisely.'),
  p: wireObject({
    mean: z
      .number()
      .nullable()
      .describe('P of a mean of 0, of the test that its interval belongs to; null with fewer than six queries.'),
    t: z.number().nullable().describe('P of the t-test.'),
    wilcoxon: z.number().describe('P of Wilcoxon’s signed ranks.'),
    signFlip: z.number().describe('P of random signs, which asks whether the two are exchangeable.'),
  }).describe('P-values, two-sided and uncorrected.'),
}).meta({ id: 'gain' });
