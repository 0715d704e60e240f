/** Runs of experiments, told from outside: `dkv list`, `log`, `compare` and `report`. What a run folder holds has its schemas in `runs/schema`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema, estimateSchema, ratioSchema } from './numbers.js';

export const listedExperimentSchema = wireObject({
  id: z.string().describe('The experiment’s name for `dkv run`.'),
  question: z.string().describe('What the experiment asks.'),
  dataset: z.string().describe('The protocol’s data set.'),
  samples: countSchema.describe('The protocol’s number of samples.'),
  encoder: countSchema
    .optional()
    .describe('Passes of the encoder; this and what follows with `--estimate` or `--tflops`.'),
  decoder: countSchema.optional().describe('Passes of the decoder.'),
  naiveEncoder: countSchema.optional().describe('Passes of an encoder that runs once for each condition.'),
  rows: countSchema.optional().describe('Rows that the encoder reads.'),
  seconds: countSchema
    .optional()
    .describe('About how many seconds it takes on this machine, or at the speed of `--tflops`.'),
});

export const runLogSchema = wireObject({
  runs: z
    .array(
      wireObject({
        folder: z.string().describe('The run folder, below the folder that was asked for.'),
        date: z.string().describe('The day when the run was started.'),
        experiment: z.string().describe('The experiment’s id.'),
        model: z.string().describe('The model’s name.'),
        builtIn: z.boolean().describe('It is the built-in model.'),
        imported: z
          .literal(true)
          .optional()
          .describe('Recorded by others, not computed by this program; absent otherwise.'),
        dataset: z.string().describe('The data set’s name.'),
        samples: countSchema.describe('Samples that were asked for.'),
        smokeRun: z.boolean().describe('Fewer samples than the protocol asks for: nothing may be concluded.'),
        primary: wireObject({
          comparison: z.string().describe('The comparison that was named beforehand.'),
          effect: z.string().describe('Mean of its effect, with the interval.'),
          trimmed: z.string().describe('Trimmed mean of its effect, with the interval.'),
          d: z.string().describe('Cohen’s d of its effect.'),
        })
          .nullable()
          .describe('The primary comparison in words; null for a run that compares nothing.'),
      }),
    )
    .readonly()
    .describe('Finished runs, oldest first.'),
  unread: z
    .array(
      wireObject({
        folder: z.string().describe('The folder with the record.'),
        reason: z.string().describe('Why the record is not read.'),
      }),
    )
    .readonly()
    .describe('Folders with a record that is unfinished, damaged or of another format.'),
});

export const runComparisonSchema = wireObject({
  runs: z
    .array(
      wireObject({
        name: z.string().describe('A letter that names the run.'),
        directory: z.string().describe('The run folder.'),
        experiment: z.string().describe('The experiment’s id.'),
        model: z.string().describe('The model’s name.'),
        imported: z
          .literal(true)
          .optional()
          .describe('Recorded by others, not computed by this program; absent otherwise.'),
        dataset: z.string().describe('The data set’s name.'),
        samples: countSchema.describe('Samples that were asked for.'),
        smokeRun: z.boolean().describe('Fewer samples than the protocol asks for.'),
      }),
    )
    .readonly()
    .describe('The runs, in the order in which they were given.'),
  differences: z
    .array(
      wireObject({
        field: z.string().describe('Name of a field of the configuration.'),
        values: z.array(z.string()).readonly().describe('The field’s value in each run.'),
      }),
    )
    .readonly()
    .describe('What is not the same in all runs.'),
  comparisons: z
    .array(
      wireObject({
        treatment: z.string().describe('The names that runs give to the same condition.'),
        baseline: z.string().describe('The names that runs give to its baseline.'),
        measure: z.string().optional().describe('A measure of rankings; NLL where it is left out.'),
        effects: z
          .array(
            wireObject({
              mean: estimateSchema.describe('The mean gain.'),
              d: estimateSchema.describe('Cohen’s d of the gains, with its nominal interval.'),
              trimmedMean: estimateSchema.describe('The mean without the lowest and the highest fifth.'),
              robustD: estimateSchema.optional().describe('Robust d; not in summaries of older versions.'),
              share: ratioSchema.optional().describe('Share of the oracle’s gain; rankings have none.'),
            }).nullable(),
          )
          .readonly()
          .describe('The effect in each run; null where it does not have the comparison.'),
      }),
    )
    .readonly()
    .describe('Comparisons, aligned by what the conditions do; what all runs have comes first.'),
});

export const reportFilesSchema = wireObject({
  files: z.array(z.string()).readonly().describe('Files that were written.'),
});

export const importedRunsSchema = wireObject({
  runs: z
    .array(
      wireObject({
        experiment: z.string().describe('The experiment’s id.'),
        directory: z.string().describe('The run folder that was made.'),
        file: z.string().describe('The file that it was read from, below the folder that was imported.'),
        samples: countSchema.describe('Samples.'),
        conditions: countSchema.describe('Conditions that the file has.'),
      }),
    )
    .readonly()
    .describe('Run folders that were made.'),
});
