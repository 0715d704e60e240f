/** Rankings of stored documents and what they are worth: `dkv rank` and `dkv evaluate`. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema, estimateSchema, gainSchema } from './numbers.js';
import { provenanceSchema } from './primed.js';

export const objectiveSchema = z.enum(['query-likelihood', 'answer-likelihood', 'relevance']);

const objective = objectiveSchema.describe(
  'What is scored: the query, its answer after the query, or whether the first word after both means relevant.',
);

const relevanceShape = {
  relevantToken: z.string().describe('The decoder’s first word for a relevant document.'),
  irrelevantToken: z
    .string()
    .optional()
    .describe(
      'The decoder’s first word for another document: scores are the log of the odds between the two. Left out: of the relevant word’s probability.',
    ),
  prompt: z.string().describe('What the decoder reads before that word, with `{query}` for the query’s text.'),
};

const ids = z.array(z.string()).readonly();

const rejectedSchema = z
  .array(
    wireObject({
      query: z.string().describe('Id of the query.'),
      id: z.string().describe('Id of the document.'),
      reason: z.string().describe('Why the document has no score.'),
    }),
  )
  .readonly();

const unrankedSchema = wireObject({
  withoutCandidates: ids.describe('Judged queries that were asked and had no candidates.'),
  notAsked: ids.describe('Judged queries that are not among the queries.'),
}).describe('Judged queries without a ranking: they count 0.');

export const rankedLineSchema = wireObject({
  query: z.string().describe('Id of the query.'),
  id: z.string().describe('Id of the document.'),
  rank: z.int().positive().describe('The document’s place, from 1.'),
  score: z
    .number()
    .describe(
      'Higher is better: -nll, or the log of odds of relevance; plus the prior where it is taken off, or mixed with the first stage’s.',
    ),
  nll: z
    .number()
    .nullable()
    .describe('Mean NLL over the target’s tokens, in nats; null of odds, and for a missing document put last.'),
  nllSum: z.number().nullable().describe('Sum of the NLLs of the target’s tokens.'),
  tokens: countSchema.describe('Tokens of the target.'),
  relevanceScore: z.number().optional().describe('Probability of relevance, where there is a calibration.'),
  firstStage: z.number().optional().describe('The score that an earlier stage gave the document.'),
});

export const rankedRunSchema = wireObject({
  store: z.string().describe('The store’s location.'),
  model: z.string().describe('The model’s name.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  builtIn: z.boolean().describe('It is the built-in model.'),
  objective,
  relevance: wireObject(relevanceShape).optional().describe('Present for the objective `relevance`.'),
  variant: z.string().describe('Which of the documents’ caches was read.'),
  prior: z.boolean().describe('Each document’s prior was added to its score.'),
  interpolate: z.number().nullable().describe('The first stage’s weight; null without.'),
  queries: countSchema.describe('Queries that have a ranking.'),
  documents: countSchema.describe('Lines of the run.'),
  missing: ids.describe('Candidates that the store does not have.'),
  rejected: rejectedSchema.describe(
    'Candidates without a score, since it is not finite, the query too long for the decoder, or the record damaged: in no ranking.',
  ),
  measures: z
    .array(
      wireObject({
        name: z.string().describe('As in ir_measures.'),
        mean: z
          .number()
          .nullable()
          .describe('Mean over the judged queries with a relevant document; null without any.'),
        queries: countSchema.describe('How many queries these are.'),
        judgedMean: z.number().nullable().describe('Mean over all judged queries; null for AUC.'),
        judgedQueries: countSchema.describe('How many queries these are.'),
      }),
    )
    .readonly()
    .describe('What the ranking is worth by judgements; empty without any.'),
  unranked: unrankedSchema,
});

const standingSchema = wireObject({
  system: z.string().describe('The system’s name.'),
  mean: z
    .number()
    .nullable()
    .describe('The system’s mean of the measure, over the queries with a relevant document; null without any.'),
  betterThan: ids.describe('The systems that it is shown to be better than.'),
  undecided: ids.describe('The systems with another mean that it is not shown to be better than.'),
});

const verdictSchema = wireObject({
  measure: z.string().describe('The measure that decides.'),
  comparisons: countSchema.describe('Pairs of systems that the correction is over.'),
  queries: countSchema.describe('Judged queries with a relevant document.'),
  queriesNeeded: countSchema.describe('Fewer queries than this cannot show any difference between so many systems.'),
  best: standingSchema.describe('The best of all systems, with evidence.'),
  bestCache: standingSchema.describe('The best of the model’s caches, with evidence.'),
  rerank: z
    .enum(['yes', 'no', 'undecided'])
    .nullable()
    .describe('`yes`: a cache is shown to be better than BM25; `no`: worse; null without BM25.'),
  rerankMargin: wireObject({
    treatment: z.string().describe('A cache’s name.'),
    baseline: z.string().describe('BM25’s name.'),
    difference: estimateSchema.describe('The cache’s mean less BM25’s.'),
    holm: z.number().nullable().describe('The difference’s p, corrected over all pairs of systems.'),
  })
    .nullable()
    .describe('What `rerank` rests on.'),
});

export const evaluationSchema = wireObject({
  store: z.string().describe('The store’s location.'),
  primed: provenanceSchema.describe('What it was primed with.'),
  objective,
  relevance: wireObject({
    ...relevanceShape,
    template: z.string().describe('What a cross-encoder reads, with `{query}` and `{document}` for their texts.'),
  })
    .optional()
    .describe('Present for the objective `relevance`.'),
  prior: z.boolean().describe('Each document’s prior was added to its score.'),
  seed: z.int().describe('Seed of the bootstrap.'),
  queries: countSchema.describe('Queries with judgements and candidates.'),
  unranked: unrankedSchema,
  candidates: countSchema.describe('Candidates of all queries together.'),
  missing: ids.describe('Candidates that were left out for every system.'),
  rejected: rejectedSchema.describe('Candidates without a score: their queries are left out for every system.'),
  primary: z.string().describe('The measure that decides.'),
  measures: z
    .array(
      wireObject({
        name: z.string().describe('As in ir_measures.'),
        queries: countSchema.describe('Judged queries with a relevant document.'),
        judgedQueries: countSchema.describe('All judged queries.'),
      }),
    )
    .readonly()
    .describe('The measures that the lists below are in the order of.'),
  systems: z
    .array(
      wireObject({
        name: z.string().describe('`bm25`, `bare`, a surrogate’s specification, or `cross-encoder`, the upper bound.'),
        encoderPasses: wireObject({
          perQuery: z.number().describe('Encoder passes when a query comes, on average.'),
          perDocument: countSchema.describe('Encoder passes for each document beforehand.'),
        }).describe('What the system costs in passes of the encoder.'),
        means: z
          .array(estimateSchema)
          .readonly()
          .describe('Per measure the mean over the queries with a relevant document.'),
        judgedMeans: z
          .array(z.number().nullable())
          .readonly()
          .describe('Per measure the mean over all judged queries; null for AUC.'),
      }),
    )
    .readonly()
    .describe('What was compared, the simplest first.'),
  comparisons: z
    .array(
      wireObject({
        treatment: z.string().describe('A system’s name.'),
        baseline: z.string().describe('A system that stands before it.'),
        differences: z
          .array(gainSchema.nullable())
          .readonly()
          .describe('Per measure, treatment less baseline query by query; null without a query.'),
        holm: z
          .array(z.number().nullable())
          .readonly()
          .describe('Per measure, p of random signs corrected by Holm over all pairs.'),
      }),
    )
    .readonly()
    .describe('Every pair of systems.'),
  verdict: verdictSchema.describe('What the comparisons say, and what they do not.'),
  calibrations: z
    .array(
      wireObject({
        relevant: z.number().describe('Share of the candidates that is relevant.'),
        brier: wireObject({
          constant: z.number().describe('Error where every candidate is given that share.'),
          raw: z.number().describe('Error of exp(score), or of the probability that log odds say.'),
          calibrated: z.number().describe('Error of the calibrated score.'),
        })
          .nullable()
          .describe('Mean squared errors on queries that were not fitted on; null with fewer than two queries.'),
        variant: z.string().describe('The variant whose scores were calibrated.'),
      }),
    )
    .readonly()
    .describe('Calibrations that were fitted and stored.'),
});
