/** What a host and its engine say to each other. Plain data in both directions. */

import type { ErrorCode } from '../base/errors.js';
import type { Engine, EngineInfo } from '../engine/engine.js';
import type { ExecutorOptions } from '../engine/executor.js';
import type { CompiledModel } from '../model/compiled.js';

/** How the engine's thread is started. */
export interface Start {
  readonly model: CompiledModel;
  readonly options: ExecutorOptions;
}

export type Method = Exclude<keyof Engine, 'info' | 'close'>;

export type ToEngine =
  | { readonly type: 'request'; readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'close' };

export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  /** Of an ItemsFailedError. */
  readonly items?: { readonly errors: readonly (readonly [number, Failure])[]; readonly results: readonly unknown[] };
}

export type FromEngine =
  | { readonly type: 'ready'; readonly info: EngineInfo }
  | { readonly type: 'failed'; readonly error: Failure }
  /** A request's turn has come. */
  | { readonly type: 'started'; readonly id: number }
  | { readonly type: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: Failure };
