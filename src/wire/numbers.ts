/** Numbers as JSON has them, and statistics made of them. */
import { z } from 'zod';
import { wireObject } from './case.js';

export const countSchema = z.int().nonnegative();

/** JSON has no NaN and no infinity: of nothing there is no median, and null is written. */
export const measuredSchema = z.codec(z.number().nullable(), z.custom<number>(), {
  decode: (value) => value ?? Number.NaN,
  encode: (value) => (Number.isFinite(value) ? value : null),
});

export const estimateSchema = wireObject({
  value: z.number().nullable().describe('The number; null where it is undefined.'),
  low: z.number().nullable().describe('Lower end of the 95% interval.'),
  high: z.number().nullable().describe('Upper end of the 95% interval.'),
}).meta({ id: 'estimate' });

export const gainSchema = wireObject({
  mean: estimateSchema.describe('Mean of the differences; positive when the treatment is better.'),
  median: measuredSchema.describe('Median of the differences.'),
  trimmedMean: measuredSchema.describe('Mean of the differences without the lowest and the highest fifth.'),
  d: estimateSchema.describe('Cohen’s d of the differences.'),
  dAnalytic: estimateSchema.describe('Cohen’s d with the interval of its large-sample standard error.'),
  win: estimateSchema.describe('Share of differences above 0, with Wilson’s interval.'),
  p: wireObject({
    t: z.number().nullable().describe('P of the t-test.'),
    wilcoxon: z.number().describe('P of Wilcoxon’s signed ranks.'),
    signFlip: z.number().describe('P of random signs.'),
  }).describe('P-values, two-sided and uncorrected.'),
}).meta({ id: 'gain' });
