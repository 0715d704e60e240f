/**
 * What is expected of any query for a document: the mean NLL of reference queries given its states. Subtracted from the NLL of a query it
 * takes out that some documents make every text likely.
 */

import { DkvError } from '../base/errors.js';
import { allRows, type Engine, eachOf, type States } from '../engine/engine.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import type { Store } from '../store/store.js';
import { type ReferenceQueries, readReferences, referencesOf, writeReferences } from './primed.js';

/** Reference queries as they are scored. */
export interface References {
  readonly digest: string;
  /** Token ids of each query. */
  readonly targets: readonly Int32Array[];
}

/**
 * The reference queries of a store: those given, or those that it was primed with before.
 * @param given noted in the store when it has none
 * @param replace let those given take the place of others
 * @returns undefined when there are none
 * @throws DkvError INPUT_INVALID, STORE_MISMATCH when the store has others
 */
export async function claimReferences(
  store: Store,
  tokenizer: Tokenizer,
  given: readonly string[] | undefined,
  replace: boolean,
): Promise<References | undefined> {
  // Those given take the place of others, whatever has become of these.
  const found = given !== undefined && replace ? undefined : await readReferences(store);
  if (given === undefined) return found && targetsOf(found, tokenizer);
  if (given.length === 0) throw new DkvError('INPUT_INVALID', 'The list of reference queries is empty: give some.');
  const wanted = referencesOf(given);
  const targets = targetsOf(wanted, tokenizer);
  if (found?.digest === wanted.digest) return targets;
  if (found) {
    throw new DkvError(
      'STORE_MISMATCH',
      `${store.location} was primed with ${found.queries.length} reference queries (${found.digest.slice(0, 12)}); these ${given.length} (${wanted.digest.slice(0, 12)}) are others. Leave them out to use the store's, or prime into another store.`,
    );
  }
  await writeReferences(store, wanted);
  return targets;
}

/** Digest of the queries that the store's priors are computed with. @throws DkvError INPUT_INVALID when it has none */
export async function expectReferences(store: Store): Promise<string> {
  const references = await readReferences(store);
  if (references) return references.digest;
  throw new DkvError(
    'INPUT_INVALID',
    `${store.location}: its documents have no priors. Prime with reference queries (dkv prime --prior), or rank without priors.`,
  );
}

/** @throws DkvError INPUT_INVALID for a query without a token */
function targetsOf({ digest, queries }: ReferenceQueries, tokenizer: Tokenizer): References {
  const targets = queries.map((query, at) => {
    const target = tokenizer.encode(query);
    if (target.length > 0) return target;
    throw new DkvError('INPUT_INVALID', `Reference query ${at + 1} is empty: there is nothing to score.`);
  });
  return { digest, targets };
}

/**
 * @param states as they were stored, one a document
 * @param targets at least one, each with at least one token
 * @returns per document the mean over the targets of their mean NLL a token, in nats, or the DkvError NUMBERS_NOT_FINITE
 */
export async function priorsOf(
  engine: Engine,
  states: readonly States[],
  targets: readonly Int32Array[],
): Promise<(number | DkvError)[]> {
  const prompt = new Int32Array(0);
  const nlls = await eachOf(
    states.flatMap((own) => targets.map((target) => ({ memory: [allRows(own)], prompt, target }))),
    (items) => engine.score(items),
  );
  return states.map((_, at) => {
    const own = nlls.slice(at * targets.length, (at + 1) * targets.length);
    const failed = own.find((tokens) => tokens instanceof DkvError);
    return failed ?? mean((own as Float32Array[]).map((tokens) => mean(tokens)));
  });
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
