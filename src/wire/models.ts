/** Models, and whether they and this machine can be trusted: `dkv models`, `doctor`, `sanity` and `demo`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema } from './numbers.js';

const compiledSchema = z
  .array(
    wireObject({
      directory: z.string().describe('Its folder.'),
      precision: z.string().describe('Of its weights.'),
      weightsDigest: z.string().describe('Of the checkpoint’s tensors.'),
      weights: countSchema.describe('Numbers in it.'),
      sizeBytes: countSchema.describe('Of its weights file.'),
      drift: wireObject({
        method: z.string().describe('What it was measured against.'),
        tokens: countSchema.describe('Of the fixed text.'),
        meanAbsolute: z.number().describe('Mean of the absolute differences of NLLs, nats a token.'),
        mean: z.number().describe('Mean of the differences.'),
        largest: z.number().describe('The largest difference.'),
      })
        .nullable()
        .describe('How far NLLs of int8 are from float32’s; null for other precisions.'),
    }),
  )
  .readonly();

export const modelListSchema = wireObject({
  checkpoints: z
    .array(
      wireObject({
        name: z.string().describe('`built-in`, or organisation/name.'),
        commit: z.string().optional().describe('Of the hub; the built-in model has none.'),
        directory: z.string().describe('Its folder.'),
        weights: countSchema.describe('Numbers in it.'),
        sizeBytes: countSchema.describe('Of its tensors.'),
      }),
    )
    .readonly()
    .describe('Of supported families, on disk.'),
  compiled: compiledSchema.describe('Compiled models.'),
});

export const modelInfoSchema = wireObject({
  name: z.string().describe('As it is called in records.'),
  directory: z.string().describe('Its folder.'),
  licence: z.string().optional().describe('There where the model card states it.'),
  weights: countSchema.describe('Numbers in it.'),
  storedAs: z.array(z.string()).readonly().describe('Types of its tensors.'),
  sizeBytes: countSchema.describe('Of its tensors.'),
  weightsDigest: z.string().describe('Of its tensors, however they are sharded.'),
  notices: z.array(z.string()).readonly().describe('What the user should know of it.'),
  family: z.string().describe('Such as t5gemma2.'),
  vocabulary: countSchema.describe('Tokens.'),
  hiddenSize: countSchema.describe('Of the encoder.'),
  encoderLayers: countSchema.describe('How many.'),
  decoderLayers: countSchema.describe('How many.'),
  compiled: compiledSchema.describe('Its compiled forms.'),
  memory: z.record(z.string(), z.number()).describe('By precision, about how many bytes it takes to run.'),
  memoryAvailable: countSchema.describe('Bytes, now.'),
});

export const modelVerificationSchema = wireObject({
  models: z
    .array(
      wireObject({
        directory: z.string().describe('Of a compiled model.'),
        damage: z.string().optional().describe('What is wrong with it, where something is.'),
        removed: z.boolean().optional().describe('It was removed.'),
      }),
    )
    .readonly()
    .describe('That were read.'),
});

export const doctorSchema = z
  .array(
    wireObject({
      name: z.string().describe('What was looked at.'),
      state: z.enum(['ok', 'note', 'problem']).describe('`problem` makes the exit status 1.'),
      message: z.string().describe('What was found.'),
    }),
  )
  .readonly();

export const sanitySchema = wireObject({
  model: z.string().describe('Its name.'),
  fingerprint: z.string().describe('Digest of everything that decides its numbers.'),
  checks: z
    .array(
      wireObject({
        name: z.string().describe('Of the check.'),
        question: z.string().describe('What it asks.'),
        state: z.enum(['pass', 'fail', 'finding']).describe('`finding`: worth knowing, without a right answer.'),
        result: z.string().describe('In words.'),
      }),
    )
    .readonly()
    .describe('In order.'),
});

export const demoSchema = wireObject({
  document: z.string().describe('What is encoded.'),
  query: z.string().describe('The real question.'),
  prefix: z.string().describe('Stands before the document.'),
  answer: z.string().describe('What is scored.'),
  conditions: z
    .array(
      wireObject({
        condition: z.string().describe('What the decoder sees.'),
        nll: z.number().describe('Mean NLL over the answer’s tokens, in nats.'),
        tokens: z
          .array(wireObject({ text: z.string().describe('A token.'), nll: z.number().describe('Its NLL.') }))
          .readonly()
          .describe('Of the answer.'),
        greedy: z.string().describe('What the model would say.'),
      }),
    )
    .readonly()
    .describe('One a visibility.'),
});
