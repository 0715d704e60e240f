/** What all hosts of an engine are told. */
import type { ExecutorOptions } from '../engine/executor.js';
import type { QueueOptions } from '../engine/queue.js';

export interface HostOptions extends ExecutorOptions, QueueOptions {
  /** The number of executors side by side; 1 by default. Each works on a batch of its own, with its own threads and packed weights. */
  readonly workers?: number;
}
