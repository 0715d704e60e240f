/** What a store was primed with, and what priming answers: `dkv prime` and `dkv store`. */
import { z } from 'zod';
import { visibilitySchema } from '../priming/input.js';
import { STATES_PRECISIONS } from '../store/store.js';
import { wireObject } from './case.js';
import { countSchema, measuredSchema } from './numbers.js';

export const provenanceSchema = wireObject({
  model: z.string().describe('The model’s name, for people: the fingerprint decides.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  modelPrecision: z
    .string()
    .describe('Precision of the model’s weights, with the device where it computes in 16 bits: “float16 on cuda”.'),
  statesPrecision: z.enum(STATES_PRECISIONS).describe('Precision of the states that are kept.'),
  visibility: visibilitySchema.describe('Which rows the decoder sees.'),
  maxTokens: countSchema.describe('Longer inputs were cut at the document’s end.'),
  controlTokens: z
    .literal('keep')
    .optional()
    .describe('Present where the spelling of a control token in a text was read as the token.'),
}).meta({ id: 'provenance' });

export const primeRejectSchema = wireObject({
  row: z.int().positive().describe('The row’s number in the input, from 1.'),
  id: z.string().optional().describe('The document’s id, where the row has one.'),
  reason: z.string().describe('Why the document was not primed.'),
});

export const primeSummarySchema = wireObject({
  store: z.string().describe('Where the documents are.'),
  rows: countSchema.describe('Rows taken from the input, those of other shards included.'),
  documents: countSchema.describe('Documents of this shard: primed, unchanged, rejected or replaced.'),
  primed: countSchema.describe('Documents that were put into the store.'),
  unchanged: countSchema.describe('Documents that the store already held, unchanged.'),
  rejected: countSchema.describe('Documents that could not be primed; each has a line in the file of rejects.'),
  replaced: countSchema.describe(
    'Documents whose id a later row has too, which counts. The ids of the first million documents are remembered; beyond these, only those that are read together.',
  ),
  cut: countSchema.describe('Documents that were cut at their end to keep to the maximum length.'),
  tokens: countSchema.describe('Tokens that the encoder read.'),
  encoded: countSchema.describe('Passes through the encoder.'),
  literal: countSchema.describe('Documents whose text or surrogate contains the spelling of a control token.'),
  seconds: z.number().describe('Seconds that it took.'),
  variants: z.array(z.string()).readonly().describe('What the documents were primed as.'),
  dropped: z
    .record(z.string(), countSchema)
    .readonly()
    .describe('Per variant that was not named, how many documents lost it because they have changed.'),
  literalTokens: z.array(z.string()).readonly().describe('The control tokens of those that `literal` counts.'),
  documentsPerSecond: measuredSchema.describe('Primed and unchanged documents in a second.'),
  tokensPerSecond: measuredSchema.describe('Tokens that the encoder read in a second.'),
  bytesPerDocument: z
    .number()
    .nullable()
    .describe('Bytes of the records that were stored for a document, without headers; null without any.'),
  rejects: z.string().optional().describe('The file of rejects, where something was rejected.'),
});

const placeSchema = z.string().describe('The store’s location.');

export const storeStatsSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records of states.'),
  documents: countSchema.describe('Ids, of all tenants.'),
  pinned: countSchema.describe('Records that are neither evicted nor collected.'),
  sizeBytes: countSchema.describe('Bytes of the records, without the storage’s own overhead.'),
  maxBytes: countSchema.optional().describe('The most bytes that it may have, where there is a cap.'),
  primed: provenanceSchema.nullable().describe('What it was primed with; null before anything is.'),
  prior: wireObject({
    digest: z.string().describe('SHA-256 of the reference queries as a JSON array.'),
    queries: z.array(z.string()).readonly().describe('The queries, in their order.'),
  })
    .nullable()
    .describe('Reference queries of the documents’ priors; null without.'),
  calibration: z
    .record(
      z.string(),
      wireObject({
        x: z.array(z.number()).readonly().describe('Scores, ascending.'),
        y: z
          .array(z.number())
          .readonly()
          .describe('Probability of relevance at each: linear between, constant beyond.'),
        queries: countSchema.describe('Judged queries that it was made with.'),
        documents: countSchema.describe('Candidates that it was made with.'),
      }),
    )
    .nullable()
    .describe('Calibrations, each under a JSON array of what its scores were made with; null without any.'),
});

export const storeVerificationSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records that were read.'),
  documents: countSchema.describe('Documents that were read.'),
  notes: countSchema.describe('Notes that were read.'),
  damaged: z
    .array(
      wireObject({
        kind: z.enum(['record', 'document', 'note']).describe('What is damaged.'),
        key: z.string().describe('A record’s key, the name of a document’s place, or a note’s name.'),
        reason: z.string().describe('What is wrong with it.'),
      }),
    )
    .readonly()
    .describe('What is not as it was put there.'),
  removed: countSchema.describe('How many of the damaged ones were taken out.'),
});

export const storeCollectionSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records that were taken away.'),
  sizeBytes: countSchema.describe('Bytes of these records.'),
  documents: countSchema.describe('Documents that had expired.'),
});

export const storeTransferSchema = wireObject({
  documents: countSchema.describe('Documents carried over.'),
  records: countSchema.describe('Records written: one that documents share may be written more than once.'),
  notes: countSchema.describe('Notes carried over.'),
  unchanged: countSchema.describe('Documents that the other store already held, unchanged.'),
  incomplete: countSchema.describe('Documents left out: some of their records are gone.'),
});
