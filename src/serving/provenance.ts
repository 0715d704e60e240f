/**
 * What made the states of a store: one model and one way for all documents, so that their scores compare. Priming notes it in the
 * store, and whoever reads the states compares it with what they would read them with.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { type Visibility, visibilitySchema } from '../priming/input.js';
import type { Model } from '../scoring/load-model.js';
import { STATES_PRECISIONS, type StatesPrecision, type Store } from '../store/store.js';
import { readNote } from './notes.js';

export const provenanceSchema = z.strictObject({
  model: z.string().describe('The model’s name, for messages: the fingerprint decides.'),
  fingerprint: z.string().describe('Digest of everything that decides the model’s numbers.'),
  modelPrecision: z
    .string()
    .describe('Precision of the model’s weights, with the device where it computes in 16 bits: “float16 on cuda”.'),
  statesPrecision: z.enum(STATES_PRECISIONS).describe('Precision of the states that are kept.'),
  visibility: visibilitySchema.describe('Which rows the decoder sees.'),
  maxTokens: z.int().positive().describe('Longer inputs were cut at the document’s end.'),
  controlTokens: z
    .literal('keep')
    .exactOptional()
    .describe(
      'Where texts gave control tokens as they are written. Absent: text was text, or the store is older than the choice.',
    ),
});

export type Provenance = z.infer<typeof provenanceSchema>;

/** How states are made and kept, besides the model. */
export interface StatesOptions {
  readonly statesPrecision: StatesPrecision;
  readonly visibility: Visibility;
  readonly maxTokens: number;
}

export function provenanceOf(model: Model, options: StatesOptions): Provenance {
  const { name, fingerprint, engine, tokenizer } = model;
  return { model: name, fingerprint, modelPrecision: engine.info.computedAs, ...options, ...keeping(tokenizer) };
}

/**
 * @returns undefined for a store that nothing was primed into
 * @throws DkvError STORE_DAMAGED; STORE_MISMATCH for a note of another form
 */
export async function readProvenance(store: Store): Promise<Provenance | undefined> {
  return readNote(store, 'primed', provenanceSchema);
}

export async function writeProvenance(store: Store, provenance: Provenance): Promise<void> {
  await store.putNote('primed', provenance);
}

/**
 * Checks that a store can be written to, before anything is computed that is to be put there.
 * @throws DkvError STORE_READONLY
 */
export function expectWritable({ isReadOnly, location }: Store): void {
  if (!isReadOnly) return;
  throw new DkvError(
    'STORE_READONLY',
    `${location} may only be read here, nothing can be put into it. Take a store that can be written to, or copy this one (dkv store copy).`,
  );
}

function keeping({ controlTokens }: Model['tokenizer']): Pick<Provenance, 'controlTokens'> {
  return controlTokens === 'keep' ? { controlTokens } : {};
}

/** @throws DkvError STORE_MISMATCH that names every difference */
export function expectSameProvenance(location: string, found: Provenance, wanted: Partial<Provenance>): void {
  const keys = (Object.keys({ controlTokens: undefined, ...wanted }) as (keyof Provenance)[]).filter(
    (key) => key !== 'model',
  );
  const differing = keys.filter((key) => JSON.stringify(found[key]) !== JSON.stringify(wanted[key]));
  if (differing.length === 0) return;
  const show = (provenance: Partial<Provenance>) =>
    differing.map((key) => `${key} ${shown(provenance, key)}`).join(', ');
  throw new DkvError(
    'STORE_MISMATCH',
    `${location} was primed with ${show(found)}; now ${show(wanted)} is asked for. Use what it was primed with, or prime into another store.`,
  );
}

/**
 * The model as a store knows it: under the fingerprint that an earlier release gave it, where that one primed the store.
 * @param found undefined for a store that nothing was primed into
 * @throws DkvError STORE_MISMATCH where that release gave other numbers, naming what has changed
 */
export function knownTo(location: string, found: Provenance | undefined, model: Model): Model {
  const former = model.formerly.find(({ fingerprint }) => fingerprint === found?.fingerprint);
  if (!former) return model;
  if (former.changed === undefined) return { ...model, fingerprint: former.fingerprint };
  throw new DkvError(
    'STORE_MISMATCH',
    `${location} was primed with ${model.name} as ${model.engine.info.computedAs} by release ${former.release}; since then ${former.changed}. Prime it anew (dkv prime --replace), or use that release.`,
  );
}

/**
 * What the store was primed with, if it was with this model, and the model as the store knows it.
 * @throws DkvError STORE_MISMATCH
 */
export async function expectProvenance(
  store: Store,
  given: Model,
): Promise<{ readonly provenance: Provenance; readonly model: Model }> {
  const found = await readProvenance(store);
  if (!found) {
    throw new DkvError('STORE_MISMATCH', `${store.location}: nothing was primed into this store. Run dkv prime first.`);
  }
  return { provenance: found, model: expectPrimedBy(store.location, found, given) };
}

/** The model as the store knows that it primed. @throws DkvError STORE_MISMATCH where another model did */
export function expectPrimedBy(location: string, found: Provenance, given: Model): Model {
  const model = knownTo(location, found, given);
  const { name, fingerprint, engine, tokenizer } = model;
  const asked = { model: name, fingerprint, modelPrecision: engine.info.computedAs, ...keeping(tokenizer) };
  expectSameProvenance(location, found, asked);
  return model;
}

function shown(provenance: Partial<Provenance>, key: keyof Provenance): string {
  if (key === 'fingerprint') return `${provenance.fingerprint?.slice(0, 12)} (${provenance.model})`;
  if (key === 'controlTokens') return provenance.controlTokens ?? 'text';
  const value = provenance[key];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
