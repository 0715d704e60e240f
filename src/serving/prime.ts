/**
 * Priming: a stream of documents in, directed caches in a store. Documents are taken in windows and encoded in blocks of so many rows,
 * so that what is held does not grow with the stream; what the store has already is not encoded again, so that a stopped run goes on
 * where it was by being started again.
 *
 * A document counts as primed once the store has acknowledged it. Of two with the same id the later one replaces the earlier, as
 * everywhere in a store, and the summary says how often that happened.
 */

import { z } from 'zod';
import { counted } from '../base/counted.js';
import { DkvError } from '../base/errors.js';
import { expectKnownOptions } from '../base/option-names.js';
import { parse } from '../base/parse.js';
import { windows } from '../base/windows.js';
import { expectSegments, visibilitySchema } from '../priming/input.js';
import { prepareSurrogates } from '../priming/prepare.js';
import type { Model } from '../scoring/load-model.js';
import { STATES_PRECISIONS, type Store } from '../store/store.js';
import type { DocumentToPrime, PrimeOptions, PrimeSummary } from './prime-options.js';
import { type Accepted, PrimingRun } from './priming-run.js';
import {
  expectSameProvenance,
  expectWritable,
  knownTo,
  provenanceOf,
  readProvenance,
  type StatesOptions,
  writeProvenance,
} from './provenance.js';
import { claimReferenceQueries } from './reference-queries.js';
import { variantsOf } from './variants.js';

/** How states are made and kept where nothing says it. */
export const PRIMING_DEFAULTS: StatesOptions = { visibility: 'exact', statesPrecision: 'float32', maxTokens: 2048 };

/** The number of documents at which a window is closed ... */
const WINDOW_DOCUMENTS = 256;
/** ... or the characters of text at which it is, a few more than tokens. */
const WINDOW_CHARACTERS = 1 << 20;

const OPTIONS: Readonly<Record<keyof PrimeOptions, true>> = {
  visibility: true,
  statesPrecision: true,
  maxTokens: true,
  surrogates: true,
  bare: true,
  keepText: true,
  ttlMs: true,
  expiresAt: true,
  priorQueries: true,
  replace: true,
  check: true,
  shard: true,
  sources: true,
  signal: true,
  onProgress: true,
  onRejected: true,
  onSettled: true,
};

const optionsSchema = z.object({
  visibility: visibilitySchema.default(PRIMING_DEFAULTS.visibility),
  statesPrecision: z.enum(STATES_PRECISIONS).default(PRIMING_DEFAULTS.statesPrecision),
  maxTokens: z.int().positive().default(PRIMING_DEFAULTS.maxTokens),
  ttlMs: z.number().positive().optional(),
  expiresAt: z.int().positive().optional(),
  shard: z
    .strictObject({ number: z.int().positive(), of: z.int().positive() })
    .refine(({ number, of }) => number <= of, { error: 'there are not so many' })
    .optional(),
});

/**
 * Primes documents into a store.
 * @param documents any number of documents. An error among them stands for one that could not be read: it is rejected with the error's message
 * @throws DkvError INPUT_INVALID for options; STORE_MISMATCH when the store was primed with other options; CANCELLED; and what the store, the
 * engine, the surrogates' writers and the stream throw. What was primed until then is in the store
 */
export async function prime(
  model: Model,
  store: Store,
  documents: AsyncIterable<DocumentToPrime | DkvError> | Iterable<DocumentToPrime | DkvError>,
  options: PrimeOptions = {},
): Promise<PrimeSummary> {
  const { surrogates = [], bare = true, replace = false, sources = {}, signal } = options;
  expectKnownOptions(options, OPTIONS, 'Priming');
  const { visibility, statesPrecision, maxTokens } = parse(
    optionsSchema,
    options,
    'INPUT_INVALID',
    'Options of priming',
  );
  if (options.ttlMs !== undefined && options.expiresAt !== undefined) {
    throw new DkvError('INPUT_INVALID', 'Both ttlMs and expiresAt were given: say one of them.');
  }
  const how = { visibility, statesPrecision, maxTokens };
  expectSegments(model.tokenizer, visibility);
  const variants = variantsOf(surrogates, bare);
  // Without a document: says now what would be missing later.
  await prepareSurrogates(surrogates, [], sources);

  expectWritable(store);
  const found = replace ? undefined : await readProvenance(store);
  const known = knownTo(store.location, found, model);
  const provenance = provenanceOf(known, how);
  if (found) expectSameProvenance(store.location, found, provenance);
  else await writeProvenance(store, provenance);
  const references = await claimReferenceQueries(store, model.tokenizer, options.priorQueries, replace);

  const run = new PrimingRun(known, store, { ...options, how, variants, sources, references });
  for await (const window of windows(run.accepted(documents), newWindow)) {
    if (signal?.aborted) break;
    // Another process may have begun to prime the store anew.
    expectSameProvenance(store.location, (await readProvenance(store)) ?? provenance, provenance);
    await run.primeWindow(window);
  }
  const summary = run.summary();
  options.onProgress?.(summary);
  if (!signal?.aborted) return summary;
  throw new DkvError(
    'CANCELLED',
    `Stopped; what was primed, ${counted(summary.primed, 'document')}, stays in ${store.location}. Prime the same again to go on.`,
  );
}

function newWindow(): (item: Accepted) => boolean {
  let documents = 0;
  let characters = 0;
  return ({ document: { text } }) => {
    documents++;
    characters += text.length;
    return documents <= WINDOW_DOCUMENTS && characters <= WINDOW_CHARACTERS;
  };
}
