/** What an embedded store and the thread that writes for it say to each other: plain data. */
import type { ErrorCode } from '../../base/errors.js';
import type { LmdbWriter } from './lmdb-writer.js';

/** How the thread is started. */
export interface StartWriter {
  readonly directory: string;
  readonly maxBytes: number;
  /** The identity of the file that the store has open. The thread must not write into another one. */
  readonly file: string | undefined;
  /** The memory of the `LmdbGate` that each transaction passes. */
  readonly gate: SharedArrayBuffer;
}

/** What a store asks of the thread. */
export type WriterMethod = Exclude<keyof LmdbWriter, 'noteLayout'>;

export type ToWriter =
  | { readonly type: 'request'; readonly id: number; readonly method: WriterMethod; readonly args: readonly unknown[] }
  | { readonly type: 'close' };

export type FromWriter =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode | undefined; readonly message: string } };
