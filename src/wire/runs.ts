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
        samples: countSchema.describe('Samples or pools that were asked for.'),
        scored: countSchema.describe('Samples or pools that were scored: those that the effect is of.'),
        sameSamplesAs: z
          .string()
          .optional()
          .describe('Folder of the earliest run of the same model on the same samples: no independent evidence.'),
        partOf: z
          .string()
          .optional()
          .describe(
            'Folder of the earliest run of the same model that has all of its samples and more: no independent evidence.',
          ),
        sameEffectAs: z
          .string()
          .optional()
          .describe('Folder of the earliest of these whose effect is the same as well: one measurement.'),
        samplesNotCompared: z
          .literal(true)
          .optional()
          .describe(
            'Its samples could not be read, or are told by their places alone and are not those of an earlier run, so that nobody knows whether others have them; absent otherwise.',
          ),
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

const pooledEffectSchema = wireObject({
  mean: estimateSchema.describe('The mean gain, with its interval over samples.'),
  standardError: z
    .number()
    .nullable()
    .describe('The mean’s cluster-robust standard error; null for a single cluster of samples.'),
  trimmedMean: estimateSchema.describe('The mean without the lowest and the highest fifth.'),
});

const signsSchema = wireObject({
  above: countSchema.describe('Units that are above 0.'),
  below: countSchema.describe('Units that are below 0.'),
  toldAbove: countSchema.describe('Units whose interval lies above 0.'),
  toldBelow: countSchema.describe('Units whose interval lies below 0.'),
});

const intervalSchema = wireObject({
  low: z.number().describe('Lower end of the 95% interval.'),
  high: z.number().describe('Upper end of the 95% interval.'),
});

export const poolLeftOutSchema = wireObject({
  experiment: z.string().describe('The name of the run folders, or the experiment’s id.'),
  leftOut: z.string().describe('Why it is not taken together.'),
  sameAs: z
    .string()
    .optional()
    .describe('The run folder that was asked the same and counts; absent for other reasons.'),
});

export const pooledRunsSchema = wireObject({
  experiment: z.string().describe('The experiment’s id.'),
  dataset: z.string().describe('The data set’s name and revision.'),
  samples: countSchema.describe('Samples that were asked for.'),
  common: countSchema.describe('Samples that all units scored, of which all effects are.'),
  clusters: countSchema.describe('Clusters of these.'),
  seeds: z.boolean().describe('By the caller’s word the units are training seeds of one recipe.'),
  smokeRun: z.boolean().describe('A unit has fewer samples than the protocol asks for: nothing may be concluded.'),
  units: z
    .array(
      wireObject({
        name: z.string().describe('A letter that names the unit.'),
        directory: z.string().describe('The run folder.'),
        model: z.string().describe('The model’s name.'),
        precision: z.string().describe('The precision that it ran in.'),
        builtIn: z.boolean().describe('It is the built-in model.'),
        scored: countSchema.describe('Samples that were scored.'),
      }),
    )
    .readonly()
    .describe('The units, in the order in which they were given.'),
  comparisons: z
    .array(
      wireObject({
        treatment: z.string().describe('The condition’s name.'),
        baseline: z.string().describe('What it is compared with.'),
        primary: z.boolean().describe('It is the comparison that was named beforehand.'),
        effects: z.array(pooledEffectSchema).readonly().describe('Each unit’s effect, in nats per token.'),
        signs: wireObject({
          mean: signsSchema.describe('By the units’ means.'),
          trimmedMean: signsSchema.describe('By their trimmed means.'),
        }).describe('What the units agree on.'),
        pooled: wireObject({
          mean: z.number().describe('Mean over units, each counted once, by random effects.'),
          standardError: z
            .number()
            .describe('Its standard error, with the covariance of sampling errors on the samples that units share.'),
          freedom: z.number().describe('Satterthwaite’s degrees of freedom of that error.'),
          interval: intervalSchema.describe('Of the mean.'),
          p: z.number().describe('P of a mean of 0, two-sided.'),
          tau2: z.number().describe('Variance of the true effects between units.'),
          i2: z.number().describe('Share of the variance between units that sampling errors do not explain.'),
          prediction: intervalSchema.describe('Where the effect of another such unit would lie.'),
        })
          .nullable()
          .describe('Null with too few units or clusters, and where a unit’s effect does not vary.'),
      }),
    )
    .readonly()
    .describe('Comparisons, in the experiment’s order.'),
  withoutMean: z.string().nullable().describe('Why no comparison has a mean over units; null where they have.'),
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
