/**
 * Reference queries say what any query is expected to cost, given a document. Their mean NLL, subtracted from the NLL of a query, takes out that
 * some documents make every text likely; it is called a document's prior. A store has one set of them.
 */
import { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { DkvError, isResult } from '../base/errors.js';
import { allRows, type Engine, eachOf, type States } from '../engine/engine.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { mean } from '../stats/describe.js';
import type { Store } from '../store/store.js';
import { readNote } from './notes.js';

export const referenceQueriesSchema = z.strictObject({
  digest: z.string().describe('SHA-256 in hex of the queries, in their order.'),
  queries: z.array(z.string()).describe('The queries, in their order.'),
});

export type ReferenceQueries = z.infer<typeof referenceQueriesSchema>;

/** Reference queries as they are scored. */
export interface ReferenceTargets {
  readonly digest: string;
  /** The token ids of each query. */
  readonly targets: readonly Int32Array[];
}

/** Makes reference queries with their digest, which is taken over the texts as a JSON array without white space. */
export function referenceQueriesOf(queries: readonly string[]): ReferenceQueries {
  return { digest: sha256(JSON.stringify(queries)).toString('hex'), queries: [...queries] };
}

/**
 * Reads the reference queries that a store's priors were taken with.
 * @returns undefined for a store whose documents have no prior
 */
export async function readReferenceQueries(store: Store): Promise<ReferenceQueries | undefined> {
  return readNote(store, 'prior', referenceQueriesSchema);
}

export async function writeReferenceQueries(store: Store, references: ReferenceQueries): Promise<void> {
  await store.putNote('prior', references);
}

/**
 * The reference queries of a store: those given, or those that it was primed with before.
 * @param given noted in the store when it has none
 * @param replace let those given take the place of others
 * @returns undefined when there are none
 * @throws DkvError INPUT_INVALID, STORE_MISMATCH when the store has others
 */
export async function claimReferenceQueries(
  store: Store,
  tokenizer: Tokenizer,
  given: readonly string[] | undefined,
  replace: boolean,
): Promise<ReferenceTargets | undefined> {
  // Those given take the place of others, whatever has become of these.
  const found = given !== undefined && replace ? undefined : await readReferenceQueries(store);
  if (given === undefined) return found && targetsOf(found, tokenizer);
  if (given.length === 0) throw new DkvError('INPUT_INVALID', 'The list of reference queries is empty: give some.');
  const wanted = referenceQueriesOf(given);
  const targets = targetsOf(wanted, tokenizer);
  if (found?.digest === wanted.digest) return targets;
  if (found) {
    throw new DkvError(
      'STORE_MISMATCH',
      `${store.location} was primed with ${found.queries.length} reference queries (${found.digest.slice(0, 12)}); these ${given.length} (${wanted.digest.slice(0, 12)}) are others. Leave them out to use the store's, or prime into another store.`,
    );
  }
  await writeReferenceQueries(store, wanted);
  return targets;
}

/**
 * The digest of the queries that the store's priors are computed with.
 * @throws DkvError INPUT_INVALID when it has none
 */
export async function expectReferenceDigest(store: Store): Promise<string> {
  const references = await readReferenceQueries(store);
  if (references) return references.digest;
  throw new DkvError(
    'INPUT_INVALID',
    `${store.location}: its documents have no priors. Prime with reference queries (dkv prime --prior), or rank without priors.`,
  );
}

/** @throws DkvError INPUT_INVALID for a query without a token */
function targetsOf({ digest, queries }: ReferenceQueries, tokenizer: Tokenizer): ReferenceTargets {
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
export async function meanReferenceNlls(
  engine: Engine,
  states: readonly States[],
  targets: readonly Int32Array[],
): Promise<(number | DkvError)[]> {
  const prompt = new Int32Array(0);
  const nlls = await eachOf(
    states.flatMap((own) => targets.map((target) => ({ memory: [allRows(own)], prompt, target }))),
    (items) => engine.score(items, { priority: 'bulk' }),
  );
  return states.map((_, at) => {
    const own = nlls.slice(at * targets.length, (at + 1) * targets.length);
    const failed = own.find((tokens) => tokens instanceof DkvError);
    return failed ?? mean(own.filter(isResult).map((tokens) => mean(tokens)));
  });
}
