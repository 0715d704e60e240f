/**
 * The engine: runs a compiled model on token ids. It knows neither texts nor datasets nor what a surrogate is.
 *
 * Everything that goes in or comes out is plain data, so that an engine can live in another thread or process. Requests of any number of
 * callers queue, are worked off in batches, and share these. What a request answers for one item does not depend on the other items, on
 * other requests or on the batch size, but for last bits (batching.ts).
 */
import { DkvError } from '../base/errors.js';
import type { ModelShape } from '../model/families/family.js';
import type { Precision } from '../model/graph/layout.js';
import type { Device } from '../model/graph/target.js';
import type { Drift } from '../model/manifest.js';

export { DEVICES, type Device } from '../model/graph/target.js';

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

/** Where an engine finds states by name: a store is one. */
export interface StatesSource {
  /**
   * Plain data by which another process opens the same source; undefined where only this process has it. Only addresses of stores that `openStore`
   * opened are understood; states of any other source are read here. It may hold a password: it goes from process to process and into no message.
   */
  readonly address: unknown;
  /**
   * States of these keys, all of their rows, in the keys' order. What is given may be shared by several items and threads: nobody writes into it.
   * @param fingerprints under which the model has given its numbers; states of another model are refused
   * @returns per key its states, or the DkvError (INPUT_INVALID, DOCUMENT_MISSING, STORE_DAMAGED, STORE_MISMATCH) that says why there are none
   * @throws DkvError what befalls all keys, such as STORE_UNREACHABLE
   */
  statesOf(
    keys: readonly string[],
    fingerprints: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (States | DkvError)[]>;
}

/** What the decoder attends to, by name: all rows of the states that a source has under a key. The engine reads them when their turn comes. */
export interface NamedStates {
  readonly source: StatesSource;
  readonly key: string;
  /** Of the model that will read them. */
  readonly fingerprints: readonly string[];
}

export interface EncodeItem {
  /** [rows] */
  readonly tokenIds: Int32Array;
  /** [rows], from which distances follow; 0, 1, 2, ... when left out. Windows go by row, whatever the positions. */
  readonly positions?: Int32Array | undefined;
  /** [rows * rows], 1 where the row (first axis) may see the column; windows still apply. Everything when left out. */
  readonly pairMask?: Uint8Array | undefined;
}

export interface ScoreItem {
  readonly memory: Memory | NamedStates;
  /** Tokens between the decoder's start token and the target; not scored. */
  readonly prompt: Int32Array;
  /** The tokens to score, at least one. */
  readonly target: Int32Array;
}

export interface LogitsItem {
  readonly memory: Memory | NamedStates;
  /** Tokens behind the decoder's start token. */
  readonly prompt: Int32Array;
  /** The tokens whose logits are wanted, at least one. */
  readonly tokens: Int32Array;
}

export interface Sampling {
  /** Logits are divided by it; 0 means greedy. */
  readonly temperature: number;
  /** The smallest set of tokens with at least this much probability is sampled from. */
  readonly topP: number;
  readonly seed: number;
}

export interface GenerateItem {
  readonly memory: Memory | NamedStates;
  /** Tokens behind the decoder's start token that are already said. */
  readonly prompt: Int32Array;
  readonly maxTokens: number;
  /** Greedy when left out. */
  readonly sampling?: Sampling | undefined;
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

/** Classes of requests: whatever is `interactive` comes before whatever is `bulk`, from one batch to the next. */
export const PRIORITIES = ['interactive', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a request spends its time on, in the order in which it comes to them. */
export const PHASES = ['waiting', 'reading', 'tokenising', 'encoding', 'decoding'] as const;
export type Phase = (typeof PHASES)[number];

/** Milliseconds by phase. */
export type PhaseTimes = Readonly<Record<Phase, number>>;

export interface RequestOptions {
  /** Aborting rejects the request with CANCELLED, and takes what waits of it out of the queue; a batch that is being worked on is finished. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch. What it throws rejects the request. */
  readonly onProgress?: ((doneItems: number, totalItems: number) => void) | undefined;
  /** `interactive` when left out. */
  readonly priority?: Priority | undefined;
  /** So many milliseconds from now, more than 0, a request of which no batch was begun is dropped with DEADLINE_PASSED. */
  readonly deadlineMs?: number | undefined;
  /** Milliseconds that the caller has spent on tokenising for this request, to be counted among its phases. */
  readonly tokenisingMs?: number | undefined;
  /**
   * Called once, when the request is answered or fails; not for one that is cancelled while another process has it. What it throws rejects the
   * request.
   */
  readonly onPhases?: ((times: PhaseTimes) => void) | undefined;
}

export interface EncodeOptions extends RequestOptions {
  /**
   * The states will be stored as float16. Where they come from another process and another device than the CPU, they come as such, which is half of the way: the
   * numbers are then rounded already, to the nearest and ties to even as a store does, and an item with a number beyond 65504 fails with NUMBERS_NOT_FINITE.
   */
  readonly statesAs?: 'float16' | undefined;
}

/** How busy an engine is. */
export interface EngineLoad {
  /** Items of which no batch was begun, by their requests' class. */
  readonly waitingItems: Readonly<Record<Priority, number>>;
  /** Batches that are being worked on. */
  readonly runningBatches: number;
  /**
   * Of all requests since the engine was started, up to the last change of their phase. Requests that share a batch or wait at the same time count
   * the same time each.
   */
  readonly phases: PhaseTimes;
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
  /** The precision as records name it: `float16 on cuda` where products are computed in 16 bits, which gives other numbers than widening does. */
  readonly computedAs: string;
  readonly weightsDigest: string;
  /** Of int8, and of devices that compute in 16 bits, where it was measured: how far NLLs are from float32's. */
  readonly drift?: Drift;
  readonly device: Device;
  /** Rows of a batch, encoder's and decoder's, padding included; a single longer item makes a batch of its own. */
  readonly batchTokens: number;
}

/**
 * @throws DkvError from every request: INPUT_INVALID, INPUT_TOO_LONG, CANCELLED, DEADLINE_PASSED, ENGINE_BUSY, ENGINE_FAILED, ENGINE_CLOSED, DEVICE_UNAVAILABLE, what a source of named
 * states throws, and ItemsFailedError, after all items were computed, when some of them have no result
 */
export interface Engine {
  readonly info: EngineInfo;
  /** States of each item, all rows. */
  encode(items: readonly EncodeItem[], options?: EncodeOptions): Promise<States[]>;
  /** Negative log-likelihood in nats of each target token: decoder input is [start token] + prompt + target. */
  score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]>;
  /**
   * The same at each inverse temperature b of `INVERSE_TEMPERATURES`: of every token [inverse temperatures] NLLs under the softmax of b times the logits, token
   * after token. Those at 1 are what `score` gives.
   */
  scoreTempered(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]>;
  /**
   * Logits of some tokens as the next one behind [start token] + prompt. The difference of two is the log of the odds between these tokens; of the
   * vocabulary no more is computed than the tokens asked for.
   */
  logits(items: readonly LogitsItem[], options?: RequestOptions): Promise<Float32Array[]>;
  generate(items: readonly GenerateItem[], options?: RequestOptions): Promise<Generated[]>;
  /** Encodes and also returns what happens inside. */
  probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]>;
  /** @throws DkvError ENGINE_FAILED, ENGINE_CLOSED */
  load(): Promise<EngineLoad>;
  /** Ends after the batches in hand; requests still waiting are rejected with ENGINE_CLOSED. */
  close(): Promise<void>;
}

/** Every row of some states. */
export function allRows(states: States): StateRange {
  return { states, start: 0, end: states.rows };
}

/**
 * Some items of a request have no result: their numbers are not finite, or the states that they name are missing, damaged or another model's.
 * The others are not affected, since items of a batch share no sums; what they gave is here too. `eachOf` puts both together.
 */
export class ItemsFailedError extends DkvError {
  /** By the item's place in the request, in ascending order; at least one. */
  readonly errors: ReadonlyMap<number, DkvError>;
  /** One for each item of the request; undefined for those that failed. */
  readonly results: readonly unknown[];

  constructor(errors: ReadonlyMap<number, DkvError>, results: readonly unknown[]) {
    const [first] = [...errors].sort(([a], [b]) => a - b);
    const [item, { code, message }] = first!;
    super(code, `Item ${item} of the request${errors.size > 1 ? ` (and ${errors.size - 1} more)` : ''}: ${message}`);
    this.errors = new Map([...errors].sort(([a], [b]) => a - b));
    this.results = results;
  }
}

/**
 * The answers of a request item by item, where one item's failure must not keep the others from going on.
 * @returns per item its result, or the DkvError that says why it has none: NUMBERS_NOT_FINITE, and of states that are named INPUT_INVALID, DOCUMENT_MISSING,
 * STORE_DAMAGED and STORE_MISMATCH
 * @throws what the request throws otherwise
 */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  request: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<(Result | DkvError)[]> {
  try {
    return [...(await request(items))];
  } catch (error) {
    if (!(error instanceof ItemsFailedError)) throw error;
    return items.map((_, item) => error.errors.get(item) ?? (error.results[item] as Result));
  }
}
