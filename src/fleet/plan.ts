/** What a plan says, and how a corpus is cut: everything about plans that touches no file. */
import { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { PRECISIONS } from '../model/graph/layout.js';
import { provenanceSchema } from '../serving/provenance.js';
import { parseStoredJson } from '../store/records/stored-json.js';

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const chunkSchema = z.strictObject({
  part: z.int().nonnegative().describe('Which of 2^bits parts of the generation’s layer it is.'),
  rows: z.int().nonnegative().describe('Rows of the corpus in it.'),
  removed: z.int().nonnegative().describe('Documents of the parent that it takes out.'),
  digest: digestSchema.describe('SHA-256 of its file, unpacked.'),
});
export type Chunk = z.infer<typeof chunkSchema>;

export const planSchema = z.strictObject({
  format: z.literal('directed-kvcache fleet plan').describe('What this is.'),
  version: z.literal(1).describe('Version of the format.'),
  release: z.string().describe('The release that planned, and that has to work.'),
  corpus: z
    .array(
      z.strictObject({
        name: z.string().describe('The file or address, as it was given.'),
        rows: z.int().nonnegative().describe('Its rows.'),
        digest: digestSchema.describe('SHA-256 of the digests of its rows, in their order.'),
      }),
    )
    .min(1)
    .describe('What was planned, in order.'),
  model: z
    .strictObject({
      reference: z.string().describe('What to load, as --model takes it.'),
      precision: z.enum(PRECISIONS).describe('Precision of the weights to load it with.'),
      weights: z.string().nullable().describe('SHA-256 of the checkpoint’s weights; null where it is not known.'),
    })
    .describe('The model. Its fingerprint, in `primed`, decides.'),
  primed: provenanceSchema.describe('How all documents are primed, as a store notes it.'),
  surrogates: z.array(z.string()).describe('Specifications of the surrogates, a variant each.'),
  bare: z.boolean().describe('Whether each document is also primed alone.'),
  keepText: z.boolean().describe('Whether records keep their documents’ texts.'),
  priorQueries: z.array(z.string()).nullable().describe('Reference queries of the documents’ priors; null for none.'),
  expiresAt: z.int().nullable().describe('When the documents expire, in milliseconds since 1970; null: never.'),
  tenant: z.string().describe('The tenant whose documents these are: a digest of its salt.'),
  parent: z.string().nullable().describe('The generation that a delta is made to; null for a base.'),
  unchanged: z
    .strictObject({
      documents: z.int().nonnegative().describe('Documents of the parent that stay as they are.'),
      variants: z.array(z.tuple([z.string(), z.int().positive()])).describe('How many of these have each variant.'),
    })
    .describe('What a delta leaves alone; nothing for a base.'),
  bits: z.int().min(0).max(24).describe('The layer has 2^bits parts, by the first bits of the digests of ids.'),
  chunks: z.array(chunkSchema).describe('One for each part that has anything, numbered from 0 in this order.'),
});
export type Plan = z.infer<typeof planSchema>;

export interface NamedPlan {
  /** The first 16 hex digits of the SHA-256 of its bytes: planning the same again gives the same id. */
  readonly id: string;
  readonly plan: Plan;
}

export const DEFAULT_CHUNK_ROWS = 1000;
const MOST_BITS = 24;

/** The number of first bits of digests that cut so many rows into chunks of about so many. */
export function bitsForRows(rows: number, perChunk: number): number {
  return Math.min(MOST_BITS, Math.max(0, Math.ceil(Math.log2(Math.max(1, rows) / perChunk))));
}

export function isPlanId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

export function encodePlan(plan: Plan): { readonly id: string; readonly bytes: Buffer } {
  const bytes = Buffer.from(`${JSON.stringify(plan)}\n`, 'utf8');
  return { id: idOf(bytes), bytes };
}

/** @throws DkvError STORE_DAMAGED, STORE_MISMATCH for a plan of a later version */
export function decodePlan(id: string, bytes: Buffer): Plan {
  const damaged = (reason: string) => new DkvError('STORE_DAMAGED', `Plan ${id} is damaged: ${reason}. Plan again.`);
  if (idOf(bytes) !== id) throw damaged('it is not what its name says');
  const parsed = parseStoredJson(planSchema, bytes);
  if (parsed.success) return parsed.data;
  const later = parseStoredJson(z.looseObject({ version: z.int().min(2), release: z.string() }), bytes);
  if (!later.success) throw damaged(parsed.problem);
  throw new DkvError(
    'STORE_MISMATCH',
    `Plan ${id} was made by release ${later.data.release}, whose plans this one cannot read. Use that release.`,
  );
}

/** @throws DkvError INPUT_INVALID */
export function chunkAt({ id, plan }: NamedPlan, number: number): Chunk {
  const chunk = plan.chunks[number];
  if (chunk) return chunk;
  const range = plan.chunks.length === 0 ? 'it has none' : `they are numbered from 0 to ${plan.chunks.length - 1}`;
  throw new DkvError('INPUT_INVALID', `Plan ${id} has no chunk ${number}: ${range}.`);
}

function idOf(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex').slice(0, 16);
}
