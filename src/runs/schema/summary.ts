/**
 * What a run comes to, `summary.json`: a pure function of its configuration, its samples and its trials, without times. Reports are made of it,
 * and it is read again by later versions: what is added is optional.
 */
import { z } from 'zod';
import { MAKE_AGAIN } from './advice.js';
import { configurationSchema } from './configuration.js';
import { rejectionSchema } from './entry.js';
import { comparisonSchema } from './experiment.js';
import { parseWhole, RECORD_FORMAT } from './format.js';
import { correctedSchema, estimateSchema, gainSchema, SHARE } from './gains.js';
import { planOutcomeSchema } from './locked-plan.js';
import { contrastOutcomeSchema, recallOutcomeSchema } from './outcomes.js';
import { probeSummarySchema } from './probe.js';
import { rankingSummarySchema } from './ranking.js';
import type { FileContent } from './sealed.js';
import { temperatureSummarySchema } from './temperature.js';
import { verdictRecordSchema } from './verdict.js';

export const SUMMARY_FILE = 'summary.json';

const count = z.number().int().nonnegative();

const conditionSummarySchema = z.strictObject({
  name: z.string().describe('The condition’s name.'),
  nll: z.number().describe('Mean over samples of the mean NLL per target token, in nats.'),
  prefix_tokens: z
    .number()
    .nullable()
    .describe('Mean tokens of the prefix; null in an imported run that does not say it.'),
  document_tokens: z.number().nullable().describe('Mean tokens of the document; null in an imported run.'),
  leak: z
    .number()
    .nullable()
    .describe(
      'Share of samples whose prefix contains the scored text; null in an imported run, which has no prefixes.',
    ),
});

export interface ConditionSummary extends z.infer<typeof conditionSummarySchema> {}

const gradientSchema = z.strictObject({
  quintiles: z
    .array(
      z.strictObject({
        n: count.describe('Samples in it.'),
        hardness: z.number().nullable().describe('Their mean hardness.'),
        gain: z.number().nullable().describe('Their mean gain.'),
      }),
    )
    .readonly()
    .describe('Fifths by hardness, easiest first; null in one that nothing falls into.'),
  r: estimateSchema.describe('Correlation of hardness and gain.'),
});

export interface GradientSummary extends z.infer<typeof gradientSchema> {}

const comparisonSummarySchema = comparisonSchema.omit({ otherwise: true }).extend({
  ...SHARE,
  gain: gainSchema.describe('The treatment’s gain over the baseline.'),
  corrected: correctedSchema.describe(
    'Corrections of the p of the mean; of the t-test’s in summaries of older versions.',
  ),
  self_test: z
    .literal(true)
    .optional()
    .describe('The two are the same by construction: no effect, and no member of a family.'),
  authors_share: z.number().nullable().describe('The research’s share of the oracle: the ratio of the two d.'),
  hardness: z
    .strictObject({
      split: gradientSchema
        .extend({
          excluded_samples: count.describe('Samples with a single token, which have no halves.'),
          reliability: z
            .number()
            .nullable()
            .optional()
            .describe(
              'Spearman’s correlation of the baseline’s NLLs of odd and of even tokens; null where undefined. Not in summaries of older versions.',
            ),
        })
        .describe('Hardness and gain from different tokens.'),
      coupled: gradientSchema.describe('Hardness and gain from the same tokens.'),
      oldham: gradientSchema
        .optional()
        .describe(
          'Hardness is the mean NLL of baseline and treatment, gain their difference (Oldham 1962). Not in summaries of older versions.',
        ),
    })
    .describe('Do hard samples gain more?'),
});

export interface ComparisonSummary extends z.infer<typeof comparisonSummarySchema> {}

const contrastSummarySchema = z.strictObject({
  name: z.string().describe('The contrast’s name.'),
  share_of: z.string().optional().describe('The contrast that it is a share of.'),
  ...SHARE,
  gain: gainSchema.describe('The weighted sum of NLLs.'),
  p_holm: z.number().nullable().describe('P corrected by Holm; null outside the family.'),
  p_equivalence: z
    .number()
    .nullable()
    .describe('p of the test that the effect lies within the margin; null without a margin.'),
});

