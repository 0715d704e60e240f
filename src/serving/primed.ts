/**
 * What priming leaves in a store beside the states: with what the whole store was primed, and what is known of each document. Priming
 * writes both, ranking reads both.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { type Visibility, visibilitySchema } from '../priming/input.js';
import type { Model } from '../scoring/load-model.js';
import { type Metadata, type NoteName, STATES_PRECISIONS, type StatesPrecision, type Store } from '../store/store.js';

/** Variant of a document that stands alone in the encoder. The others are named by the specification of their surrogate. */
export const BARE = 'bare';

const primedSchema = z.strictObject({
  /** For messages only: the fingerprint decides. */
  model: z.string(),
  fingerprint: z.string(),
  modelPrecision: z.string(),
  statesPrecision: z.enum(STATES_PRECISIONS),
  visibility: visibilitySchema,
  /** Longer inputs were cut at the document's end. */
  maxTokens: z.int().positive(),
  /** Where texts gave control tokens as they are written. Absent: text was text, or the store is older than the choice. */
  controlTokens: z.literal('keep').optional(),
});

/** The same for all documents of a store, so that their scores compare. */
export type Primed = z.infer<typeof primedSchema>;

export interface PrimedOptions {
  readonly statesPrecision: StatesPrecision;
  readonly visibility: Visibility;
  readonly maxTokens: number;
}

export function primedBy(model: Model, options: PrimedOptions): Primed {
  const { name, fingerprint, engine, tokenizer } = model;
  return { model: name, fingerprint, modelPrecision: engine.info.precision, ...options, ...keeping(tokenizer) };
}

/**
 * @returns undefined for a store that nothing was primed into
 * @throws DkvError STORE_DAMAGED; STORE_MISMATCH for a note of another form
 */
export async function readPrimed(store: Store): Promise<Primed | undefined> {
  return readNote(store, 'primed', primedSchema);
}

async function readNote<T>(store: Store, name: NoteName, schema: z.ZodType<T>): Promise<T | undefined> {
  const note = await store.note(name);
  if (!note) return undefined;
  const parsed = schema.safeParse(note);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DkvError(
    'STORE_MISMATCH',
    `${store.location}: what it notes of itself as "${name}" has another form (${issue?.path.join('.')}: ${issue?.message}). Use the version that primed it, or prime it anew (dkv prime --replace).`,
  );
}

export async function writePrimed(store: Store, primed: Primed): Promise<void> {
  await store.putNote('primed', primed as unknown as Metadata);
}

/** Before anything is computed that is to be put there. @throws DkvError STORE_READONLY */
export function expectWritable({ isReadOnly, location }: Store): void {
  if (!isReadOnly) return;
  throw new DkvError(
    'STORE_READONLY',
    `${location} may only be read here, nothing can be put into it. Take a store that can be written to, or copy this one (dkv store copy).`,
  );
}

function keeping({ controlTokens }: Model['tokenizer']): Pick<Primed, 'controlTokens'> {
  return controlTokens === 'keep' ? { controlTokens } : {};
}

/** @throws DkvError STORE_MISMATCH that names every difference */
export function expectPrimed(location: string, found: Primed, wanted: Partial<Primed>): void {
  const keys = (Object.keys({ controlTokens: undefined, ...wanted }) as (keyof Primed)[]).filter(
    (key) => key !== 'model',
  );
  const differing = keys.filter((key) => JSON.stringify(found[key]) !== JSON.stringify(wanted[key]));
  if (differing.length === 0) return;
  const show = (primed: Partial<Primed>) => differing.map((key) => `${key} ${shown(primed, key)}`).join(', ');
  throw new DkvError(
    'STORE_MISMATCH',
    `${location} was primed with ${show(found)}; now ${show(wanted)} is asked for. Use what it was primed with, or prime into another store.`,
  );
}

/**
 * What the store was primed with, if it was with this model.
 * @throws DkvError STORE_MISMATCH
 */
export async function expectPrimedWith(store: Store, { name, fingerprint, engine, tokenizer }: Model): Promise<Primed> {
  const primed = await readPrimed(store);
  if (!primed) {
    throw new DkvError('STORE_MISMATCH', `${store.location}: nothing was primed into this store. Run dkv prime first.`);
  }
  const asked = { model: name, fingerprint, modelPrecision: engine.info.precision, ...keeping(tokenizer) };
  expectPrimed(store.location, primed, asked);
  return primed;
}

function shown(primed: Partial<Primed>, key: keyof Primed): string {
  if (key === 'fingerprint') return `${primed.fingerprint?.slice(0, 12)} (${primed.model})`;
  if (key === 'controlTokens') return primed.controlTokens ?? 'text';
  const value = primed[key];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const referenceSchema = z.strictObject({
  /** SHA-256 in hex of the queries, in their order. */
  digest: z.string(),
  queries: z.array(z.string()),
});

/** What every document's prior is computed with. */
export type ReferenceQueries = z.infer<typeof referenceSchema>;

export function referencesOf(queries: readonly string[]): ReferenceQueries {
  return { digest: createHash('sha256').update(JSON.stringify(queries)).digest('hex'), queries: [...queries] };
}

/** @returns undefined for a store whose documents have no prior */
export async function readReferences(store: Store): Promise<ReferenceQueries | undefined> {
  return readNote(store, 'prior', referenceSchema);
}

export async function writeReferences(store: Store, references: ReferenceQueries): Promise<void> {
  await store.putNote('prior', references as unknown as Metadata);
}

const documentSchema = z.strictObject({
  /** What the input said of the document beside its text. */
  fields: z.record(z.string(), z.json()),
  /** Per variant the mean NLL in nats a token of the reference queries; absent where none were given. */
  priors: z.record(z.string(), z.number()).optional(),
  /** Of the reference queries that `priors` were computed with. */
  priorDigest: z.string().optional(),
});

/** The metadata of a primed document. */
export type PrimedDocument = z.infer<typeof documentSchema>;

export function documentMetadata(document: PrimedDocument): Metadata {
  return document as unknown as Metadata;
}

/** @throws DkvError STORE_MISMATCH when something else than priming stored the document */
export function parseDocumentMetadata(id: string, metadata: Metadata): PrimedDocument {
  const parsed = documentSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  throw new DkvError(
    'STORE_MISMATCH',
    `Document ${JSON.stringify(id)} was not stored by priming: ${parsed.error.issues[0]?.message}. Prime it again.`,
  );
}
