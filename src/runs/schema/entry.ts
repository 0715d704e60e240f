/** What a line of a run's journal is: a trial, what was measured inside the encoder, or a sample that could not be scored. */
import { z } from 'zod';
import { expectFiniteNumbers } from '../../base/finite.js';
import { keptTextSchema } from './kept-text.js';

const prefixes = {
  prefix: keptTextSchema
    .optional()
    .describe(
      'The text before the document in the encoder, without the line break behind it; empty where the line break stands there alone. Where texts are not kept, its digest and length. Absent where nothing stands before the document, in an imported run, and in journals older than the field.',
    ),
  also_prefixes: z
    .array(keptTextSchema.nullable())
    .optional()
    .describe(
      'The same of the condition’s further passes, in their order, null for one without; absent where nothing stands before the document in any of them.',
    ),
};

const trialSchema = z.strictObject({
  sample: z.string().describe('The sample’s id.'),
  condition: z.string().describe('The condition’s name.'),
  nll: z.number().describe('Mean over the target’s tokens.'),
  nll_sum: z.number().describe('The sum in float64 of `token_nlls`, in their order.'),
  num_tokens: z
    .number()
    .int()
    .positive()
    .describe('Tokens of the target; 1 in an imported run, which has means of whole targets.'),
  token_nlls: z.array(z.number()).describe('NLL of each token, in nats: float32 numbers in nine digits.'),
  tempered_nlls: z
    .array(z.array(z.number()))
    .optional()
    .describe(
      'NLLs of each token at ten inverse temperatures, a fourth to two in steps of a third of an octave, the logits being multiplied by them: float32 numbers in nine digits, of which the one at 1 stands in `token_nlls`. Only where the experiment’s outcomes have `temperature`.',
    ),
  wrong_nlls: z
    .array(z.number())
    .optional()
    .describe(
      'Mean NLL over the tokens of each of the sample’s wrong answers, in their order, in nats. Only where the experiment’s outcomes have `contrast`.',
    ),
  said: z
    .strictObject({
      text: keptTextSchema.describe('What the model said, chosen greedily.'),
      tokens: z.number().int().nonnegative().describe('Its tokens, without an end token.'),
      ended: z.boolean().describe('The model ended it; else it was cut at the most tokens that it may have.'),
      contains: z.boolean().describe('The answer’s words stand in it, one behind the other.'),
      equals: z.boolean().describe('Its words are the answer’s.'),
      f1: z.number().describe('F1 of its words and the answer’s, each as often as it stands in both.'),
    })
    .optional()
    .describe('What the model says to the document. Only where the experiment’s outcomes have `recall`.'),
  prefix_tokens: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('Tokens of the prefix; absent in an imported run whose record does not say it.'),
  document_tokens: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('Tokens of the document that the encoder read; absent in an imported run.'),
  cut: z.boolean().describe('The document was cut at its end to keep the maximum length.'),
  joint_differs: z
    .boolean()
    .optional()
    .describe('Tokenised as one string, prefix and document have other token ids than tokenised apart.'),
  leak: z.boolean().optional().describe('The prefix contains the scored text.'),
  ...prefixes,
});

/**
 * One sample under one condition. NLLs are in nats. Those of single tokens are float32 numbers in nine digits; their sum in float64, taken in
 * order, is exactly `nll_sum`.
 */
export type Trial = z.infer<typeof trialSchema>;

const probeTrialSchema = z.strictObject({
  sample: z.string().describe('The sample’s id.'),
  condition: z.string().describe('The condition’s name.'),
  layers: z
    .array(
      z.object({
        layer: z.number().int().describe('The layer’s number.'),
        measures: z.record(z.string(), z.number()).describe('What was measured, by the measure’s name.'),
      }),
    )
    .describe('What was measured in each layer.'),
  ...prefixes,
});

/** What was measured inside the encoder for one sample under one condition. */
export type ProbeTrial = z.infer<typeof probeTrialSchema>;

export const rejectionSchema = z.strictObject({
  sample: z.string().describe('The sample’s id.'),
  rejected: z.string().describe('Why the sample cannot be scored.'),
});

/** The reason for which a sample without anything to score is rejected. */
export function emptyTarget(target: 'answer' | 'query'): string {
  return `the ${target} is empty`;
}

/** A sample that could not be scored, with the reason. */
export type Rejection = z.infer<typeof rejectionSchema>;

export const entrySchema = z.union([trialSchema, probeTrialSchema, rejectionSchema]);

/** One line of a journal: a trial, measurements inside the encoder, or a sample that could not be scored. */
export type Entry = z.infer<typeof entrySchema>;

export function isTrial(entry: Entry): entry is Trial {
  return 'nll' in entry;
}

export function isProbe(entry: Entry): entry is ProbeTrial {
  return 'layers' in entry;
}

export function isRejection(entry: Entry): entry is Rejection {
  return 'rejected' in entry;
}

/** A key for the sample and condition that an entry is about. */
export function entryKey(entry: { readonly sample: string; readonly condition?: string }): string {
  return JSON.stringify([entry.sample, entry.condition]);
}

/** The sum of float32 numbers, in float64. */
export function sumOf(tokenNlls: Iterable<number>): number {
  let sum = 0;
  for (const nll of tokenNlls) sum += Math.fround(nll);
  return sum;
}

/** @throws RangeError */
export function expectFiniteEntry(entry: Entry): void {
  if (isRejection(entry)) return;
  const what = `${entry.sample} under ${entry.condition}`;
  if (isTrial(entry))
    expectFiniteNumbers(
      [
        entry.nll,
        entry.nll_sum,
        ...entry.token_nlls,
        ...(entry.tempered_nlls ?? []).flat(),
        ...(entry.wrong_nlls ?? []),
      ],
      what,
    );
  else for (const { measures } of entry.layers) expectFiniteNumbers(Object.values(measures), what);
}
