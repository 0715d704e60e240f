/** What a summary says of an experiment on pools. */
import { z } from 'zod';
import { comparisonSchema } from './experiment.js';
import { correctedSchema, estimateSchema, gainSchema } from './gains.js';

const screeningSummarySchema = z.strictObject({
  condition: z.string().describe('The condition that is screened: the bare document.'),
  measure: z.string().describe('The measure.'),
  least: z.number().describe('Its mean must be so large.'),
  pools: z.number().int().describe('Of the first pools, those that the measure has a value for.'),
  mean: z.number().nullable().describe('The measure’s mean over them; null without any.'),
  passed: z
    .boolean()
    .nullable()
    .describe('Whether the mean is large enough; null where the run has fewer pools than are screened.'),
});

export type ScreeningSummary = z.infer<typeof screeningSummarySchema>;

export const rankingSummarySchema = z.strictObject({
  pools: z.number().int().describe('The number of judged pools.'),
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
        clusters: z
          .number()
          .int()
          .optional()
          .describe('Clusters of these pools, which are resampled whole; not in summaries of older versions.'),
      }),
    )
    .readonly()
    .describe('Per measure: how many pools have a relevant candidate, so that there is something to find by it.'),
  conditions: z
    .array(
      z.strictObject({
        name: z.string().describe('The condition’s name.'),
        means: z
          .array(estimateSchema)
          .readonly()
          .describe(
            'Means over these pools, in the order of the measures, with intervals by clusters, cut at 0 and 1; in summaries of older versions by a bootstrap of single pools.',
          ),
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
        corrected: z
          .array(correctedSchema)
          .readonly()
          .optional()
          .describe(
            'Per measure: corrections of the p of the mean over the comparisons of the family. Not in summaries of older versions.',
          ),
        differential: gainSchema
          .nullable()
          .describe('Gain of the relevant candidates less that of the others, in nats; null where no pool has both.'),
        differential_corrected: correctedSchema
          .optional()
          .describe('Corrections of the p of its mean. Not in summaries of older versions.'),
      }),
    )
    .readonly()
    .describe('Treatments against baselines.'),
  screening: screeningSummarySchema
    .optional()
    .describe('What the experiment’s screening found; absent where it declares none.'),
});

export interface RankingSummary extends z.infer<typeof rankingSummarySchema> {}
