/** What a store was primed with, and what priming answers: `dkv prime` and `dkv store`. */
import { z } from 'zod';
import { visibilitySchema } from '../priming/input.js';
import { STATES_PRECISIONS } from '../store/store.js';
import { wireObject } from './case.js';
import { countSchema, measuredSchema } from './numbers.js';

export const provenanceSchema = wireObject({
  model: z.string().describe('Its name, for people: the fingerprint decides.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  modelPrecision: z.string().describe('Of its weights.'),
  statesPrecision: z.enum(STATES_PRECISIONS).describe('Of what is kept.'),
  visibility: visibilitySchema.describe('Which rows the decoder sees.'),
  maxTokens: countSchema.describe('Longer inputs were cut at the document’s end.'),
  controlTokens: z.literal('keep').optional().describe('There where texts gave control tokens as they are written.'),
}).meta({ id: 'provenance' });

export const primeRejectSchema = wireObject({
  row: z.int().positive().describe('Its number in the input, from 1.'),
  id: z.string().optional().describe('There where the row has one.'),
  reason: z.string().describe('Why it was not primed.'),
});

export const primeSummarySchema = wireObject({
  store: z.string().describe('Where the documents are.'),
  rows: countSchema.describe('Taken from the input, those of other shards included.'),
  documents: countSchema.describe('Of this shard: primed, unchanged or rejected.'),
  primed: countSchema.describe('Put into the store.'),
  unchanged: countSchema.describe('The store had them just so.'),
  rejected: countSchema.describe('Could not be primed; each has a line in the file of rejects.'),
  cut: countSchema.describe('Cut at their end to keep to the maximum length.'),
  tokens: countSchema.describe('That the encoder read.'),
  encoded: countSchema.describe('Passes through the encoder.'),
  literal: countSchema.describe('With control tokens in document or surrogate as they are written.'),
  seconds: z.number().describe('That it took.'),
  variants: z.array(z.string()).readonly().describe('What the documents were primed as.'),
  literalTokens: z.array(z.string()).readonly().describe('The control tokens of those that `literal` counts.'),
  documentsPerSecond: measuredSchema.describe('Primed and unchanged ones.'),
  tokensPerSecond: measuredSchema.describe('That the encoder read.'),
  bytesPerDocument: z
    .number()
    .nullable()
    .describe('Of the records that were stored, without headers; null without any.'),
  rejects: z.string().optional().describe('The file of rejects, where something was rejected.'),
});

const placeSchema = z.string().describe('Its location.');

export const storeStatsSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records of states.'),
  documents: countSchema.describe('Ids, of all tenants.'),
  pinned: countSchema.describe('Records that are neither evicted nor collected.'),
  sizeBytes: countSchema.describe('Of the records, without the storage’s own overhead.'),
  maxBytes: countSchema.optional().describe('The cap, where there is one.'),
  primed: provenanceSchema.nullable().describe('What it was primed with; null before anything is.'),
  prior: wireObject({
    digest: z.string().describe('SHA-256 of the reference queries as a JSON array.'),
    queries: z.array(z.string()).readonly().describe('Reference queries of the documents’ priors.'),
  })
    .nullable()
    .describe('Null for documents without priors.'),
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
    .describe('By what the scores were made with, a JSON array: a calibration. Null without any.'),
});

export const storeVerificationSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records read.'),
  documents: countSchema.describe('Documents read.'),
  notes: countSchema.describe('Notes read.'),
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
  removed: countSchema.describe('How many of them were taken out.'),
});

export const storeCollectionSchema = wireObject({
  store: placeSchema,
  records: countSchema.describe('Records that were taken away.'),
  sizeBytes: countSchema.describe('Their bytes.'),
  documents: countSchema.describe('Documents that had expired.'),
});

export const storeTransferSchema = wireObject({
  documents: countSchema.describe('Documents carried over.'),
  records: countSchema.describe('Records written: one that documents share may be written more than once.'),
  notes: countSchema.describe('Notes carried over.'),
  unchanged: countSchema.describe('Documents that were there just so.'),
  incomplete: countSchema.describe('Documents left out: some of their records are gone.'),
});
