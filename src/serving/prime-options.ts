/** The options of priming, its progress while it runs, and its summary at the end. */
import type { DkvError } from '../base/errors.js';
import type { TextSources } from '../priming/prepare.js';
import type { Metadata } from '../store/store.js';
import type { StatesOptions } from './provenance.js';

export interface DocumentToPrime {
  readonly id: string;
  readonly text: string;
  readonly title?: string | undefined;
  /** Fields that are kept with the document and come back with it, such as a URL. */
  readonly fields?: Metadata | undefined;
  /**
   * The document's version where it comes from, a whole number. A document that the store has in a later version is rejected with VERSION_OUTDATED, and so is other
   * content under the version that it has. Without a version it replaces what is there; the version stays where the content does.
   */
  readonly sourceVersion?: number | undefined;
  /** The time, in milliseconds since 1970, after which this document is no longer served; it comes before `ttlMs`. */
  readonly expiresAt?: number | undefined;
}

/** The part of a stream that one of several processes primes. A hash of the document's id decides the part. */
export interface Shard {
  /** The number of this part, counted from 1. */
  readonly number: number;
  readonly of: number;
}

export interface RejectedDocument {
  /** The row of the document in the stream, counted from 1. */
  readonly row: number;
  readonly id?: string;
  readonly reason: string;
}

/** What became of one document. */
export interface SettledDocument {
  /** The row of the document in the stream, counted from 1. */
  readonly row: number;
  /** The error says why the document was rejected. `replaced`: a later row of the same id, taken together with this one, counts. */
  readonly outcome: 'primed' | 'unchanged' | 'replaced' | DkvError;
}

export interface PrimeProgress {
  /** The number of documents taken from the stream, those of other shards included. */
  readonly rows: number;
  /** The number of this shard's documents: primed, unchanged, rejected, replaced or still under way. */
  readonly documents: number;
  readonly primed: number;
  /** The number of documents that the store already held, unchanged. */
  readonly unchanged: number;
  readonly rejected: number;
  /**
   * The number of documents whose id a later one of the stream has too: they are neither primed nor unchanged, since the later one counts. The ids of the first million
   * documents are remembered; beyond these, only those that are taken together.
   */
  readonly replaced: number;
  /** The number of primed and unchanged documents with a variant whose document was cut at its end to keep to the largest length. */
  readonly cut: number;
  /** The number of primed and unchanged documents whose text or surrogate contains the spelling of a control token. */
  readonly literal: number;
  /** The number of tokens that the encoder read; `encoded` is the number of its passes. */
  readonly tokens: number;
  readonly encoded: number;
  readonly seconds: number;
  /** The mean number of bytes that a document's records take, without their headers. Null when no record was stored. */
  readonly bytesPerDocument: number | null;
}

export interface PrimeSummary extends PrimeProgress {
  readonly variants: readonly string[];
  /** How many documents lost a variant that was not named, because they are no longer as they were when it was made; by its name. */
  readonly dropped: Readonly<Record<string, number>>;
  /** The control tokens that the documents counted by `literal` contain. */
  readonly literalTokens: readonly string[];
  readonly documentsPerSecond: number;
  readonly tokensPerSecond: number;
}

type OrUndefined<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

export interface PrimeOptions extends OrUndefined<StatesOptions> {
  /** The specifications of the surrogates. They may need nothing but the document. By default there are none, and each document is kept alone.
   * What the store has of the same document stays. */
  readonly surrogates?: readonly string[] | undefined;
  /** Also prime each document alone, for comparison; true by default. */
  readonly bare?: boolean | undefined;
  /** Keep the documents' texts in the records; true by default. */
  readonly keepText?: boolean | undefined;
  /** The milliseconds after which documents expire. By default they never expire. */
  readonly ttlMs?: number | undefined;
  /** The time, in milliseconds since 1970, at which documents expire, in place of `ttlMs`: the same for all machines that prime parts of a corpus. */
  readonly expiresAt?: number | undefined;
  /** The reference queries for the priors of the documents primed now. By default the store's own. */
  readonly priorQueries?: readonly string[] | undefined;
  /** Allow a store that was primed with other options to be primed anew, and keep no variant that is not named. Documents that are not primed again keep their old states. */
  readonly replace?: boolean | undefined;
  /**
   * Read what the store already has, and prime again what is damaged; true by default. If false, the storage is trusted, which is faster where
   * reading it is slow.
   */
  readonly check?: boolean | undefined;
  readonly shard?: Shard | undefined;
  /** The writers of surrogates that a model writes. */
  readonly sources?: TextSources | undefined;
  /** Aborting this signal ends the priming with CANCELLED, once what is being encoded is stored. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PrimeProgress) => void) | undefined;
  readonly onRejected?: ((rejection: RejectedDocument) => void) | undefined;
  /** This callback is told of each document once it is in the store, or is known not to come there. */
  readonly onSettled?: ((settled: SettledDocument) => void) | undefined;
}
