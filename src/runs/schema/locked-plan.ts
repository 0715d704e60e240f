/**
 * What a run was to be, written down before its first trial and locked by a digest: a plan that `dkv plan` writes and `dkv run --plan` runs under. Its own
 * file and a part of `run.json`; how far the run came out as planned is a part of `summary.json`.
 */
import { z } from 'zod';
import { configurationSchema } from './configuration.js';
import { estimateSchema } from './gains.js';

/** A plan of another format is not read by this version. */
export const PLAN_FORMAT = 1;

const count = z.number().int().nonnegative();

export const HYPOTHESES = ['difference', 'equivalence'] as const;

/** The planned test's hypothesis: that the mean is different from 0, or that it lies within the margin around 0. */
export type Hypothesis = (typeof HYPOTHESES)[number];

/** The unit of differences that are not those of a ranking's measure. */
export const NATS = 'nats per token';

const plannedTestSchema = z.strictObject({
  treatment: z.string().describe('The primary comparison’s treatment.'),
  baseline: z.string().describe('The primary comparison’s baseline.'),
  measure: z.string().describe(`What is compared: ${NATS}, or the first measure of a ranking.`),
  hypothesis: z
    .enum(HYPOTHESES)
    .describe(
      'What the test of the mean asks at 5%: is it different from 0 (two-sided), or is it shown to lie within the margin (two one-sided tests)?',
    ),
  margin: z.number().positive().describe('The smallest mean difference of interest, in what is compared.'),
});

/** The one test that the run is made for. */
export type PlannedTest = z.infer<typeof plannedTestSchema>;

const codeSchema = z.strictObject({
  version: z.string().describe('The package’s version.'),
  digest: z.string().describe('SHA-256 over the package’s own code, file by file.'),
});

export type Code = z.infer<typeof codeSchema>;

/** The early ends of a run, before it has all samples: the first need no help (`ceiling`), or are hardly ranked at all (`floor`). */
const EARLY_ENDS = ['ceiling', 'floor'] as const;

const earlyEndsSchema = z.array(z.enum(EARLY_ENDS)).readonly();

/** The early ends that a run may make. */
export type EarlyEnds = z.infer<typeof earlyEndsSchema>;

const pilotSchema = z.strictObject({
  started_at: z.string().describe('When the pilot was started.'),
  samples: z.array(z.string()).readonly().describe('Ids of the pilot’s samples, none of which may be run again.'),
  clusters: count.describe('Clusters of those that were scored.'),
  mean: z.number().describe('Mean difference in the pilot; the power is not reckoned for it.'),
  standard_deviation: z.number().describe('Standard deviation of the differences.'),
  standard_deviation_interval: z
    .strictObject({
      low: z.number().describe('Its lower end.'),
      high: z.number().describe('Its upper end.'),
    })
    .describe(
      'Its 95% interval, by drawing whole clusters: the number of samples goes with the square of the standard deviation.',
    ),
  icc: z.number().nullable().describe('Intraclass correlation in the clusters; null where undefined.'),
  power: z.number().describe('The power that was asked for.'),
  simulations: count.describe('Simulated runs of each number of samples.'),
  simulated: z
    .array(
      z.strictObject({
        samples: count.describe('Number of samples, in clusters like the pilot’s.'),
        power: z.number().describe('Share of the simulated runs in which the test says what is to be shown.'),
      }),
    )
    .readonly()
    .describe('What was simulated, by number of samples.'),
  worth: count.describe(
    'So many samples in clusters like the pilot’s know the mean as well as those that are planned: fewer where the planned data have larger clusters.',
  ),
});

export const planContentSchema = z.strictObject({
  format: z.literal(PLAN_FORMAT).describe('Version of the file’s form.'),
  made_at: z.string().describe('When the plan was made, as ISO 8601.'),
  test: plannedTestSchema.describe('The one test that the run is made for.'),
  configuration: configurationSchema.describe(
    'What the run is to be: its experiment, its number of samples, its data and its model, with their digests.',
  ),
  exclusions: z.array(z.string()).readonly().describe('Rules by which a sample is rejected, and there are no others.'),
  early_ends: earlyEndsSchema.describe('Where the run ends before it has all samples, and nowhere else.'),
  clusters: z
    .strictObject({
      by: z.string().describe('What samples of one cluster share.'),
      number: count.describe('Clusters of the planned samples.'),
      largest: count.describe('Samples of the largest cluster.'),
    })
    .describe('Which samples are taken as dependent.'),
  code: codeSchema.describe('The program that made the plan.'),
  pilot: pilotSchema.optional().describe('The run that the number of samples comes from; absent without one.'),
});

/** The content of a plan, without the digest that locks it. */
export type PlanContent = z.infer<typeof planContentSchema>;

export const lockedPlanSchema = planContentSchema.extend({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
    .describe(
      'SHA-256 of the plan’s other members as JSON with their names in order and without white space: a plan that was changed has another.',
    ),
});

/** A plan together with the digest that locks it. */
export type LockedPlan = z.infer<typeof lockedPlanSchema>;

export const plannedRunSchema = z.strictObject({
  locked: lockedPlanSchema.describe('The plan as it was given.'),
  computed_by: z
    .array(
      codeSchema.extend({
        since: z.string().describe('When it first computed.'),
        early_ends: earlyEndsSchema.describe('Where it would have ended early.'),
      }),
    )
    .readonly()
    .describe('The programs that computed the run, one after the other where it was resumed by another.'),
});

/** What a run's record keeps of its plan. */
export type PlannedRun = z.infer<typeof plannedRunSchema>;

const deviationSchema = z.strictObject({
  of: z
    .enum([
      'primary comparison',
      'margin',
      'number of samples',
      'exclusions',
      'clusters',
      'definition',
      'data',
      'model',
      'settings',
      'code',
      'early end',
    ])
    .describe('What is not as planned.'),
  field: z.string().describe('The field, by its path.'),
  planned: z.string().describe('What was planned.'),
  found: z.string().describe('What there is.'),
});

export type Deviation = z.infer<typeof deviationSchema>;

export const planOutcomeSchema = z.strictObject({
  sha256: z.string().describe('The plan’s digest.'),
  test: plannedTestSchema.describe('The planned test.'),
  mean: estimateSchema.describe('The mean difference that the test is of, with its 95% interval.'),
  p: z
    .number()
    .nullable()
    .describe('P of the planned test; null with too few clusters, or where the run does not have the comparison.'),
  deviations: z.array(deviationSchema).readonly().describe('What is not as planned; empty where all is.'),
});

/** How a run compares with its plan. */
export type PlanOutcome = z.infer<typeof planOutcomeSchema>;
