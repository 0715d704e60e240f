/** What a generation consists of: its manifest, a JSON file that is written after everything that it names, and named by its own digest. */
import { z } from 'zod';
import { sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { visibilitySchema } from '../../priming/input.js';
import { parseStoredJson } from '../records/stored-json.js';
import { STATES_PRECISIONS } from '../store.js';

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const shardSchema = z.strictObject({
  part: z.int().nonnegative().describe('Which of 2^bits parts: the first bits of the digest of the id.'),
  digest: digestSchema.describe('SHA-256 of the file, which is its name.'),
  top: digestSchema.describe('Checksum of its index.'),
  sizeBytes: z.int().positive().describe('Bytes of the file.'),
  documents: z.int().nonnegative().describe('Documents in it.'),
  tombstones: z.int().nonnegative().describe('Documents of older layers that are gone.'),
  records: z.int().nonnegative().describe('Records in it.'),
  recordBytes: z.int().nonnegative().describe('Bytes of these records as a store without shards keeps them.'),
});
export type ShardFacts = z.infer<typeof shardSchema>;

export const layerSchema = z.strictObject({
  bits: z.int().min(0).max(24).describe('The number of parts is 2 to this power.'),
  shards: z.array(shardSchema).describe('By part. Parts without documents have none.'),
});
export type Layer = z.infer<typeof layerSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal('directed-kvcache generation').describe('What this is.'),
  version: z.literal(1).describe('Version of the format.'),
  parent: z.string().nullable().describe('The generation that the last layer changes; null for a base alone.'),
  madeAt: z.int().describe('When it was packed, in milliseconds since 1970.'),
  model: z
    .strictObject({
      name: z.string().nullable().describe('The model’s name, for messages; null where the store did not say.'),
      fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
      precision: z.string().describe('Precision of the model’s weights.'),
    })
    .describe('The model that all records are of.'),
  states: z
    .strictObject({
      precision: z.enum(STATES_PRECISIONS).describe('Precision of the states.'),
      width: z.int().positive().describe('Numbers in a row.'),
      visibility: visibilitySchema.nullable().describe('Which rows the decoder sees; null where records differ.'),
      codebook: digestSchema.nullable().describe('Digest of the codebook that states below 8 bits need; null: none.'),
    })
    .describe('What the states of all records have in common.'),
  variants: z
    .array(z.tuple([z.string(), z.int().positive()]))
    .describe('Pairs of a variant’s name and the number of documents that have it.'),
  tenant: z.string().describe('The tenant whose documents these are.'),
  documents: z.int().nonnegative().describe('Documents, all layers together.'),
  notes: z
    .array(z.tuple([z.string(), z.string()]))
    .describe('What the store notes of itself: pairs of a slot and its bytes in base64.'),
  layers: z.array(layerSchema).min(1).describe('The base and then what changes it, oldest first.'),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The shards of all layers, of the oldest first. */
export function shardsOf({ layers }: Pick<Manifest, 'layers'>): ShardFacts[] {
  return layers.flatMap(({ shards }) => shards);
}

/** A published or drafted generation. */
export interface Generation {
  readonly id: string;
  readonly manifest: Manifest;
}

const ID = /^\d{8}T\d{6}-[0-9a-f]{16}$/;

export function isGenerationId(text: string): boolean {
  return ID.test(text);
}

export function encodeManifest(manifest: Manifest): { readonly id: string; readonly bytes: Buffer } {
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`, 'utf8');
  const time = new Date(manifest.madeAt)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '');
  return { id: `${time}-${digestOf(bytes)}`, bytes };
}

/** @throws DkvError STORE_DAMAGED, STORE_MISMATCH for a manifest of a later version */
export function decodeManifest(id: string, bytes: Buffer): Manifest {
  const damaged = (reason: string) =>
    new DkvError('STORE_DAMAGED', `The manifest of generation ${id} is damaged: ${reason}. It is not served.`);
  if (id.split('-')[1] !== digestOf(bytes)) throw damaged('it is not what its name says');
  const parsed = parseStoredJson(manifestSchema, bytes);
  if (parsed.success) return parsed.data;
  const version = parseStoredJson(z.looseObject({ version: z.int().min(2) }), bytes);
  if (!version.success) throw damaged(parsed.problem);
  throw new DkvError(
    'STORE_MISMATCH',
    `Generation ${id} has format version ${version.data.version}, this package reads up to 1. Use a later one.`,
  );
}

function digestOf(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex').slice(0, 16);
}
