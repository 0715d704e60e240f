/** What a running server is made of. Routes take of it what they need. */
import { DkvError } from '../base/errors.js';
import type { Activation } from './activation.js';
import type { Callers } from './caller.js';
import type { Deciding } from './deciding.js';
import type { TextIndexes } from './fallback.js';
import type { Metrics } from './metrics.js';
import type { ServerSettings } from './settings.js';
import type { Shelf } from './shelf.js';

/** Whether requests are answered; `draining`: they still are, and none should be sent here any more. */
export type Standing = 'loading' | 'ready' | 'draining' | 'closing';

export interface Parts {
  readonly settings: ServerSettings;
  readonly version: string;
  readonly shelf: Shelf;
  /** How another generation of a catalogue comes to be served. */
  readonly activation: Activation;
  readonly callers: Callers;
  readonly metrics: Metrics;
  /** Indexes of stored texts, for BM25 as a fallback; null where the settings want none. */
  readonly indexes: TextIndexes | null;
  /** Experiments and the log of decisions. */
  readonly deciding: Deciding;
  /** By `performance.now()`. */
  readonly startedAt: number;
  standing: Standing;
}

/** What a model may be called in a request that has to name one. */
const ANY_MODEL = 'directed-kvcache';

/** @throws DkvError MODEL_UNKNOWN for another model than the one that is served */
export function expectModelName(served: string, asked: string | undefined): void {
  if (asked === undefined || asked === ANY_MODEL || asked === served || asked === served.split(/[/@]/).at(-1)) return;
  throw new DkvError(
    'MODEL_UNKNOWN',
    `The request names the model ${JSON.stringify(asked)}; this server serves ${served}. Name that, or "${ANY_MODEL}" for whatever is served.`,
  );
}

/** @throws DkvError INPUT_INVALID */
export function expectCount(count: number, most: number, what = 'items'): void {
  if (count <= most) return;
  throw new DkvError('INPUT_INVALID', `The body has ${count} ${what}; this server takes ${most}. Ask in parts.`);
}
