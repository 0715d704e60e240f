/** What a ranking of one request is asked and what it answers, as data. */
import type { DkvError } from '../base/errors.js';
import type { PhaseTimes, Priority } from '../engine/engine.js';
import type { Model } from '../scoring/load-model.js';
import type { Bm25 } from '../serving/bm25.js';
import type { Calibration, Objective } from '../serving/calibration.js';
import type { OwnScore, ScoredBy } from '../serving/objectives.js';
import type { StatesOptions } from '../serving/provenance.js';
import type { Relevance } from '../serving/relevance.js';
import type { Metadata, Store } from '../store/store.js';
import type { ORDERS } from '../wire/http/rerank.js';
import type { Fallback } from './fallback.js';
import type { Filter } from './filters.js';

/** A stored document by its id, or a text. */
export type Candidate = { readonly firstStage?: number | undefined } & (
  | { readonly id: string; readonly text?: undefined }
  | { readonly text: string; readonly id?: undefined }
);

export interface RerankAsked {
  readonly query: string;
  readonly candidates: readonly Candidate[];
  readonly variant?: string | undefined;
  readonly objective?: Objective | undefined;
  readonly answer?: string | undefined;
  readonly relevance?: Relevance | undefined;
  readonly prior?: boolean | undefined;
  readonly interpolate?: number | undefined;
  readonly filter?: Filter | undefined;
  readonly fallback?: Fallback | 'none' | undefined;
  readonly maxTokensPerText?: number | undefined;
  readonly cut?: 'end' | 'refuse' | undefined;
  readonly priority?: Priority | undefined;
}

export interface RerankContext {
  readonly model: Model;
  readonly store: Store;
  /** How texts are encoded where nothing was primed that says it. */
  readonly how: StatesOptions;
  /** The index of the stored texts; null where none is made, undefined while one is. */
  readonly index: Bm25 | null | undefined;
  readonly signal: AbortSignal;
  /** The milliseconds that are left; undefined without a deadline. @throws DkvError DEADLINE_PASSED where none are */
  msLeft(): number | undefined;
  onPhases(times: PhaseTimes): void;
}

export interface RankedCandidate {
  /** The candidate's place in the request. */
  readonly index: number;
  readonly score: number;
  readonly relevanceScore: number;
  readonly nll: number | null;
}

export interface LeftOut {
  readonly index: number;
  readonly error: DkvError;
}

export interface Reranked {
  /** The best first; equal ones in the order of the request. */
  readonly ranked: readonly RankedCandidate[];
  /** In the order of the request. */
  readonly leftOut: readonly LeftOut[];
  readonly calibrated: boolean;
  readonly orderedBy: (typeof ORDERS)[number];
  /** Why the order is the fallback's; undefined where it is the model's. */
  readonly reason: DkvError | undefined;
  readonly variant: string;
  readonly objective: Objective;
  /** The candidates that were scored from stored states. */
  readonly hits: number;
  /** The tokens that encoder and decoder have read. */
  readonly tokens: number;
}

export type Scored = OwnScore | DkvError;

/** Everything that is known before the first candidate is looked at. */
export interface Plan {
  readonly variant: string;
  readonly scored: ScoredBy;
  readonly fallback: Fallback | undefined;
  /** What was found in the entries of documents that were looked at. */
  readonly metadata: ReadonlyMap<string, Metadata>;
  /** Those of them that the filter refuses. */
  readonly refused: ReadonlyMap<string, DkvError>;
  admit(id: string, metadata: Metadata): DkvError | undefined;
}

/** How scores become an order. */
export interface Order {
  /** The digest of the reference queries; null without priors. */
  readonly references: string | null;
  readonly calibration: Calibration | undefined;
}

export interface Answers extends Order {
  readonly scores: readonly Scored[];
  readonly tokens: number;
}
