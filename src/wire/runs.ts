/** Runs of experiments, told from outside: `dkv list`, `log`, `compare` and `report`. What a run folder holds has its schemas in `runs/schema`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema, estimateSchema } from './numbers.js';

export const listedExperimentSchema = wireObject({
  id: z.string().describe('For `dkv run`.'),
  question: z.string().describe('What it asks.'),
  dataset: z.string().describe('The protocol’s.'),
  samples: countSchema.describe('The protocol’s.'),
  encoder: countSchema.optional().describe('Passes of the encoder; this and what follows with `--estimate`.'),
  decoder: countSchema.optional().describe('Passes of the decoder.'),
  naiveEncoder: countSchema.optional().describe('Passes of an encoder that runs once for each condition.'),
  rows: countSchema.optional().describe('Rows that the encoder reads.'),
  seconds: countSchema.optional().describe('About, on this machine.'),
});

export const runLogSchema = wireObject({
  runs: z
    .array(
      wireObject({
        folder: z.string().describe('Below the folder that was asked for.'),
        date: z.string().describe('When it was started.'),
        experiment: z.string().describe('Its id.'),
        model: z.string().describe('Its name.'),
        builtIn: z.boolean().describe('It is the built-in model.'),
        dataset: z.string().describe('Its name.'),
        samples: countSchema.describe('That were asked for.'),
        smokeRun: z.boolean().describe('Fewer samples than the protocol asks for: nothing may be concluded.'),
        primary: wireObject({
          comparison: z.string().describe('The comparison that was named beforehand.'),
          effect: z.string().describe('Its mean, with the interval.'),
          d: z.string().describe('Its d, with the interval.'),
        })
          .nullable()
          .describe('In words; null for a run that compares nothing.'),
      }),
    )
    .readonly()
    .describe('Oldest first.'),
  unread: z
    .array(
      wireObject({
        folder: z.string().describe('Where the record is.'),
        reason: z.string().describe('Why it is not read.'),
      }),
    )
    .readonly()
    .describe('Folders with a record that is unfinished, damaged or of another format.'),
});

export const runComparisonSchema = wireObject({
  runs: z
    .array(
      wireObject({
        name: z.string().describe('A letter.'),
        directory: z.string().describe('The run folder.'),
        experiment: z.string().describe('Its id.'),
        model: z.string().describe('Its name.'),
        dataset: z.string().describe('Its name.'),
        samples: countSchema.describe('That were asked for.'),
        smokeRun: z.boolean().describe('Fewer samples than the protocol asks for.'),
      }),
    )
    .readonly()
    .describe('In the order in which they were given.'),
  differences: z
    .array(
      wireObject({
        field: z.string().describe('Of the configuration.'),
        values: z.array(z.string()).readonly().describe('Per run.'),
      }),
    )
    .readonly()
    .describe('What is not the same in all runs.'),
  comparisons: z
    .array(
      wireObject({
        treatment: z.string().describe('The names that runs give to the same condition.'),
        baseline: z.string().describe('Likewise.'),
        measure: z.string().optional().describe('Of a ranking; NLL where it is left out.'),
        effects: z
          .array(
            wireObject({
              mean: estimateSchema.describe('Mean gain.'),
              d: estimateSchema.describe('Cohen’s d.'),
              share: estimateSchema.optional().describe('Of the oracle’s gain; not of a ranking.'),
            }).nullable(),
          )
          .readonly()
          .describe('Per run; null where it does not have the comparison.'),
      }),
    )
    .readonly()
    .describe('Aligned by what the conditions do; what all runs have comes first.'),
});

export const reportFilesSchema = wireObject({ files: z.array(z.string()).readonly().describe('That were written.') });
