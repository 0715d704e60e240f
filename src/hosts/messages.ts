/** What a host says to its threads and processes, and they to it. Plain data in both directions. */
import type { ErrorCode } from '../base/errors.js';
import { DkvError, messageOf } from '../base/errors.js';
import {
  type ChosenTokens,
  type EncodeItem,
  type EngineInfo,
  type EngineLoad,
  type GenerateItem,
  ItemsFailedError,
  type LogitsItem,
  type Memory,
  type PhaseTimes,
  type ProbeLayers,
  type ScoreItem,
} from '../engine/engine.js';
import type { ExecutorOptions, FedDone, FedWork } from '../engine/executor.js';
import type { QueuedRequestOptions } from '../engine/queue.js';
import type { Work } from '../engine/runner.js';
import type { Feeds } from '../engine/runtime.js';
import type { CompiledModel } from '../model/compiled.js';
import type { HostOptions } from './options.js';

export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  /** The errors and results of an ItemsFailedError. */
  readonly items?: { readonly errors: Failures; readonly results: readonly unknown[] };
}

/** Failures by the place of what failed. */
export type Failures = readonly (readonly [number, Failure])[];

export function failureOf(error: unknown): Failure {
  return {
    code: error instanceof DkvError ? error.code : undefined,
    message: messageOf(error),
    ...(error instanceof ItemsFailedError && {
      items: {
        errors: [...error.errors].map(([item, own]): [number, Failure] => [item, failureOf(own)]),
        results: error.results,
      },
    }),
  };
}

export function errorOf({ code, message, items }: Failure): DkvError {
  if (items) {
    const errors = items.errors.map(([item, error]): [number, DkvError] => [item, errorOf(error)]);
    return new ItemsFailedError(new Map(errors), items.results);
  }
  return new DkvError(code ?? 'ENGINE_FAILED', message);
}

/** Results of which some are errors, which do not go from thread to thread as what they are. */
export interface Answers {
  /** The results, with undefined in place of an error. */
  readonly values: readonly unknown[];
  readonly errors: Failures;
}

export function answersOf(results: readonly unknown[]): Answers {
  const errors = results.flatMap((own, i): [number, Failure][] =>
    own instanceof DkvError ? [[i, failureOf(own)]] : [],
  );
  return {
    values: errors.length > 0 ? results.map((own) => (own instanceof DkvError ? undefined : own)) : results,
    errors,
  };
}

export function resultsOf({ values, errors }: Answers): unknown[] {
  const results = [...values];
  for (const [i, failure] of errors) results[i] = errorOf(failure);
  return results;
}

/** How a thread that runs batches is started. */
export interface StartRunner {
  readonly model: CompiledModel;
  readonly options: ExecutorOptions;
}

export type ToRunner =
  | { readonly type: 'run'; readonly id: number; readonly work: Work }
  /** Tensors are handed over, in both directions. */
  | { readonly type: 'fed'; readonly id: number; readonly fed: FedWork }
  /** The batch is no longer wanted. */
  | { readonly type: 'stop'; readonly id: number }
  | { readonly type: 'close' };

export type FromRunner =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  /** The thread did not start. */
  | { readonly type: 'unstarted'; readonly error: Failure }
  | { readonly type: 'failed'; readonly id: number; readonly error: Failure }
  | { readonly type: 'tokens'; readonly id: number; readonly chosen: readonly ChosenTokens[] }
  | { readonly type: 'done'; readonly id: number; readonly answers: Answers; readonly computedMs: number }
  | { readonly type: 'given'; readonly id: number; readonly done: FedDone };

/** Tensors as plain data, and their memory, which is handed over with them. */
export function handedOver(tensors: Feeds): { readonly feeds: Feeds; readonly memory: ArrayBuffer[] } {
  const feeds: Feeds = {};
  for (const [name, { type, dims, data }] of Object.entries(tensors)) feeds[name] = { type, dims, data };
  const memory = Object.values(feeds).map(({ data }) => (data as Float32Array<ArrayBuffer>).buffer);
  return { feeds, memory: [...new Set(memory)] };
}

/** How a process that holds a whole engine is started. */
export interface StartProcess {
  readonly model: CompiledModel;
  readonly options: HostOptions;
}

/** The name of states in a source that the process was told of. */
export interface SentName {
  readonly source: number;
  readonly key: string;
  readonly fingerprints: readonly string[];
}

export type Sent<Item> = Omit<Item, 'memory'> & { readonly memory: Memory | SentName };
export type SentItem = EncodeItem | Sent<ScoreItem> | Sent<LogitsItem> | Sent<GenerateItem>;

export interface SentRequest {
  readonly type: 'request';
  readonly id: number;
  readonly method: Work['method'];
  readonly items: readonly SentItem[];
  readonly layers?: ProbeLayers;
  /** True where the tokens of texts are told as they are chosen. */
  readonly tellsTokens?: true;
  readonly options: Pick<QueuedRequestOptions, 'priority' | 'deadline' | 'dropLate' | 'tokenisingMs' | 'asHalves'>;
}

export type ToProcess =
  | SentRequest
  | { readonly type: 'cancel'; readonly id: number }
  /** The place of states: an address or, without one, the host. */
  | { readonly type: 'source'; readonly source: number; readonly address: unknown }
  /** The states that the host has found for a `read`. */
  | { readonly type: 'states'; readonly id: number; readonly answers: Answers | Failure }
  | { readonly type: 'load'; readonly id: number }
  | { readonly type: 'close' };

export type FromProcess =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  | { readonly type: 'failed'; readonly error: Failure }
  /** A request's turn has come. */
  | { readonly type: 'started'; readonly id: number }
  | { readonly type: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly type: 'tokens'; readonly id: number; readonly chosen: ChosenTokens }
  | { readonly type: 'phases'; readonly id: number; readonly times: PhaseTimes }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: Failure }
  | {
      readonly type: 'read';
      readonly id: number;
      readonly source: number;
      readonly keys: readonly string[];
      readonly fingerprints: readonly string[];
    }
  | { readonly type: 'load'; readonly id: number; readonly load: EngineLoad };
