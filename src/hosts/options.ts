/** What all hosts of an engine are told. */
import type { ExecutorOptions } from '../engine/executor.js';
import type { QueueOptions } from '../engine/queue.js';

export interface HostOptions extends ExecutorOptions, QueueOptions {
  /** Executors side by side, 1 if left out: each works on a batch of its own, with its own threads and packed weights. */
  readonly workers?: number;
}
