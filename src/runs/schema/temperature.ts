/** What a summary says of gains and temperatures. */
import { z } from 'zod';
import { estimateSchema } from './gains.js';

const fittedSchema = z.strictObject({
  value: z.number().describe('The temperature that suits all samples best.'),
  low: z.number().describe('The lowest of those that folds were scored with.'),
  high: z.number().describe('The highest of them.'),
});

const effectSchema = z
  .strictObject({
    at_one: estimateSchema.describe('The gain at temperature 1, in nats a token.'),
    remaining: estimateSchema.describe('The gain with each arm at its own temperature, fitted on other samples.'),
    calibration: estimateSchema.describe('The gain at temperature 1 less the remaining gain, sample by sample.'),
    p_equivalence: z
      .number()
      .nullable()
      .describe('p of the test that the remaining gain lies within the margin; null with too few clusters.'),
    baseline: z
      .array(fittedSchema)
      .readonly()
      .describe('The baseline’s temperature; where tokens are apart that of first tokens and that of later ones.'),
    treatment: z.array(fittedSchema).readonly().describe('The same of the treatment.'),
  })
  .meta({ id: 'gain and temperature' });

export type TemperatureEffectRecord = z.infer<typeof effectSchema>;

export const temperatureSummarySchema = z.strictObject({
  margin: z.number().describe('Margin of the tests of equivalence, in nats a token.'),
  comparisons: z
    .array(
      z.strictObject({
        treatment: z.string().describe('A condition’s name.'),
        baseline: z.string().describe('The condition that it is compared with.'),
        all: effectSchema.describe('With one temperature for each arm.'),
        capped: effectSchema.describe(
          'The same where no token counts more than the logarithm of the vocabulary’s size.',
        ),
        apart: effectSchema
          .nullable()
          .describe(
            'With temperatures of first tokens and of later ones; null where no target has more than one token.',
          ),
      }),
    )
    .readonly()
    .describe(
      'Comparisons, in the experiment’s order, without those of two that are the same by construction; behind them, where a comparison has a control, the control against the baseline (machinery) and the treatment against the control (content).',
    ),
});

export type TemperatureSummary = z.infer<typeof temperatureSummarySchema>;
