/** What a summary says of an experiment on pools. */
import { z } from 'zod';
import { comparisonSchema } from './experiment.js';
import { estimateSchema, gainSchema } from './gains.js';

export const rankingSummarySchema = z.strictObject({
  pools: z.number().int().describe('All that are judged.'),
  candidates: z.number().int().describe('Candidates that were scored.'),
  unranked: z
    .array(z.string())
    .readonly()
    .optional()
    .describe('Pools without a candidate that could be scored, which count 0; not in summaries of older versions.'),
  measures: z
    .array(
      z.strictObject({
        name: z.string().describe('The measure’s name, as in ir_measures.'),
        pools: z.number().int().describe('Pools that have a relevant candidate.'),
      }),
    )
    .readonly()
    .describe('Per measure: how many pools have a relevant candidate, so that there is something to find by it.'),
  conditions: z
    .array(
      z.strictObject({
        name: z.string().describe('The condition’s name.'),
        means: z.array(estimateSchema).readonly().describe('Means over these pools, in the order of the measures.'),
        judged_means: z
          .array(z.number().nullable())
          .readonly()
          .optional()
          .describe('Not in summaries of older versions.'),
      }),
    )
    .readonly()
    .describe(
      'Per condition and measure the mean over these pools, and over all judged ones (null where the measure has no value for the others).',
    ),
  comparisons: z
    .array(
      comparisonSchema.omit({ otherwise: true }).extend({
        differences: z
          .array(gainSchema)
          .readonly()
          .describe('Per measure: the treatment’s value less the baseline’s, pool by pool.'),
        differential: gainSchema
          .nullable()
          .describe('Gain of the relevant candidates less that of the others, in nats; null where no pool has both.'),
      }),
    )
    .readonly()
    .describe('Treatments against baselines.'),
});

export interface RankingSummary extends z.infer<typeof rankingSummarySchema> {}
