/** Statistics as a summary holds them: those of `stats`, with the names of a file. */
import { z } from 'zod';
import type { Estimate } from '../../stats/gains.js';
import { FEWEST_FOR_TEST } from '../../stats/mean-inference.js';
import type { RatioShape } from '../../stats/ratio.js';

/** A number that may be NaN. JSON has no NaN, so null is written for the median of nothing (say, where no pool has a relevant candidate). */
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

/** An estimate. A number alone, as summaries of older versions have it, is one without an interval. */
const estimateOrNumber = z.union([
  estimateSchema,
  z
    .number()
    .nullable()
    .transform((value): Estimate => ({ value, low: null, high: null })),
]);

export const gainSchema = z
  .strictObject({
    mean: estimateSchema.describe(
      `Mean of the differences; positive when the treatment is better. The interval is that of the test whose p is \`p.mean\`; null ends with fewer than ${FEWEST_FOR_TEST} clusters.`,
    ),
    median: numberOrNaN.describe('Median of the differences.'),
    trimmed_mean: estimateOrNumber.describe(
      'Mean of the differences without the lowest and the highest fifth, with a percentile interval over clusters; a number alone in summaries of older versions.',
    ),
    robust_d: estimateSchema
      .optional()
      .describe(
        '.642 times the trimmed mean over the winsorised standard deviation, with a percentile interval over clusters. This and all that is called optional below: not in summaries of older versions.',
      ),
    capped: estimateSchema
      .optional()
      .describe(
        'Mean of the differences of NLLs of which no token counts more than the logarithm of the vocabulary’s size; absent where that size is not known.',
      ),
    above_cap: z
      .number()
      .nullable()
      .optional()
      .describe('Share of samples whose baseline NLL per token is above that logarithm.'),
    d: estimateSchema.describe(
      'Cohen’s d of the differences; its interval is nominal: for normal data, without clusters.',
    ),
    d_analytic: estimateSchema
      .optional()
      .describe('In summaries of older versions: d with that interval, where `d` has a bootstrap’s.'),
    win: estimateSchema.describe(
      'Share of differences above 0, with Wilson’s interval at the effective number of samples.',
    ),
    ties: numberOrNaN.optional().describe('Share of differences that are 0.'),
    top_share: z
      .number()
      .nullable()
      .optional()
      .describe('Share of the sum of differences in the 25 that are farthest from 0; null of no more than these.'),
    effective_samples: z
      .number()
      .optional()
      .describe(
        'The number of independent samples that would determine the mean as precisely: samples over the design effect.',
      ),
    p: z
      .strictObject({
        mean: z
          .number()
          .nullable()
          .optional()
          .describe('P of a mean of 0, by clusters; null with too few of them, or where nothing varies.'),
        t: z.number().nullable().describe('P of the t-test, which takes no account of clusters.'),
        wilcoxon: z.number().describe('P of Wilcoxon’s signed ranks, which take no account of clusters.'),
        sign_flip: z.number().describe('P of random signs, which asks whether the two arms are exchangeable.'),
      })
      .describe('P-values, two-sided and uncorrected.'),
  })
  .meta({ id: 'gain in a run' });

export interface GainRecord extends z.infer<typeof gainSchema> {}

export const correctedSchema = z.strictObject({
  family_size: z.number().int().describe('Number of p-values in the family.'),
  bonferroni: z.number().nullable().describe('P corrected by Bonferroni.'),
  holm: z.number().nullable().describe('P corrected by Holm.'),
  bh: z.number().nullable().describe('P corrected by Benjamini and Hochberg.'),
});

const SHAPES = ['interval', 'outside', 'all'] as const satisfies readonly RatioShape[];

/** The fields of a `Share` of `stats`, as members of the gain that is a share of another. */
export const SHARE = {
  share: estimateSchema
    .extend({
      shape: z
        .enum(SHAPES)
        .optional()
        .describe(
          'What Fieller’s set is: the interval between the ends; all but what lies between them (`outside`); every number (`all`). Absent in summaries of older versions, whose intervals are of a bootstrap.',
        ),
    })
    .meta({ id: 'share' })
    .describe('Ratio of means, with Fieller’s set; null where there is no whole.'),
  share_trimmed: estimateSchema
    .optional()
    .describe('Ratio of trimmed means; null where the whole is not distinguishably above 0.'),
  share_fieller: estimateSchema
    .optional()
    .describe('In summaries of older versions: the share with Fieller’s interval, where `share` has a bootstrap’s.'),
};
