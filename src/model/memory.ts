/** How much memory a model takes to run, estimated before anything is loaded. */
import os from 'node:os';
import { DkvError } from '../errors.js';
import { gigabytes } from '../files.js';
import { textTensors } from './checkpoint.js';
import type { ModelConfig } from './config.js';
import { PRECISIONS, type Precision } from './layout.js';
import { elementCount } from './safetensors.js';

/**
 * Resident bytes of a weight. bfloat16 is more than its two: on 4b's layer shapes each layer pair (189 million weights) added 0.46 GB
 * to the peak, the mapped file included (measured with 1 and 3 pairs). int8 is held twice, mapped and as the runtime packs it.
 */
const RESIDENT_BYTES: Record<Precision, number> = { float32: 4, bfloat16: 2.4, int8: 2 };

/**
 * What a run takes beside the weights: Node, the runtime, activations of a batch, and for bfloat16 the weights that are just being
 * widened. Measured on 270m-270m: 2.2 GB in all with 1.5 GB of float32 weights.
 */
const BESIDE_WEIGHTS_BYTES = 0.9e9;

/** Weights of the text model, the tied table counted once; or of those tensors whose name starts with `part`. */
export function weightCount(config: ModelConfig, part = ''): number {
  let count = 0;
  for (const [name, shape] of textTensors(config)) if (name.startsWith(part)) count += elementCount(shape);
  return count;
}

/** Resident bytes of encoding and scoring at a precision, about. */
export function memoryEstimate(config: ModelConfig, precision: Precision): number {
  return weightCount(config) * RESIDENT_BYTES[precision] + BESIDE_WEIGHTS_BYTES;
}

/** What this process may still take: free memory, within the limit of a container. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const free = os.freemem();
  return limit > 0 && limit < os.totalmem() ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

/** @throws DkvError MEMORY_SHORT saying what would fit */
export function expectMemory(config: ModelConfig, precision: Precision, available = availableMemory()): void {
  const needed = memoryEstimate(config, precision);
  if (needed <= available) return;
  const fitting = PRECISIONS.filter((other) => memoryEstimate(config, other) <= available);
  const advice =
    fitting.length > 0
      ? `--precision ${fitting[0]} would take ${gigabytes(memoryEstimate(config, fitting[0]!))}.`
      : 'No precision fits: take a smaller model or a larger machine.';
  throw new DkvError(
    'MEMORY_SHORT',
    `As ${precision} this model takes about ${gigabytes(needed)} of memory; ${gigabytes(available)} are available. ${advice} (--ignore-memory tries all the same.)`,
  );
}