export interface ContrastSummary extends z.infer<typeof contrastSummarySchema> {}

const contrastGroupSummarySchema = z.strictObject({
  title: z.string().describe('The group’s title.'),
  note: z.string().describe('What a reader should know.'),
  decomposition: z.boolean().describe('Shown as bars of shares.'),
  equivalence_margin: z.number().nullable().describe('Margin of the tests of equivalence, in Cohen’s d; null without.'),
  contrasts: z.array(contrastSummarySchema).readonly().describe('The group’s contrasts.'),
});

export type ContrastGroupSummary = z.infer<typeof contrastGroupSummarySchema>;

const orderSummarySchema = z.strictObject({
  title: z.string().describe('The order’s title.'),
  rho: estimateSchema.describe(
    'Spearman’s correlation of the place in the order, the first place 1, with d. Without an interval: p is below. Summaries of older versions have one over samples.',
  ),
  effects: z
    .array(
      z.strictObject({
        effect: z.enum(['d', 'mean', 'trimmed mean']).describe('What the order is compared with.'),
        rho: z.number().nullable().describe('Spearman’s correlation.'),
        p: z.number().nullable().describe('P over the treatments, two-sided: exact up to nine of them.'),
      }),
    )
    .readonly()
    .optional()
    .describe('Correlations with each kind of effect. Not in summaries of older versions.'),
});

export interface OrderSummary extends z.infer<typeof orderSummarySchema> {}

const selectionSummarySchema = z.strictObject({
  title: z.string().describe('The choice’s title.'),
  chosen: z.record(z.string(), count).describe('How often each treatment was the best on the samples that choose.'),
  folds: count.describe('Folds of the cross-validation.'),
  held_out: gainSchema.describe('The gain on samples that had no part in the choice.'),
  best: z
    .strictObject({
      treatment: z.string().describe('The treatment’s name.'),
      gain: z.number().describe('The treatment’s mean gain.'),
    })
    .describe('The best on all samples at once: too good, because chosen by what it is measured on.'),
});

export interface SelectionSummary extends z.infer<typeof selectionSummarySchema> {}

const identitySummarySchema = z.strictObject({
  name: z.string().describe('The identity’s name.'),
  samples: count.describe('Samples that the identity holds for.'),
  largest: z.number().nullable().describe('The largest difference of a token’s NLL, in nats; null without samples.'),
  holds: z.boolean().nullable().describe('Whether the identity holds; null without samples.'),
});

export interface IdentitySummary extends z.infer<typeof identitySummarySchema> {}

/** The forward passes that were made, and those that a loop over samples and conditions would make. */
const passesSchema = z.strictObject({
  encoder: count.describe('Passes of the encoder.'),
  decoder: count.describe('Passes of the decoder.'),
  naive_encoder: count.describe('Passes of an encoder that runs once for each sample and condition.'),
});

export interface PassCounts extends z.infer<typeof passesSchema> {}

const dependenceSchema = z.strictObject({
  by: z
    .enum(['sample', 'query', 'cluster', 'question kind'])
    .describe(
      'What samples of one cluster share: nothing, their query, what the data set says (and their query), or AdWorld’s kind of question.',
    ),
  partners: z
    .enum(['none', 'pairs', 'ring'])
    .describe(
      'Samples that lend each other words: none, pairs, or for an odd number one ring, which is cut into pairs.',
    ),
  crossed: count
    .nullable()
    .describe('Clusters of partners where these are crossed with the others (two-way); null where they are not.'),
  largest: count.describe('Samples of the largest cluster.'),
  icc: z
    .number()
    .nullable()
    .describe(
      'Intraclass correlation of the primary comparison’s gains in clusters, partners apart; null where undefined.',
    ),
  partner_icc: z
    .number()
    .nullable()
    .describe(
      'The largest intraclass correlation of partners, over the comparisons with borrowed words; null without.',
    ),
});

