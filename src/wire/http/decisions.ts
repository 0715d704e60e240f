/**
 * The decision log of a server, what its caller says became of decisions, and what both say together. A log is JSON lines: a head, then decisions and shadow
 * rankings. No line has a text of a query, a document or a key in it: digests are HMAC-SHA-256 under a salt, the first 128 bits in hex.
 */
import { z } from 'zod';
import { wireObject } from '../case.js';
import { countSchema, estimateSchema } from '../numbers.js';
import { objectiveSchema } from '../ranking.js';

const number = z.number().nullable();
const digest = z.string().regex(/^[0-9a-f]{32}$/);

const scoringShape = {
  variant: z.string().describe('Which of the documents’ caches was read.'),
  objective: objectiveSchema.describe('What was scored.'),
  prior: z.boolean().describe('Each document’s prior was taken off.'),
  interpolate: number.describe('The first stage’s weight; null without.'),
};

const armSchema = wireObject({
  name: z.string().describe('The arm’s name.'),
  share: z.number().describe('The share of units that the arm gets.'),
  ...scoringShape,
  variant: z.string().nullable().describe('Which caches the arm reads; null for the server’s own choice.'),
  objective: objectiveSchema.nullable().describe('What it scores; null for the server’s own choice.'),
  prior: z.boolean().nullable().describe('Whether the prior is taken off; null for the server’s own choice.'),
});

export const decisionLogHeadSchema = wireObject({
  kind: z.literal('log').describe('The first line of a file.'),
  version: z.literal(1).describe('The version of the format.'),
  server: z.string().describe('The server’s name for this start of it, which is in the names of its files.'),
  startedAt: z.iso.datetime().describe('When the file was begun.'),
  experiment: wireObject({
    name: z.string().describe('The experiment’s name.'),
    arms: z.array(armSchema).readonly().describe('Its arms.'),
  })
    .nullable()
    .describe('What was randomised while the file was written; null without an experiment.'),
});

export type DecisionLogHead = z.output<typeof decisionLogHeadSchema>;

const candidateShape = {
  index: countSchema.describe('The document’s place in the request, from 0.'),
  id: z.string().optional().describe('The document’s id.'),
  digest: digest.optional().describe('Digest of the text of a document that came without an id.'),
  position: z.int().positive().describe('The place in the answer’s order, from 1.'),
  score: number.describe(
    'What the order is by, higher first; a fallback’s own in its order. Null where it is not finite.',
  ),
  nll: number.describe('Mean NLL in nats; null where none was computed.'),
  firstStage: number.describe('The score that the caller gave the document; null without.'),
};

export const decisionLineSchema = wireObject({
  kind: z.literal('decision').describe('An answer.'),
  decision: z.string().describe('The answer’s `decision_id`.'),
  time: z.iso.datetime().describe('When it was given.'),
  arm: z.string().nullable().describe('The arm; null outside an experiment.'),
  unit: digest.describe('Digest of what is randomised: of the request’s `unit`, or of the decision’s id without one.'),
  ...scoringShape,
  model: z.string().describe('The model’s fingerprint.'),
  store: z.string().describe('The store, without secrets.'),
  generation: z.string().nullable().describe('The generation that was read; null where no catalogue is served.'),
  calibrated: z.boolean().describe('Scores were probabilities by a calibration.'),
  degraded: z.string().nullable().describe('The error code for which a fallback answered; null where the model did.'),
  query: digest.describe('Digest of the query.'),
  key: z.string().nullable().describe('Id of the caller’s key; null without keys.'),
  tenant: z.string().describe('The caller’s tenant.'),
  candidates: z
    .array(wireObject(candidateShape))
    .readonly()
    .describe('The documents that were ranked, best first; behind those of the answer the log may leave some out.'),
  answered: countSchema.describe('How many of them the answer had: the first ones.'),
  leftOut: countSchema.describe('Candidates that could not be ranked.'),
});

export type DecisionLine = z.output<typeof decisionLineSchema>;

export const shadowLineSchema = wireObject({
  kind: z.literal('shadow').describe('Another variant’s ranking of the same candidates, which nobody was shown.'),
  decision: z.string().describe('The `decision_id` of the answer that it stands beside.'),
  time: z.iso.datetime().describe('When it was made.'),
  ...scoringShape,
  model: z.string().describe('The model’s fingerprint.'),
  generation: z.string().nullable().describe('The generation that was read; null where no catalogue is served.'),
  dropped: z.string().nullable().describe('Why there is no ranking: an error code; null where there is one.'),
  candidates: z
    .array(
      wireObject({
        ...candidateShape,
        shown: z.int().positive().describe('The place in the order that was shown, from 1.'),
      }),
    )
    .readonly()
    .describe('The documents, in the shadow’s order.'),
});

