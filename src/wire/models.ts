/** Models, and whether they and this machine can be trusted: `dkv models`, `doctor`, `sanity` and `demo`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema } from './numbers.js';

const compiledSchema = z
  .array(
    wireObject({
      directory: z.string().describe('The compiled model’s folder.'),
      precision: z.string().describe('Precision of the weights.'),
      weightsDigest: z.string().describe('Digest of the checkpoint’s tensors.'),
      weights: countSchema.describe('The number of the model’s weights.'),
      sizeBytes: countSchema.describe('Bytes of the weights file.'),
      drift: wireObject({
        method: z.string().describe('What the drift was measured against.'),
        tokens: countSchema.describe('Tokens of the fixed text.'),
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
        commit: z.string().optional().describe('The hub’s commit; the built-in model has none.'),
        directory: z.string().describe('The checkpoint’s folder.'),
        weights: countSchema.describe('The number of the model’s weights.'),
        sizeBytes: countSchema.describe('Bytes of the tensors.'),
      }),
    )
    .readonly()
    .describe('Checkpoints of supported families on disk.'),
  compiled: compiledSchema.describe('Compiled models.'),
});

export const knownModelsSchema = wireObject({
  known: z
    .array(
      wireObject({
        name: z.string().describe('As `--model` takes it.'),
        family: z.string().describe('The model’s family, such as t5gemma2.'),
        weights: countSchema.describe('The number of the model’s weights.'),
        sizeBytes: countSchema.nullable().describe('Bytes of the tensors; null where the type is not known.'),
        licence: z.string().describe('The licence, as the model card names it.'),
        gated: z.boolean().describe('Whether the hub wants a token of an account that accepted the licence.'),
        safetensors: z.enum(['yes', 'in a pull request']).describe('Where weights stand as safetensors.'),
        tokenizerJson: z.boolean().describe('Whether the repository has a tokenizer.json.'),
        unchecked: z.array(z.string()).readonly().describe('Names of the fields that were not looked up.'),
      }),
    )
    .readonly()
    .describe('Checkpoints on the hub of supported families.'),
});

export const modelInfoSchema = wireObject({
  name: z.string().describe('The model’s name in records.'),
  directory: z.string().describe('The checkpoint’s folder.'),
  licence: z.string().optional().describe('The licence, where the model card states it.'),
  weights: countSchema.describe('The number of the model’s weights.'),
  storedAs: z.array(z.string()).readonly().describe('Types of the tensors.'),
  sizeBytes: countSchema.describe('Bytes of the tensors.'),
  weightsDigest: z.string().describe('Digest of the tensors, which is the same however they are sharded.'),
  notices: z.array(z.string()).readonly().describe('What the user should know of the model.'),
  family: z.string().describe('The model’s family, such as t5gemma2.'),
  vocabulary: countSchema.describe('Tokens of the vocabulary.'),
  hiddenSize: countSchema.describe('Width of the encoder’s rows.'),
  encoderLayers: countSchema.describe('Layers of the encoder.'),
  decoderLayers: countSchema.describe('Layers of the decoder.'),
  compiled: compiledSchema.describe('The model’s compiled forms.'),
  memory: z
    .record(z.string(), z.number())
    .describe('By precision about how many bytes it takes to run the model on documents of up to 2,048 tokens.'),
  memoryAvailable: countSchema.describe('Bytes of memory that are available now.'),
});

export const modelVerificationSchema = wireObject({
  models: z
    .array(
      wireObject({
        directory: z.string().describe('A compiled model’s folder.'),
        damage: z.string().optional().describe('What is wrong with the model, where something is.'),
        removed: z.boolean().optional().describe('True where it was removed.'),
      }),
    )
    .readonly()
    .describe('Compiled models that were read.'),
});

export const doctorSchema = z
  .array(
    wireObject({
      name: z.string().describe('What was looked at.'),
      state: z.enum(['ok', 'note', 'problem']).describe('`problem` makes the exit status 1.'),
      message: z.string().describe('What was found.'),
      measured: z
        .array(wireObject({ value: z.number().describe('The number.'), unit: z.string().describe('What it counts.') }))
        .readonly()
        .optional()
        .describe('With `--device`: what was measured.'),
    }),
  )
  .readonly();

export const sanitySchema = wireObject({
  model: z.string().describe('The model’s name.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  checks: z
    .array(
      wireObject({
        name: z.string().describe('The check’s name.'),
        question: z.string().describe('What the check asks.'),
        state: z.enum(['pass', 'fail', 'finding']).describe('`finding`: worth knowing, without a right answer.'),
        result: z.string().describe('The result in words.'),
      }),
    )
    .readonly()
    .describe('The checks, in their order.'),
});

export const demoSchema = wireObject({
  document: z.string().describe('What is encoded.'),
  query: z.string().describe('The real question.'),
  prefix: z.string().describe('The text before the document.'),
  answer: z.string().describe('What is scored.'),
  conditions: z
    .array(
      wireObject({
        condition: z.string().describe('What stands in the encoder, and what of it the decoder sees.'),
        rows: countSchema.describe('Rows that the encoder makes: its input’s tokens.'),
        visibleRows: countSchema.describe('Rows that the decoder sees.'),
        nll: z.number().describe('Mean NLL over the answer’s tokens, in nats.'),
        tokens: z
          .array(
            wireObject({
              text: z.string().describe('Text of a token.'),
              nll: z.number().describe('NLL of the token, in nats.'),
            }),
          )
          .readonly()
          .describe('The answer’s tokens.'),
        greedy: z.string().describe('What the model would say.'),
      }),
    )
    .readonly()
    .describe('What was asked, one a visibility.'),
});
