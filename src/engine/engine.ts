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

/** Encoder output: one row of `width` numbers for each input token, row after row. */
export interface States {
  readonly rows: number;
  readonly width: number;
  /** The numbers of the rows, [rows * width]. The array is often a view of memory that threads share: treat it as read-only. */
  readonly data: Float32Array;
}

/** The rows from `start` up to, but not including, `end` of some states. */
export interface StateRange {
  readonly states: States;
  readonly start: number;
  readonly end: number;
  /** A masked range stays in the batch and is invisible. Leaving the rows out gives the same answer for less work. */
  readonly masked?: boolean;
}

/**
 * What the decoder attends to: ranges of rows of one encode, or of several. Encoder rows have no position for the decoder, so their order does not
 * matter.
 */
export type Memory = readonly StateRange[];

/** A place where an engine finds states by name. A store is one. */
export interface StatesSource {
  /**
   * Plain data by which another process opens the same source, or undefined where only this process has it. Only addresses of stores that
   * `openStore` opened are understood; states of any other source are read in this process. An address may hold a password: it goes from process to
   * process and into no message.
   */
  readonly address: unknown;
  /**
   * Reads the states of these keys, with all of their rows, in the keys' order. Several items and threads may share what is returned, so nobody
   * writes into it.
   * @param fingerprints the fingerprints under which the model has given its numbers; states of another model are refused
   * @returns for each key its states, or the DkvError (INPUT_INVALID, DOCUMENT_MISSING, STORE_DAMAGED, STORE_MISMATCH) that says why there are none
   * @throws DkvError for what affects all keys, such as STORE_UNREACHABLE
   */
  statesOf(
    keys: readonly string[],
    fingerprints: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly (States | DkvError)[]>;
}

/**
 * What the decoder attends to, given by name: all rows of the states that a source keeps under a key. The engine reads them when their turn comes.
 */
export interface NamedStates {
  readonly source: StatesSource;
  readonly key: string;
  /** The fingerprints of the model that will read the states. */
  readonly fingerprints: readonly string[];
}

export interface EncodeItem {
  /** The token ids of the input's rows, [rows]. */
  readonly tokenIds: Int32Array;
  /** The position of each row, [rows], from which distances follow; 0, 1, 2, ... by default. Sliding windows count rows, whatever the positions. */
  readonly positions?: Int32Array | undefined;
  /** The mask of pairs, [rows * rows]: 1 where the row (first axis) may see the column. Windows still apply. By default every row sees every row. */
  readonly pairMask?: Uint8Array | undefined;
}

export interface ScoreItem {
  readonly memory: Memory | NamedStates;
  /** The tokens between the decoder's start token and the target. They are read and not scored. */
  readonly prompt: Int32Array;
  /** The tokens to score, at least one. */
  readonly target: Int32Array;
}

export interface LogitsItem {
  readonly memory: Memory | NamedStates;
  /** The tokens that follow the decoder's start token. */
  readonly prompt: Int32Array;
  /** The tokens whose logits are wanted, at least one. */
  readonly tokens: Int32Array;
}

export interface Sampling {
  /** Logits are divided by the temperature; 0 means greedy decoding. */
  readonly temperature: number;
  /** Tokens are drawn from the smallest set whose probabilities add up to at least this much. */
  readonly topP: number;
  readonly seed: number;
}

export interface GenerateItem {
  readonly memory: Memory | NamedStates;
  /** The tokens after the decoder's start token that the generated text continues. */
  readonly prompt: Int32Array;
  readonly maxTokens: number;
  /** How tokens are drawn. By default the likeliest token is taken each time. */
  readonly sampling?: Sampling | undefined;
}

export interface Generated {
  /** The generated token ids, without the end token. */
  readonly tokenIds: Int32Array;
  /** The natural logarithm of each token's probability at temperature 1. */
  readonly logProbabilities: Float32Array;
  readonly stop: 'end' | 'length';
}

export interface ProbeLayers {
  /** The layers (from 0) whose output, before the final norm, is wanted. */
  readonly hidden: readonly number[];
  /** The layers (from 0) whose attention probabilities are wanted. */
  readonly attention: readonly number[];
}

export interface Probed {
  readonly states: States;
  readonly hidden: ReadonlyMap<number, States>;
  /** Attention probabilities for each layer: [heads * rows * rows] by head, row and column. */
  readonly attention: ReadonlyMap<number, Float32Array>;
}

/** The classes of requests. From one batch to the next, `interactive` requests come before `bulk` ones. */
export const PRIORITIES = ['interactive', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The phases of a request, in the order in which it passes through them. */
export const PHASES = ['waiting', 'reading', 'tokenising', 'encoding', 'decoding'] as const;
export type Phase = (typeof PHASES)[number];

/** The milliseconds spent in each phase. */
export type PhaseTimes = Readonly<Record<Phase, number>>;

export interface RequestOptions {
  /** Aborting this signal rejects the request with CANCELLED and takes its waiting items out of the queue. A batch that has begun is finished. */
  readonly signal?: AbortSignal | undefined;
  /** This callback is called after every batch. If it throws, the request is rejected with what it threw. */
  readonly onProgress?: ((doneItems: number, totalItems: number) => void) | undefined;
  /** The request's class; `interactive` by default. */
  readonly priority?: Priority | undefined;
  /** A time limit in milliseconds from now, more than 0. A request of which no batch has begun by then is dropped with DEADLINE_PASSED. */
  readonly deadlineMs?: number | undefined;
  /**
   * Also drops single items: those that are in no batch when the deadline passes are never computed and fail with DEADLINE_PASSED each, those in a
   * batch are answered. Without it a request of which a batch has begun is answered whole. It means nothing without a deadline. Where others wait too, a
   * request that is not begun yet is dropped as a whole as soon as what batches took within the last second says that it would not end in time.
   */
  readonly dropLate?: boolean | undefined;
  /** The milliseconds that the caller has spent on tokenising for this request. They are counted among its phases. */
  readonly tokenisingMs?: number | undefined;
  /**
   * This callback is called once, when the request is answered or fails, but not for a request that is cancelled while another process has it. If
   * it throws, the request is rejected with what it threw.
   */
  readonly onPhases?: ((times: PhaseTimes) => void) | undefined;
}

export interface EncodeOptions extends RequestOptions {
  /**
   * Says that the states will be stored as float16. States that are computed on a device in another process then cross over as float16, which is
   * half the bytes. They are already rounded as a store rounds them (to nearest, ties to even), and an item with a number beyond 65504 fails with
   * NUMBERS_NOT_FINITE.
   */
  readonly statesAs?: 'float16' | undefined;
}

/** Some tokens of a text that is being written. */
export interface ChosenTokens {
  /** The place of the text's item in the request. */
  readonly item: number;
  readonly tokenIds: Int32Array;
  /** The natural logarithm of each token's probability at temperature 1. */
  readonly logProbabilities: Float32Array;
}

export interface GenerateOptions extends RequestOptions {
  /**
   * This callback is called with the tokens of each item as they are chosen, in their order and a few at a time. What it was told of an item is in
   * the end what the item returns. Aborting the signal from within ends the text. If it throws, the request is rejected with what it threw.
   */
  readonly onTokens?: ((chosen: ChosenTokens) => void) | undefined;
}

/** How busy an engine is. */
export interface EngineLoad {
  /** The number of items of which no batch has begun, by their requests' class. */
  readonly waitingItems: Readonly<Record<Priority, number>>;
  /** The number of batches being computed. */
  readonly runningBatches: number;
  /** The number of batches that were begun since the engine was started. */
  readonly batches: number;
  /** The number of processes that were started in place of one that had ended; 0 of an engine in threads. */
  readonly restarts: number;
  /**
   * The time that all requests have spent in each phase since the engine was started, up to each request's last change of phase. Requests that
   * share a batch, or wait at the same time, each count that time.
   */
  readonly phases: PhaseTimes;
}

export interface EngineInfo {
  /** The model's name for messages: that of its folder or repository, or else the first digits of its weights' digest. */
  readonly name: string;
  /** The model's family, such as `t5gemma2`. */
  readonly family: string;
  readonly shape: ModelShape;
  /** The number of weights that the model consists of. A tied table is counted once. */
  readonly weights: number;
  readonly precision: Precision;
  /**
   * The precision as records name it, such as `float16 on cuda` where products are computed in 16 bits, which gives other numbers than widening to
   * float32 does.
   */
  readonly computedAs: string;
  readonly weightsDigest: string;
  /** How far NLLs are from float32's, where that was measured: for int8 and for devices that compute in 16 bits. */
  readonly drift?: Drift;
  readonly device: Device;
  /** The largest number of rows in a batch, encoder's and decoder's together, padding included. A single longer item makes a batch of its own. */
  readonly batchTokens: number;
}

/**
 * Runs a compiled model: encodes inputs, scores targets, generates text.
 * @throws DkvError from every request: INPUT_INVALID, INPUT_TOO_LONG, CANCELLED, DEADLINE_PASSED, ENGINE_BUSY, ENGINE_FAILED, ENGINE_CLOSED,
 * DEVICE_UNAVAILABLE, what a source of named states throws, and, after all items were computed, ItemsFailedError when some of them have no result
 */
export interface Engine {
  readonly info: EngineInfo;
  /** Encodes each item and returns its states, all rows. */
  encode(items: readonly EncodeItem[], options?: EncodeOptions): Promise<States[]>;
  /** Computes the negative log-likelihood, in nats, of each target token. The decoder reads [start token] + prompt + target. */
  score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]>;
  /**
   * Computes the NLLs at each inverse temperature b of `INVERSE_TEMPERATURES`, under the softmax of b times the logits: [inverse temperatures] NLLs
   * for each token, token after token. Those at 1 are what `score` gives.
   */
  scoreTempered(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]>;
  /**
   * Computes the logits of some tokens as the next token after [start token] + prompt. The difference of two is the log of the odds between these
   * tokens. Only the tokens asked for are computed, not the whole vocabulary.
   */
  logits(items: readonly LogitsItem[], options?: RequestOptions): Promise<Float32Array[]>;
  generate(items: readonly GenerateItem[], options?: GenerateOptions): Promise<Generated[]>;
  /** Encodes each item and also returns hidden states and attention probabilities of the layers asked for. */
  probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]>;
  /**
   * Asks how busy the engine is.
   * @throws DkvError ENGINE_FAILED, ENGINE_CLOSED
   */
  load(): Promise<EngineLoad>;
  /** Ends the engine after the batches under way. Requests that still wait are rejected with ENGINE_CLOSED. */
  close(): Promise<void>;
}

/** The range of all rows of some states. */
export function allRows(states: States): StateRange {
  return { states, start: 0, end: states.rows };
}

/**
 * Some items of a request have no result: their numbers are not finite, the states that they name are missing, damaged or another model's, or they
 * were dropped when the deadline passed. The other items are not affected, since items of a batch share no sums, and the error carries their results. `eachOf` puts results and errors
 * together.
 */
export class ItemsFailedError extends DkvError {
  /** The error of each item that failed, by the item's place in the request, in ascending order. There is at least one. */
  readonly errors: ReadonlyMap<number, DkvError>;
  /** One result for each item of the request; undefined for the items that failed. */
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
 * Asks a request and answers item by item, for callers that go on when single items fail.
 * @returns for each item its result, or the DkvError that says why it has none: NUMBERS_NOT_FINITE, with `dropLate` DEADLINE_PASSED, and for states that
 * are named INPUT_INVALID, DOCUMENT_MISSING, STORE_DAMAGED and STORE_MISMATCH
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
