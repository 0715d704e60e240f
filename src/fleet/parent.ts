/** What a delta has to have in common with the generation that it changes. */
import type { z } from 'zod';
import { DkvError } from '../base/errors.js';
import type { Model } from '../scoring/load-model.js';
import {
  expectSameProvenance,
  knownTo,
  type Provenance,
  provenanceOf,
  provenanceSchema,
  type StatesOptions,
} from '../serving/provenance.js';
import { referenceQueriesOf, referenceQueriesSchema } from '../serving/reference-queries.js';
import type { Generation } from '../store/generations/manifest.js';
import { inspectEntry, notesSalt, slotOf, tenantOf } from '../store/records/entry.js';
import type { NoteName } from '../store/store.js';

/**
 * How documents are primed so that their scores compare with the parent's.
 * @throws DkvError STORE_MISMATCH where the parent was primed otherwise, or is another tenant's
 */
export function primedLike(parent: Generation, model: Model, how: StatesOptions, salt: string): Provenance {
  const where = `Generation ${parent.id}`;
  if (parent.manifest.tenant !== tenantOf(salt)) {
    throw new DkvError('STORE_MISMATCH', `${where} is of another tenant than the plan.`);
  }
  const found = noteIn(parent, 'primed', provenanceSchema, salt);
  if (!found) {
    throw new DkvError('STORE_MISMATCH', `${where} does not say how it was primed. Plan all of the corpus instead.`);
  }
  const primed = provenanceOf(knownTo(where, found, model), how);
  expectSameProvenance(where, found, primed);
  return primed;
}

/**
 * The reference queries of the parent's priors, which a delta has too.
 * @param given must be these, where any are given
 * @throws DkvError STORE_MISMATCH
 */
export function priorsLike(
  parent: Generation,
  given: readonly string[] | undefined,
  salt: string,
): readonly string[] | undefined {
  const found = noteIn(parent, 'prior', referenceQueriesSchema, salt);
  if (given === undefined || (found && referenceQueriesOf(given).digest === found.digest)) return found?.queries;
  const has = found ? `${found.queries.length} other reference queries` : 'no reference queries';
  throw new DkvError(
    'STORE_MISMATCH',
    `Generation ${parent.id} was primed with ${has}. Leave --prior out to take what it has, or plan all of the corpus.`,
  );
}

function noteIn<T>({ manifest }: Generation, name: NoteName, schema: z.ZodType<T>, salt: string): T | undefined {
  const slot = slotOf(name, notesSalt(salt));
  const [, bytes] = manifest.notes.find(([own]) => own === slot) ?? [];
  if (bytes === undefined) return undefined;
  const found = schema.safeParse(inspectEntry(Buffer.from(bytes, 'base64'), slot).metadata);
  return found.success ? found.data : undefined;
}
