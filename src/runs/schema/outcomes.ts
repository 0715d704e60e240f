/** What a summary says of the outcomes beside NLLs and temperature: the right answer among wrong ones, and what the model says. */
import { z } from 'zod';
import { estimateSchema } from './gains.js';
import { WRONG_ANSWER_CLASSES } from './sample.js';

const compared = {
  treatment: z.string().describe('A condition’s name.'),
  baseline: z.string().describe('The condition that it is compared with.'),
};
const p = z.number().nullable().describe('Two-sided p of a mean of 0, by clusters; null with too few of them.');
const holm = z.number().nullable().describe('The same, corrected by Holm over the comparison’s family.');
const IN_ORDER =
  'in the experiment’s order, without those of two that are the same by construction; behind them, where a comparison has a control, the control against the baseline (machinery) and the treatment against the control (content).';

export const contrastOutcomeSchema = z.strictObject({
  candidates: z.number().int().describe('Answers that are chosen from, the right one among them.'),
  conditions: z
    .array(
      z.strictObject({
        name: z.string().describe('The condition’s name.'),
        loss: z
          .number()
          .describe('Mean of -log of the right answer’s share of a softmax over the candidates’ NLLs, in nats.'),
        rank: z.number().describe('Mean place of the right answer, 1 the first; halves where candidates are equal.'),
        first: z.number().describe('Share of samples whose right answer is the likeliest.'),
        margin: z
          .number()
          .describe('Mean NLL of the wrong answers less that of the right one, in nats per token, over samples.'),
        sharpness: z
          .strictObject({
            value: z.number().describe('That suits all samples best.'),
            low: z.number().describe('The least of those that folds were scored with.'),
            high: z.number().describe('The largest of them.'),
          })
          .describe('What NLLs are multiplied by before the softmax, fitted on other samples.'),
      }),
    )
    .readonly()
    .describe('Conditions that are compared.'),
  comparisons: z
    .array(
      z.strictObject({
        ...compared,
        loss: estimateSchema.describe('How much the loss falls, in nats: positive where the treatment tells better.'),
        p: p,
        p_holm: holm,
        rank: estimateSchema.describe('By how many places the right answer moves towards the first.'),
        first: estimateSchema.describe('How much the share of samples whose right answer is the likeliest grows.'),
        margin: estimateSchema.describe('How much the margin grows, in nats per token.'),
        classes: z
          .array(
            z.strictObject({
              from: z.enum(WRONG_ANSWER_CLASSES).describe('Where the wrong answers come from.'),
              samples: z.number().int().describe('Samples that have such a one.'),
              margin: estimateSchema.describe('How much the margin to these grows, in nats per token.'),
              beaten: estimateSchema.describe(
                'How much the share of these grows that are less likely than the right answer.',
              ),
            }),
          )
          .readonly()
          .describe('The same against the wrong answers of each class that there is.'),
      }),
    )
    .readonly()
    .describe(`Comparisons, ${IN_ORDER}`),
});

export type ContrastOutcome = z.infer<typeof contrastOutcomeSchema>;

export const recallOutcomeSchema = z.strictObject({
  conditions: z
    .array(
      z.strictObject({
        name: z.string().describe('The condition’s name.'),
        contains: z.number().describe('Share of samples in which what the model says holds the answer.'),
        equals: z.number().describe('Share of samples in which it is the answer.'),
        f1: z.number().describe('Mean F1 of its words and the answer’s.'),
        tokens: z.number().describe('Mean number of its tokens.'),
        ended: z.number().describe('Share of samples in which the model ended it.'),
      }),
    )
    .readonly()
    .describe('Conditions that are compared.'),
  comparisons: z
    .array(
      z.strictObject({
        ...compared,
        contains: estimateSchema.describe('How much the share grows that holds the answer.'),
        p: p,
        p_holm: holm,
        equals: estimateSchema.describe('How much the share grows that is the answer.'),
        f1: estimateSchema.describe('How much F1 grows.'),
        tokens: estimateSchema.describe('How many tokens more the model says under the treatment.'),
      }),
    )
    .readonly()
    .describe(`Comparisons, ${IN_ORDER}`),
});

export type RecallOutcome = z.infer<typeof recallOutcomeSchema>;
