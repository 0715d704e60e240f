/** What a summary says of an experiment on pools. */
import { z } from 'zod';
import { comparisonSchema } from './experiment.js';
import { estimateSchema, gainSchema } from './gains.js';

export const rankingSummarySchema = z.strictObject({
  /** All that are judged. */
  pools: z.number().int(),
  /** Scored ones. */
  candidates: z.number().int(),
  /** Pools without a candidate that could be scored, which count 0; not in summaries of older versions. */
  unranked: z.array(z.string()).readonly().optional(),
  /** Per measure: how many pools have a relevant candidate, so that there is something to find by it. */
  measures: z.array(z.strictObject({ name: z.string(), pools: z.number().int() })).readonly(),
  /** Per condition and measure the mean over these pools, and over all judged ones (null where the measure has no value for the others). */
  conditions: z
    .array(
      z.strictObject({
        name: z.string(),
        means: z.array(estimateSchema).readonly(),
        /** Not in summaries of older versions. */
        judged_means: z.array(z.number().nullable()).readonly().optional(),
      }),
    )
    .readonly(),
  comparisons: z
    .array(
      comparisonSchema.extend({
        /** Per measure: the treatment's value less the baseline's, pool by pool. */
        differences: z.array(gainSchema).readonly(),
        /** Gain of the relevant candidates less that of the others, in nats; null where no pool has both. */
        differential: gainSchema.nullable(),
      }),
    )
    .readonly(),
});

export interface RankingSummary extends z.infer<typeof rankingSummarySchema> {}