export type DependenceRecord = z.infer<typeof dependenceSchema>;

export const summarySchema = z.strictObject({
  format: z.literal(RECORD_FORMAT).describe('Version of the file’s form.'),
  configuration: configurationSchema.describe('Everything that the numbers depend on.'),
  vocabulary: count
    .optional()
    .describe('Tokens that the model knows, whose logarithm caps NLLs; absent where it is not known.'),
  plan: planOutcomeSchema.optional().describe('How the run compares with its plan; absent without one.'),
  smoke_run: z
    .boolean()
    .describe(
      'Fewer samples than the plan or, without one, the protocol asks for, those that were rejected counted: nothing may be concluded.',
    ),
  detectable_d: z
    .number()
    .describe(
      'The smallest d that the primary comparison finds with 80% power at its effective number of samples; in summaries of older versions at the number of samples.',
    ),
  samples: z
    .strictObject({
      scored: count.describe('Samples that were scored.'),
      clusters: count.describe('Clusters of samples that are not independent.'),
      dependence: dependenceSchema
        .optional()
        .describe('What makes samples depend on each other. Not in summaries of older versions.'),
      rejected: z.array(rejectionSchema).readonly().describe('Samples that could not be scored.'),
      cut: count.describe('Samples with a document cut to the maximum length.'),
      joint_differs: count.describe(
        'Samples whose token ids change when prefix and document are tokenised as one string.',
      ),
      literal: z
        .strictObject({
          samples: count.describe('Number of samples.'),
          tokens: z.array(z.string()).readonly().describe('The control tokens.'),
          pieces: z
            .array(z.string())
            .readonly()
            .optional()
            .describe('Those of them that the vocabulary turned into their ids although they were read as text.'),
        })
        .optional()
        .describe(
          'Samples whose texts hold control tokens as they are written, and those tokens. Summaries that are older do not say so.',
        ),
    })
    .describe('Numbers of samples.'),
  passes: passesSchema.describe('Forward passes that were made, and that a loop would make.'),
  resamples: count.describe('Resamples of the bootstrap.'),
  conditions: z.array(conditionSummarySchema).readonly().describe('Conditions, in the experiment’s order.'),
  comparisons: z.array(comparisonSummarySchema).readonly().describe('Comparisons, in the experiment’s order.'),
  contrasts: z.array(contrastGroupSummarySchema).readonly().describe('Contrasts, in groups.'),
  verdicts: z
    .array(verdictRecordSchema)
    .readonly()
    .optional()
    .describe('What gains are made of, for groups of contrasts that ask for it.'),
  orders: z.array(orderSummarySchema).readonly().describe('Orders of treatments.'),
  selections: z.array(selectionSummarySchema).readonly().describe('Choices that were cross-validated.'),
  identities: z.array(identitySummarySchema).readonly().describe('Identities that were checked.'),
  ranking: rankingSummarySchema.optional().describe('What an experiment on pools found.'),
  temperature: temperatureSummarySchema
    .optional()
    .describe('Gains and temperatures, where the experiment’s outcomes have them.'),
  contrast: contrastOutcomeSchema
    .optional()
    .describe('How the right answer is told from wrong ones, where the experiment’s outcomes have it.'),
  recall: recallOutcomeSchema.optional().describe('What the model says, where the experiment’s outcomes have it.'),
  probe: probeSummarySchema.optional().describe('What an experiment that looks into the encoder found.'),
});

export interface Summary extends z.infer<typeof summarySchema> {}

/**
 * Reads the content of a `summary.json`. The result equals the summary that was written.
 * @param file the file's name, for messages
 * @throws DkvError RUN_DAMAGED naming the field that is not as expected, also for another format; INPUT_INVALID for content that is still compressed
 */
export function parseSummary(content: FileContent, file = SUMMARY_FILE): Summary {
  return parseWhole(file, content, summarySchema, { what: 'the summary of a run', advice: MAKE_AGAIN });
}
