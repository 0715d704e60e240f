/**
 * Priming: a stream of documents in, directed caches in a store. Documents are taken in windows and encoded in blocks of so many rows,
 * so that memory does not grow with the stream; what the store has already is not encoded again, so that a stopped run goes on
 * where it was by being started again.
 *
 * A document counts as primed once the store has acknowledged it. Of two with the same id the later one replaces the earlier, as
 * everywhere in a store: nothing remembers the ids of a whole stream.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { windows } from '../base/windows.js';
import { visibilitySchema } from '../priming/input.js';
import { prepareSurrogates, type TextSources } from '../priming/prepare.js';
import type { Model } from '../scoring/load-model.js';
import { type Metadata, STATES_PRECISIONS, type Store } from '../store/store.js';
import { expectPrimed, expectWritable, type PrimedOptions, primedBy, readPrimed, writePrimed } from './primed.js';
import { type Accepted, Primer } from './primer.js';
import { claimReferences } from './prior.js';
import { variantsOf } from './variants.js';

export interface DocumentToPrime {
  readonly id: string;
  readonly text: string;
  readonly title?: string;
  /** Kept with the document: whatever is to come back with it. */
  readonly fields?: Metadata;
}

/** One of several primers of the same stream, by a hash of the id. */
export interface Shard {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

export interface RejectedDocument {
  /** In the stream, from 1. */
  readonly row: number;
  readonly id?: string;
  readonly reason: string;
}

export interface PrimeProgress {
  /** Taken from the stream, those of other shards included. */
  readonly rows: number;
  /** Of this shard: primed, unchanged, rejected or still on their way. */
  readonly documents: number;
  readonly primed: number;
  /** The store had them just so. */
  readonly unchanged: number;
  readonly rejected: number;
  /** Of the primed and the unchanged ones: with a variant that was cut at the document's end to keep to the maximum length. */
  readonly cut: number;
  /** Likewise: with control tokens in document or surrogate as they are written. */
  readonly literal: number;
  /** That the encoder read, and in how many passes. */
  readonly tokens: number;
  readonly encoded: number;
  readonly seconds: number;
}

export interface PrimeSummary extends PrimeProgress {
  readonly variants: readonly string[];
  /** The control tokens of those that `literal` counts. */
  readonly literalTokens: readonly string[];
  readonly documentsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the records that were stored, without their headers. Null when none was. */
  readonly bytesPerDocument: number | null;
}

export interface PrimeOptions extends Partial<PrimedOptions> {
  /** Specifications of surrogates that need the document alone; `doc_kw` when left out. */
  readonly surrogates?: readonly string[];
  /** Also each document alone, to compare with; true when left out. */
  readonly bare?: boolean;
  /** Keep the documents' texts in the records; true when left out. */
  readonly keepText?: boolean;
  /** Documents expire after so long. For ever when left out. */
  readonly ttlMs?: number;
  /** Of documents primed now; the store's own when left out. */
  readonly priorQueries?: readonly string[];
  /** Let a store that was primed otherwise be primed anew. What is not primed again keeps its old states. */
  readonly replace?: boolean;
  /**
   * Read what the store has already, and prime again what is damaged; true when left out. Otherwise the storage is trusted with what it
   * holds, which is quicker where reading it is slow.
   */
  readonly check?: boolean;
  readonly shard?: Shard;
  /** Who writes surrogates that a model writes. */
  readonly sources?: TextSources;
  /** Aborting ends with CANCELLED once what is being encoded is stored. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PrimeProgress) => void;
  readonly onRejected?: (rejection: RejectedDocument) => void;
}

const DEFAULTS: PrimedOptions = { visibility: 'exact', statesPrecision: 'float32', maxTokens: 2048 };
export const DEFAULT_SURROGATES: readonly string[] = ['doc_kw'];

/** A window is closed at so many documents ... */
const WINDOW_DOCUMENTS = 256;
/** ... or characters of text, a few more than tokens. */
const WINDOW_CHARACTERS = 1 << 20;

const optionsSchema = z.object({
  visibility: visibilitySchema,
  statesPrecision: z.enum(STATES_PRECISIONS),
  maxTokens: z.int().positive(),
  ttlMs: z.number().positive().optional(),
  shard: z
    .strictObject({ number: z.int().positive(), of: z.int().positive() })
    .refine(({ number, of }) => number <= of, { error: 'there are not so many' })
    .optional(),
});

/**
 * @param documents in any number. An error among them stands for one that could not be read: it is rejected with the error's message.
 * @throws DkvError INPUT_INVALID for options; STORE_MISMATCH when the store was primed otherwise; CANCELLED; what store, engine,
 * the surrogates' writers and the stream throw. What was primed until then is in the store.
 */
export async function prime(
  model: Model,
  store: Store,
  documents: AsyncIterable<DocumentToPrime | DkvError> | Iterable<DocumentToPrime | DkvError>,
  options: PrimeOptions = {},
): Promise<PrimeSummary> {
  const { surrogates = DEFAULT_SURROGATES, bare = true, replace = false, sources = {}, signal } = options;
  const parsed = optionsSchema.safeParse({ ...DEFAULTS, ...options });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DkvError('INPUT_INVALID', `Options of priming: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const { visibility, statesPrecision, maxTokens } = parsed.data;
  const how = { visibility, statesPrecision, maxTokens };
  const variants = variantsOf(surrogates, bare);
  // Without a document: says now what would be missing later.
  await prepareSurrogates(surrogates, [], sources);

  expectWritable(store);
  const primed = primedBy(model, how);
  const found = replace ? undefined : await readPrimed(store);
  if (found) expectPrimed(store.location, found, primed);
  else await writePrimed(store, primed);
  const prior = await claimReferences(store, model.tokenizer, options.priorQueries, replace);

  const primer = new Primer(model, store, { ...options, how, variants, sources, prior });
  for await (const window of windows(primer.accepted(documents), newWindow)) {
    if (signal?.aborted) break;
    // Another process may have begun to prime the store anew.
    expectPrimed(store.location, (await readPrimed(store)) ?? primed, primed);
    await primer.primeWindow(window);
  }
  const summary = primer.summary();
  options.onProgress?.(summary);
  if (!signal?.aborted) return summary;
  throw new DkvError(
    'CANCELLED',
    `Stopped; ${summary.primed} documents were primed and stay in ${store.location}. Prime the same again to go on.`,
  );
}

/** Another document of the same id begins a window: it must find the earlier one in the store. */
function newWindow(): (item: Accepted) => boolean {
  const ids = new Set<string>();
  let characters = 0;
  return ({ document: { id, text } }) => {
    characters += text.length;
    const isNew = !ids.has(id);
    ids.add(id);
    return isNew && ids.size <= WINDOW_DOCUMENTS && characters <= WINDOW_CHARACTERS;
  };
}
