/** What the numbers of a run depend on: its experiment, its data, its model and how they were computed. */
import { z } from 'zod';
import { SEGMENTS, type Segment } from '../../priming/input.js';
import { experimentSchema } from './experiment.js';

const driftSchema = z.object({
  method: z.string().describe('What the drift was measured against.'),
  tokens: z.number().int().describe('Tokens of the fixed text.'),
  mean_absolute: z.number().describe('Mean of the absolute differences of NLLs, nats a token.'),
  mean: z.number().describe('Mean of the differences.'),
  largest: z.number().describe('The largest difference.'),
});

/** The segments of T5Gemma 2's inputs: all but an end of text. They are also those of every run that does not record its model's segments. */
export const USUAL_SEGMENTS: readonly Segment[] = ['bos', 'prefix', 'separator', 'document'];

const leftOutSchema = z.strictObject({
  condition: z.string().describe('The condition’s name.'),
  reason: z.string().describe('Why it was left out.'),
});

/** A condition that the experiment declares and this model cannot be given, with the reason, such as "inputs of this model have no BOS". */
export type LeftOut = z.infer<typeof leftOutSchema>;

const importedFile = {
  file: z.string().describe('The file’s name, below the folder that was imported.'),
  digest: z.string().describe('SHA-256 of its bytes.'),
};

const importedSchema = z.strictObject({
  ...importedFile,
  form: z
    .enum(['checkpoint', 'numbers'])
    .describe('A checkpoint of the research’s notebooks, or lines of its numbers without texts.'),
  recorded_at: z
    .string()
    .nullable()
    .describe('When it was written, as it says itself, without a time zone; null where it does not.'),
  with: z
    .strictObject(importedFile)
    .optional()
    .describe('The file that the bare document and the oracle come from, where the first has none.'),
});

/** The origin of numbers that this program did not compute. */
export type Imported = z.infer<typeof importedSchema>;

const marginFromSchema = z.strictObject({
  run: z.string().describe('Its folder, seen from this run’s.'),
  started_at: z.string().describe('When it was started, as its record says.'),
  samples: z.number().int().positive().describe('Samples that it scored.'),
  totals: z
    .array(
      z.strictObject({
        title: z.string().describe('The group of contrasts.'),
        total: z.number().describe('The gain that it takes apart, in nats a token, over all samples of that run.'),
      }),
    )
    .readonly()
    .describe('The gains of which the margins are a fifth.'),
});

export const configurationSchema = z
  .object({
    experiment: experimentSchema.describe('The experiment, without what is left out.'),
    left_out: z
      .array(leftOutSchema)
      .readonly()
      .optional()
      .describe('Conditions that this model cannot be given; absent where there are none.'),
    imported: importedSchema
      .optional()
      .describe(
        'The numbers are those of another program, read from its record: of each sample and condition one NLL, the mean over the target’s tokens, which stands in the journal as that of a single token. Absent for what this program computed.',
      ),
    samples: z.number().int().describe('Samples that were asked for.'),
    seed: z.number().int().describe('Seed of everything drawn at random.'),
    dataset: z
      .object({
        name: z.string().describe('The data set’s name.'),
        revision: z.string().describe('The data set’s revision.'),
        licence: z.string().describe('The data set’s licence.'),
        selection: z.string().describe('How samples were taken, in words.'),
        digest: z.string().describe('Digest of the samples.'),
        left_out: z
          .array(
            z.strictObject({
              rows: z.number().int().positive().describe('How many rows.'),
              reason: z.string().describe('What they lack, such as “no query (question)”.'),
            }),
          )
          .readonly()
          .optional()
          .describe(
            'Rows that were read until there were enough, and could not be used; absent where there were none, and before 0.2.',
          ),
      })
      .describe('The data set that it was run on.'),
    model: z
      .object({
        name: z.string().describe('The model’s name.'),
        built_in: z.boolean().describe('It is the built-in model.'),
        fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
        weights: z
          .string()
          .optional()
          .describe(
            'SHA-256 of the checkpoint’s weights, which is the same in every precision; absent in runs older than the field.',
          ),
        precision: z
          .string()
          .describe('Precision of the weights, with the device where it computes in 16 bits: “float16 on cuda”.'),
        drift: driftSchema
          .optional()
          .describe(
            'How far NLLs of a fixed text are from float32’s, in nats a token: of int8, and where a device computes in 16 bits. Absent for others, and before 0.2.',
          ),
        vocabulary: z
          .number()
          .int()
          .optional()
          .describe('Tokens that the model knows; absent in runs that are older than the field.'),
        positions: z
          .literal('learned')
          .optional()
          .describe(
            'True for a model with learned positions, whose rows change when they are moved; absent for other models.',
          ),
        window: z
          .number()
          .int()
          .nullable()
          .describe(
            'Rows between the ends of the encoder’s narrowest sliding window; null when every layer sees everything.',
          ),
        segments: z
          .array(z.enum(SEGMENTS))
          .readonly()
          .optional()
          .describe('Segments of the model’s inputs, in their order; absent for the usual ones.'),
      })
      .describe('The model that ran.'),
    device: z.string().describe('ONNX Runtime’s provider.'),
    control_tokens: z
      .enum(['text', 'keep'])
      .optional()
      .describe(
        'What control tokens such as `<bos>` were where a text has them. Runs that are older than the choice kept them, and do not say so.',
      ),
    max_tokens: z.number().int().describe('Rows that the encoder may read.'),
    batch_tokens: z.number().int().describe('Rows of a batch.'),
    writer: z
      .string()
      .nullable()
      .describe(
        'The language model that wrote surrogates, with its address; `self` where that was the model that ran, which is asked nothing. Null without any.',
      ),
    margin_from: marginFromSchema
      .optional()
      .describe(
        'The earlier run, on other samples, whose gains say the margins of the verdicts; absent where a part of the run’s own samples does.',
      ),
  })
  .meta({ id: 'configuration' });

/**
 * Everything that the numbers of a run depend on. Equal configurations give equal trials, so a configuration may not change when a run is resumed.
 */
export type Configuration = z.infer<typeof configurationSchema>;

/**
 * A configuration without what stands beside numbers and decides none: the research's figures, which older records of its experiments hold, rows that
 * were left out, and where the run lies that says the margins.
 */
export function decisive({ experiment, dataset, margin_from, ...configuration }: Configuration) {
  const { authors: _, ...asked } = experiment;
  const { left_out: _rows, ...data } = dataset;
  const { run: _run, ...margins } = margin_from ?? {};
  return { ...configuration, experiment: asked, dataset: data, ...(margin_from && { margin_from: margins }) };
}

/** A field in which two values differ, as JSON; undefined where one of them lacks it. */
export interface Change {
  readonly field: string;
  readonly before: string | undefined;
  readonly now: string | undefined;
}

/** The fields in which two values differ, by their paths. */
export function changes(before: unknown, now: unknown, at = ''): Change[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  const [a, b] = [membersOf(before), membersOf(now)];
  if (!a || !b) return [{ field: at, before: JSON.stringify(before), now: JSON.stringify(now) }];
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].flatMap((name) => changes(a.get(name), b.get(name), at ? `${at}.${name}` : name));
}

/** The fields in which two configurations differ, `path: before -> now`. */
export function differences(before: unknown, now: unknown): string[] {
  return changes(before, now).map(({ field, before: was, now: is }) => `${field}: ${was} -> ${is}`);
}

/** The members of an object or a list; undefined for anything else. */
function membersOf(value: unknown): Map<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}