export type ShadowLine = z.output<typeof shadowLineSchema>;

export const outcomeInputSchema = z.looseObject({
  decision_id: z.string().describe('The answer’s `decision_id`.'),
  document_id: z
    .string()
    .optional()
    .describe('The document that was acted upon. `document_id` or `index` must be there.'),
  index: countSchema.optional().describe('The document’s place in the request, from 0, for one that came as a text.'),
  reward: z.number().describe('What it was worth, such as 1 for a click: any finite number.'),
});

const namedSchema = wireObject({
  count: countSchema.describe('How many there are.'),
  first: z.array(z.string()).readonly().describe('The first five.'),
});

export const logEvaluationSchema = wireObject({
  experiment: z.string().nullable().describe('The experiment’s name; null where the log has none.'),
  control: z.string().nullable().describe('The arm that the others are compared with; null without outcomes.'),
  decisions: countSchema.describe('Decisions of the arms.'),
  units: countSchema.describe('Units of randomisation.'),
  outside: countSchema.describe('Decisions without an arm, which are left out.'),
  crossed: namedSchema.describe('Units with decisions in more than one arm: left out.'),
  torn: countSchema.describe('Last lines that a crash cut off: left out.'),
  outcomes: wireObject({
    joined: countSchema.describe('Outcomes that belong to a document of a decision.'),
    unknownDecisions: namedSchema.describe('Outcomes of decisions that are not in the log: left out.'),
    unknownDocuments: namedSchema.describe('Outcomes of documents that the decision did not show: left out.'),
    repeated: namedSchema.describe('Outcomes of a document that has one already: counted as `--repeated` says.'),
  }).describe('What became of the outcomes.'),
  sampleRatio: wireObject({
    chiSquare: z.number().describe('Pearson’s statistic of the units by arm against the shares.'),
    degrees: countSchema.describe('Its degrees of freedom.'),
    p: z.number().describe('P of shares as they were set.'),
    isMismatch: z
      .boolean()
      .describe(
        'P is below .001: the arms did not get the units that they should have, so do not trust the comparison.',
      ),
  })
    .nullable()
    .describe('Whether arms have their shares of units; null where the log has no shares.'),
  arms: z
    .array(
      wireObject({
        name: z.string().describe('The arm’s name.'),
        share: number.describe('The share that was set; null where the log has none.'),
        decisions: countSchema.describe('Its decisions.'),
        units: countSchema.describe('Its units.'),
        degraded: z.number().describe('Share of its decisions that a fallback answered.'),
        reward: estimateSchema.describe('Mean reward of a decision; 0 counts where no outcome came.'),
        positions: z
          .array(number)
          .readonly()
          .describe(
            'Mean reward of the document at each position, from the first; null where no decision has one there.',
          ),
      }),
    )
    .readonly()
    .describe('The arms, the control first.'),
  comparisons: z
    .array(
      wireObject({
        arm: z.string().describe('The arm that is compared with the control.'),
        difference: estimateSchema.describe('Its mean reward less the control’s.'),
        degrees: number.describe('Degrees of freedom of Student’s t.'),
        p: number.describe('P of no difference, two-sided.'),
        holm: number.describe('P corrected by Holm over all arms.'),
        detectable: number.describe('The difference that so many units show with a power of 80%.'),
        unitsNeeded: number.describe(
          'Units of both arms together that show `--detect` with a power of 80%; null without.',
        ),
      }),
    )
    .readonly()
    .describe('Every other arm less the control.'),
  shadows: z
    .array(
      wireObject({
        variant: z.string().describe('What the shadow read.'),
        objective: objectiveSchema.describe('What it scored.'),
        rankings: countSchema.describe('Its rankings.'),
        dropped: countSchema.describe('Rankings that were not made since the server was busy or they failed.'),
        kendall: number.describe('Mean of Kendall’s tau between the order shown and the shadow’s.'),
        first: number.describe('Share of rankings with the same first document.'),
        overlap: z
          .array(
            wireObject({
              k: countSchema.describe('How many of the best.'),
              share: z.number().describe('Mean share that both have among them.'),
            }),
          )
          .readonly()
          .describe('How many of the best documents both have.'),
      }),
    )
    .readonly()
    .describe('How other variants would have ordered the same documents.'),
});

export type LogEvaluation = z.output<typeof logEvaluationSchema>;
