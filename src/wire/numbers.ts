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
  value: z.number().nullable().describe('Null where it is undefined.'),
  low: z.number().nullable().describe('Lower end of the 95% interval.'),
  high: z.number().nullable().describe('Upper end of the 95% interval.'),
}).meta({ id: 'estimate' });

export const gainSchema = wireObject({
  mean: estimateSchema.describe('Mean of the differences; positive when the treatment is better.'),
  median: measuredSchema.describe('Their median.'),
  trimmedMean: measuredSchema.describe('Their mean without the lowest and the highest fifth.'),
  d: estimateSchema.describe('Cohen’s d of the differences.'),
  dAnalytic: estimateSchema.describe('The same with the interval of its large-sample standard error.'),
  win: estimateSchema.describe('Share of differences above 0, with Wilson’s interval.'),
  p: wireObject({
    t: z.number().nullable().describe('Of the t-test.'),
    wilcoxon: z.number().describe('Of Wilcoxon’s signed ranks.'),
    signFlip: z.number().describe('Of random signs.'),
  }).describe('Two-sided, uncorrected.'),
}).meta({ id: 'gain' });
