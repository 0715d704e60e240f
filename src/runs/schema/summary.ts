/**
 * What a run comes to, `summary.json`: a pure function of its configuration, its samples and its trials, without times. Reports are made of it,
 * and it is read again by later versions: what is added is optional.
 */
import { z } from 'zod';
import { configurationSchema } from './configuration.js';
import { rejectionSchema } from './entry.js';
import { comparisonSchema } from './experiment.js';
import { parseWhole, RECORD_FORMAT } from './format.js';
import { correctedSchema, estimateSchema, gainSchema, SHARE } from './gains.js';
import { probeSummarySchema } from './probe.js';
import { rankingSummarySchema } from './ranking.js';
import type { FileContent } from './sealed.js';

export const SUMMARY_FILE = 'summary.json';

const count = z.number().int().nonnegative();

const conditionSummarySchema = z.strictObject({
  name: z.string(),
  /** Mean over samples of the mean NLL per target token, in nats. */
  nll: z.number(),
  prefix_tokens: z.number(),
  document_tokens: z.number(),
  /** Share of samples whose prefix contains the scored text. */
  leak: z.number(),
});

export interface ConditionSummary extends z.infer<typeof conditionSummarySchema> {}

const gradientSchema = z.strictObject({
  /** Fifths by hardness, easiest first; null in one that nothing falls into. */
  quintiles: z
    .array(z.strictObject({ n: count, hardness: z.number().nullable(), gain: z.number().nullable() }))
    .readonly(),
  r: estimateSchema,
});

export interface GradientSummary extends z.infer<typeof gradientSchema> {}

const comparisonSummarySchema = comparisonSchema.omit({ otherwise: true }).extend({
  ...SHARE,
  gain: gainSchema,
  /** Of the t-test's p. */
  corrected: correctedSchema,
  /** The research's share of the oracle: the ratio of the two d. */
  authors_share: z.number().nullable(),
  hardness: z.strictObject({
    split: gradientSchema.extend({ excluded_samples: count }),
    coupled: gradientSchema,
  }),
});

export interface ComparisonSummary extends z.infer<typeof comparisonSummarySchema> {}

const contrastSummarySchema = z.strictObject({
  name: z.string(),
  share_of: z.string().optional(),
  ...SHARE,
  gain: gainSchema,
  /** Null outside the family. */
  p_holm: z.number().nullable(),
  /** p of the test that the effect lies within the margin; null without a margin. */
  p_equivalence: z.number().nullable(),
});

export interface ContrastSummary extends z.infer<typeof contrastSummarySchema> {}

const contrastGroupSummarySchema = z.strictObject({
  title: z.string(),
  note: z.string(),
  decomposition: z.boolean(),
  equivalence_margin: z.number().nullable(),
  contrasts: z.array(contrastSummarySchema).readonly(),
});

export type ContrastGroupSummary = z.infer<typeof contrastGroupSummarySchema>;

const orderSummarySchema = z.strictObject({
  title: z.string(),
  /** Spearman's correlation of the place in the order, the first place 1, with d. */
  rho: estimateSchema,
});

export interface OrderSummary extends z.infer<typeof orderSummarySchema> {}

const selectionSummarySchema = z.strictObject({
  title: z.string(),
  /** How often each treatment was the best on the samples that choose. */
  chosen: z.record(z.string(), count),
  folds: count,
  /** On samples that had no part in the choice. */
  held_out: gainSchema,
  /** The best on all samples at once: too good, because chosen by what it is measured on. */
  best: z.strictObject({ treatment: z.string(), gain: z.number() }),
});

export interface SelectionSummary extends z.infer<typeof selectionSummarySchema> {}

const identitySummarySchema = z.strictObject({
  name: z.string(),
  /** Samples that the identity holds for. */
  samples: count,
  /** The largest difference of a token's NLL, in nats; null without samples. */
  largest: z.number().nullable(),
  holds: z.boolean().nullable(),
});

export interface IdentitySummary extends z.infer<typeof identitySummarySchema> {}

/** Forward passes made, and what the loop over samples and conditions would make. */
const passesSchema = z.strictObject({ encoder: count, decoder: count, naive_encoder: count });

export interface PassCounts extends z.infer<typeof passesSchema> {}

export const summarySchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  configuration: configurationSchema,
  /** Fewer samples than the protocol asks for: nothing may be concluded. */
  smoke_run: z.boolean(),
  /** The smallest d of a single comparison that this number of samples finds with 80% power. */
  detectable_d: z.number(),
  samples: z.strictObject({
    scored: count,
    clusters: count,
    rejected: z.array(rejectionSchema).readonly(),
    /** Samples with a document cut to the maximum length. */
    cut: count,
    /** Samples whose token ids change when prefix and document are tokenised as one string. */
    joint_differs: count,
    /** Samples whose texts hold control tokens as they are written, and those tokens. Summaries that are older do not say so. */
    literal: z.strictObject({ samples: count, tokens: z.array(z.string()).readonly() }).optional(),
  }),
  passes: passesSchema,
  resamples: count,
  conditions: z.array(conditionSummarySchema).readonly(),
  comparisons: z.array(comparisonSummarySchema).readonly(),
  contrasts: z.array(contrastGroupSummarySchema).readonly(),
  orders: z.array(orderSummarySchema).readonly(),
  selections: z.array(selectionSummarySchema).readonly(),
  identities: z.array(identitySummarySchema).readonly(),
  /** Of an experiment on pools. */
  ranking: rankingSummarySchema.optional(),
  /** Of an experiment that looks into the encoder. */
  probe: probeSummarySchema.optional(),
});

export interface Summary extends z.infer<typeof summarySchema> {}

/** What to do about a summary that is not as it was written. */
export const MAKE_AGAIN = 'Remove it and go on with the run (dkv run --resume): it is made again from the trials.';

/**
 * Reads the content of a `summary.json`; equal to the summary that was written.
 * @param file its name, for messages
 * @throws DkvError RUN_DAMAGED naming the field that is not as expected, also for another format
 */
export function parseSummary(content: FileContent, file = SUMMARY_FILE): Summary {
  return parseWhole(file, content, summarySchema, { what: 'the summary of a run', advice: MAKE_AGAIN });
}
