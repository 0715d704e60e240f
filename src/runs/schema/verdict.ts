/** What a summary says of the mechanism of a gain. */
import { z } from 'zod';
import type { Estimate } from '../../stats/gains.js';
import { STATES, STEPS, VERDICTS } from '../../stats/mechanism.js';

const simultaneousSchema = z
  .strictObject({
    value: z.number().nullable().describe('The number; null where it is undefined.'),
    low: z.number().nullable().describe('Lower end of the interval; null with too few clusters.'),
    high: z.number().nullable().describe('Upper end of the interval.'),
  })
  .meta({ id: 'simultaneous estimate' }) satisfies z.ZodType<Estimate>;

export const verdictRecordSchema = z.strictObject({
  title: z.string().describe('The group of contrasts that the verdict is on.'),
  together: z.string().describe('What its experiment calls the groups whose intervals hold together.'),
  verdict: z.enum(VERDICTS).describe('The reading: what the gain is made of.'),
  open: z.array(z.enum(STEPS)).readonly().describe('Of an undecided one the steps that it waits for.'),
  absent: z.array(z.enum(STEPS)).readonly().describe('Steps that cannot be taken with this model, or are not asked.'),
  total: z
    .number()
    .describe(
      'The gain that is taken apart, in nats a token: of the earlier run that `margin_from` names, or of a fifth of the clusters, which the intervals leave out.',
    ),
  margin: z
    .number()
    .describe('An effect that is shown to be smaller is none: the larger of .05 nats and a fifth of the total.'),
  samples: z
    .number()
    .int()
    .nonnegative()
    .describe('Samples of the intervals: all, or without an earlier run those of the other clusters.'),
  critical: z
    .number()
    .nullable()
    .describe('So many standard errors reach from a mean to the ends of its interval; null with too few clusters.'),
  error_needed: z
    .number()
    .nullable()
    .describe('Standard error with which an effect of 0 is shown to be none in 80% of cases.'),
  steps: z
    .array(
      z.strictObject({
        name: z.enum(STEPS).describe('The contrast’s name.'),
        state: z
          .enum(STATES)
          .describe(
            '`nil`: within the margin, by mean and trimmed mean; `open`: not shown to be anything, or the two do not agree.',
          ),
        mean: simultaneousSchema.describe('Mean, with its simultaneous 99% interval.'),
        trimmed_mean: simultaneousSchema.describe('Trimmed mean, with its own.'),
        standard_error: z.number().nullable().describe('Of the mean, cluster-robust.'),
      }),
    )
    .readonly()
    .describe('The steps that the total is taken apart into.'),
});

export type VerdictRecord = z.infer<typeof verdictRecordSchema>;
