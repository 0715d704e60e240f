/** What priming takes, tells while it goes on, and sums up at the end. */
import type { TextSources } from '../priming/prepare.js';
import type { Metadata } from '../store/store.js';
import type { StatesOptions } from './provenance.js';

export interface DocumentToPrime {
  readonly id: string;
  readonly text: string;
  readonly title?: string | undefined;
  /** Kept with the document: whatever is to come back with it. */
  readonly fields?: Metadata | undefined;
}

/** The part of one of several processes that prime the same stream, by a hash of the id. */
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

type OrUndefined<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

export interface PrimeOptions extends OrUndefined<StatesOptions> {
  /** Specifications of surrogates that need the document alone; `doc_kw` when left out. */
  readonly surrogates?: readonly string[] | undefined;
  /** Also each document alone, to compare with; true when left out. */
  readonly bare?: boolean | undefined;
  /** Keep the documents' texts in the records; true when left out. */
  readonly keepText?: boolean | undefined;
  /** Documents expire after so long. For ever when left out. */
  readonly ttlMs?: number | undefined;
  /** Of documents primed now; the store's own when left out. */
  readonly priorQueries?: readonly string[] | undefined;
  /** Let a store that was primed otherwise be primed anew. What is not primed again keeps its old states. */
  readonly replace?: boolean | undefined;
  /**
   * Read what the store has already, and prime again what is damaged; true when left out. Otherwise the storage is trusted with what it
   * holds, which is quicker where reading it is slow.
   */
  readonly check?: boolean | undefined;
  readonly shard?: Shard | undefined;
  /** Who writes surrogates that a model writes. */
  readonly sources?: TextSources | undefined;
  /** Aborting ends with CANCELLED once what is being encoded is stored. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PrimeProgress) => void) | undefined;
  readonly onRejected?: ((rejection: RejectedDocument) => void) | undefined;
}
