/** What a summary says of a run that looked into the encoder. */
import { z } from 'zod';
import { estimateSchema } from './gains.js';

/** The names of the measures that a probe takes inside the encoder, each with its meaning. */
export const PROBE_MEASURES = {
  to_bos: 'attention of document rows on BOS',
  to_prefix: 'attention of document rows on the prefix',
  to_separator: 'attention of document rows on the line break',
  to_document: 'attention of document rows on the document',
  to_eos: 'attention of document rows on the end of text',
  entropy: 'entropy of document rows’ attention, nats',
  divergence: 'KL of attention within the document, bare to primed, nats',
  strongest: 'largest mean attention that a document row receives from document rows',
  shift: 'L2 distance of document states from the bare ones',
  cosine: 'cosine of that shift with the oracle’s',
} as const;

export type ProbeMeasure = keyof typeof PROBE_MEASURES;

export const probeSummarySchema = z.strictObject({
  samples: z.number().int().describe('Number of samples.'),
  layers: z.array(z.number().int()).readonly().describe('Numbers of the layers.'),
  conditions: z
    .array(
      z.strictObject({
        name: z.string().describe('The condition’s name.'),
        measures: z
          .array(
            z.strictObject({
              name: z.enum(Object.keys(PROBE_MEASURES) as ProbeMeasure[]).describe('What is measured.'),
              by_layer: z.array(estimateSchema.nullable()).readonly().describe('Means in the order of `layers`.'),
            }),
          )
          .readonly()
          .describe('The measures that the run has of any condition.'),
      }),
    )
    .readonly()
    .describe('Means over samples; null where the condition or the layer has no such measure.'),
});

export interface ProbeSummary extends z.infer<typeof probeSummarySchema> {}
