/**
 * The engine: runs a compiled model on token ids. It knows neither texts nor datasets nor what a surrogate is.
 *
 * Everything that goes in or comes out is plain data, so that an engine can live in another thread or process. Requests queue;
 * each is worked off in batches, and a cancelled one ends between two of them. What a request answers for one item does not
 * depend on the other items or on the batch size.
 */
import { DkvError } from '../base/errors.js';
import type { ModelShape } from '../model/families/family.js';
import type { Precision } from '../model/graph/layout.js';
import type { Drift } from '../model/manifest.js';

/** ONNX Runtime's execution providers. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** Encoder output: `rows` rows of `width` numbers, row after row. */
export interface States {
  readonly rows: number;
  readonly width: number;
  /** [rows * width], often a view of memory shared between threads: treat as read-only. */
  readonly data: Float32Array;
}

/** Rows `start` to `end` (excluded) of some states. */
export interface StateRange {
  readonly states: States;
  readonly start: number;
  readonly end: number;
  /** Keep the rows in the batch, but invisible. Leaving them out gives the same answer for less work. */
  readonly masked?: boolean;
}

/** What the decoder attends to: ranges of one encode, or of several. Encoder rows have no position, so order does not matter. */
export type Memory = readonly StateRange[];

export interface EncodeItem {
  /** [rows] */
  readonly tokenIds: Int32Array;
  /** [rows], from which distances follow; 0, 1, 2, ... when left out. Windows go by row, whatever the positions. */
  readonly positions?: Int32Array;
  /** [rows * rows], 1 where the row (first axis) may see the column; windows still apply. Everything when left out. */
  readonly pairMask?: Uint8Array;
}

export interface ScoreItem {
  readonly memory: Memory;
  /** Tokens between the decoder's start token and the target; not scored. */
  readonly prompt: Int32Array;
  /** The tokens to score, at least one. */
  readonly target: Int32Array;
}

export interface Sampling {
  /** Logits are divided by it; 0 means greedy. */
  readonly temperature: number;
  /** The smallest set of tokens with at least this much probability is sampled from. */
  readonly topP: number;
  readonly seed: number;
}

export interface GenerateItem {
  readonly memory: Memory;
  /** Tokens behind the decoder's start token that are already said. */
  readonly prompt: Int32Array;
  readonly maxTokens: number;
  /** Greedy when left out. */
  readonly sampling?: Sampling;
}

export interface Generated {
  /** Without the end token. */
  readonly tokenIds: Int32Array;
  /** Natural log of each token's probability at temperature 1. */
  readonly logProbabilities: Float32Array;
  readonly stop: 'end' | 'length';
}

export interface ProbeLayers {
  /** Layers (0-based) whose output, before the final norm, is wanted. */
  readonly hidden: readonly number[];
  /** Layers whose attention probabilities are wanted. */
  readonly attention: readonly number[];
}

export interface Probed {
  readonly states: States;
  readonly hidden: ReadonlyMap<number, States>;
  /** [heads * rows * rows] per layer: head, row, column. */
  readonly attention: ReadonlyMap<number, Float32Array>;
}

export interface RequestOptions {
  /** Aborting rejects the request with CANCELLED after the batch that is being worked on. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (doneItems: number, totalItems: number) => void;
}

export interface EngineInfo {
  /** The model's, for messages: its folder's or repository's; without one the first digits of its weights' digest. */
  readonly name: string;
  /** The family of models that it belongs to, such as `t5gemma2`. */
  readonly family: string;
  readonly shape: ModelShape;
  /** Numbers that the model consists of, a tied table counted once. */
  readonly weights: number;
  readonly precision: Precision;
  readonly weightsDigest: string;
  /** Of int8, where it was measured: how far NLLs are from float32's. */
  readonly drift?: Drift;
  readonly device: Device;
  /** Rows of a batch, encoder's and decoder's, padding included; a single longer item makes a batch of its own. */
  readonly batchTokens: number;
}

/**
 * @throws DkvError from every method: INPUT_INVALID, CANCELLED, ENGINE_FAILED, ENGINE_CLOSED, DEVICE_UNAVAILABLE, and NotFiniteError,
 * after all items were computed, when some of them have an infinity or NaN among their numbers
 */
export interface Engine {
  readonly info: EngineInfo;
  /** States of each item, all rows. */
  encode(items: readonly EncodeItem[], options?: RequestOptions): Promise<States[]>;
  /** Negative log-likelihood in nats of each target token: decoder input is [start token] + prompt + target. */
  score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]>;
  generate(items: readonly GenerateItem[], options?: RequestOptions): Promise<Generated[]>;
  /** Encodes and also returns what happens inside. */
  probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]>;
  /** Ends after the work in hand; requests still waiting are rejected with ENGINE_CLOSED. */
  close(): Promise<void>;
}

/** Every row of some states. */
export function allRows(states: States): StateRange {
  return { states, start: 0, end: states.rows };
}

/** What was found in place of finite numbers, by the item's place in the request. */
export type NotFinite = ReadonlyMap<number, string>;

/**
 * Some items of a request have an infinity or NaN among their numbers, in what they bring or in what comes of them. The others are not
 * affected: items of a batch share no sums. `eachOf` asks for them.
 */
export class NotFiniteError extends DkvError {
  readonly found: NotFinite;
  readonly #model: string;

  /** @param model its name and precision */
  constructor(found: NotFinite, model: string) {
    const [[item, what] = [0, 'its numbers are not finite']] = found;
    const more = found.size > 1 ? ` (and ${found.size - 1} more)` : '';
    super('NUMBERS_NOT_FINITE', `Item ${item} of the request${more}: ${NotFiniteError.#described(what, model)}`);
    this.found = found;
    this.#model = model;
  }

  static #described(what: string, model: string): string {
    return `${what}, computed by model ${model}. Are its weights sound, and small enough for the precision? float32 has the widest range.`;
  }

  /** Of one item, to be told with the item's name. */
  errorOf(item: number): DkvError {
    const what = this.found.get(item)!;
    return new DkvError(
      'NUMBERS_NOT_FINITE',
      NotFiniteError.#described(`${what[0]!.toUpperCase()}${what.slice(1)}`, this.#model),
    );
  }

  /** The same for the places that the items have elsewhere. */
  movedTo(places: readonly number[]): NotFiniteError {
    return new NotFiniteError(new Map([...this.found].map(([item, what]) => [places[item]!, what])), this.#model);
  }

  /** @param errors at least one, of different items of one request */
  static joined(errors: readonly NotFiniteError[]): NotFiniteError {
    const found = errors.flatMap((error) => [...error.found]).sort(([a], [b]) => a - b);
    return new NotFiniteError(new Map(found), errors[0]!.#model);
  }

  toJSON() {
    return { found: [...this.found], model: this.#model };
  }
}

/**
 * The answers of a request item by item, where one item's numbers must not keep the others from going on.
 * @returns per item its result, or the DkvError NUMBERS_NOT_FINITE that says why it has none
 * @throws what the request throws otherwise
 */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  request: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<(Result | DkvError)[]> {
  try {
    return [...(await request(items))];
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    // Once more without these: a result does not depend on the other items.
    const { found } = error;
    const results = (await request(items.filter((_, item) => !found.has(item)))).values();
    return items.map((_, item) => (found.has(item) ? error.errorOf(item) : results.next().value!));
  }
}
