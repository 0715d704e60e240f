/** How much memory a model takes to run, estimated before anything is loaded. */
import os from 'node:os';
import { DkvError } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { familyOf, type ModelConfig } from './families/families.js';
import { elementCount } from './files/safetensors.js';
import { PRECISIONS, type Precision } from './graph/layout.js';

/**
 * Resident bytes of a weight: in the mapped file, and in what each engine makes of it. 16 bits are more than their two: on 4b's layer shapes each
 * layer pair (189 million weights, bfloat16) added 0.46 GB to the peak, the mapped file included (measured with 1 and 3 pairs). int8 is held twice,
 * mapped and as the runtime packs it. (Of float32 the table is mapped only; with several engines that is estimated too high.)
 */
const RESIDENT_BYTES: Record<Precision, { readonly mapped: number; readonly own: number }> = {
  float32: { mapped: 0, own: 4 },
  bfloat16: { mapped: 2, own: 0.4 },
  float16: { mapped: 2, own: 0.4 },
  int8: { mapped: 1, own: 1 },
};

/**
 * What a run takes beside the weights: Node, the runtime, activations of a batch, and for 16 bits the weights that are just being
 * widened. Measured on 270m-270m: 2.2 GB in all with 1.5 GB of float32 weights.
 */
const BESIDE_WEIGHTS_BYTES = 0.9e9;

/** Weights that are read, a tied table counted once; or of those tensors whose name starts with `part`. */
export function weightCount(config: ModelConfig, part = ''): number {
  let count = 0;
  for (const [name, shape] of familyOf(config).tensors(config)) if (name.startsWith(part)) count += elementCount(shape);
  return count;
}

/** Resident bytes of encoding and scoring at a precision, about. @param workers engines side by side */
export function memoryEstimate(config: ModelConfig, precision: Precision, workers = 1): number {
  const weights = weightCount(config);
  const { mapped, own } = RESIDENT_BYTES[precision];
  return mapped * weights + workers * (own * weights + BESIDE_WEIGHTS_BYTES);
}

/** What this process may still take: free memory, within the limit of a container. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const free = os.freemem();
  return limit > 0 && limit < os.totalmem() ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

/** @throws DkvError MEMORY_SHORT saying what would fit */
export function expectMemory(
  config: ModelConfig,
  precision: Precision,
  { workers = 1, available = availableMemory() }: { readonly workers?: number; readonly available?: number } = {},
): void {
  const needed = memoryEstimate(config, precision, workers);
  if (needed <= available) return;
  throw new DkvError(
    'MEMORY_SHORT',
    `As ${precision}${workers > 1 ? ` in ${workers} workers` : ''} this model takes about ${gigabytes(needed)} of memory; ${gigabytes(available)} are available. ${advice(config, precision, workers, available)} (--ignore-memory tries all the same.)`,
  );
}

/** What would fit. */
function advice(config: ModelConfig, precision: Precision, workers: number, available: number): string {
  const fits = (other: Precision, count: number) => memoryEstimate(config, other, count) <= available;
  for (let fewer = workers - 1; fewer > 0; fewer--) {
    if (fits(precision, fewer))
      return `--workers ${fewer} would take ${gigabytes(memoryEstimate(config, precision, fewer))}.`;
  }
  const other = PRECISIONS.find((candidate) => fits(candidate, 1));
  if (other) return `--precision ${other} would take ${gigabytes(memoryEstimate(config, other))}.`;
  return 'No precision fits: take a smaller model or a larger machine.';
}
