/** How much memory a model takes to run, estimated before anything is loaded. */
import os from 'node:os';
import { DkvError } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { familyOf, type ModelConfig } from './families/families.js';
import { elementCount } from './files/safetensors.js';
import { type Precision, WEIGHTS_PRECISIONS, type WeightsPrecision, weightsOfPrecision } from './graph/layout.js';

/**
 * Resident bytes of a weight: in the mapped file, and in what each engine makes of it. 16 bits are more than their two: on 4b's layer shapes each
 * layer pair (189 million weights, bfloat16) added 0.46 GB to the peak, the mapped file included (measured with 1 and 3 pairs). int8 is held twice,
 * mapped and as the runtime packs it. (Of float32 the table is mapped only; with several engines that is estimated too high.)
 */
const RESIDENT_BYTES: Record<WeightsPrecision, { readonly mapped: number; readonly own: number }> = {
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

/**
 * What the scores of a batch's items may take together, with what is added to them, where each could be a batch of its own; part of what a run takes
 * beside the weights.
 */
export const ATTENTION_BYTES = 0.25e9;

/**
 * Bytes of one item's attention: a layer's scores, and as much for what is added to them, which the layers share. It grows with the square of the rows: one
 * input of 2,048 takes 0.4 GB with 12 heads.
 */
export function attentionBytes(heads: number, rows: number, keys: number): number {
  return 2 * 4 * heads * rows * keys;
}

/** Weights that are read, a tied table counted once; or of those tensors whose name starts with `part`. */
export function weightCount(config: ModelConfig, part = ''): number {
  let count = 0;
  for (const [name, shape] of familyOf(config).tensors(config)) if (name.startsWith(part)) count += elementCount(shape);
  return count;
}

/** The work that memory is estimated for. */
export interface MemoryUse {
  /** The number of engines side by side; 1 by default. */
  readonly workers?: number;
  /** The tokens of the longest input. By default too few to change the estimate. */
  readonly tokens?: number;
}

/** The approximate resident bytes of encoding and scoring at a precision. */
export function memoryEstimate(
  config: ModelConfig,
  precision: Precision,
  { workers = 1, tokens = 0 }: MemoryUse = {},
): number {
  const weights = weightCount(config);
  const { mapped, own } = RESIDENT_BYTES[weightsOfPrecision(precision)];
  const { heads, mostRows } = familyOf(config).shape(config).encoder;
  const rows = Math.min(tokens, mostRows ?? tokens);
  const longest = attentionBytes(heads, rows, rows);
  const beside = BESIDE_WEIGHTS_BYTES + Math.max(0, longest - ATTENTION_BYTES);
  return mapped * weights + workers * (own * weights + beside);
}

/** The bytes that this process may still take: free memory, within the limit of a container. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const free = os.freemem();
  return limit > 0 && limit < os.totalmem() ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

/** @throws DkvError MEMORY_SHORT saying what would fit */
export function expectMemory(
  config: ModelConfig,
  precision: Precision,
  { available = availableMemory(), ...use }: MemoryUse & { readonly available?: number } = {},
): void {
  const needed = memoryEstimate(config, precision, use);
  const { workers = 1 } = use;
  if (needed <= available) return;
  throw new DkvError(
    'MEMORY_SHORT',
    `As ${precision}${workers > 1 ? ` in ${workers} workers` : ''} this model takes about ${gigabytes(needed)} of memory; ${gigabytes(available)} are available. ${advice(config, precision, use, available)} (--ignore-memory tries all the same.)`,
  );
}

/** Advice about what would fit. */
function advice(config: ModelConfig, precision: Precision, use: MemoryUse, available: number): string {
  const { workers = 1 } = use;
  const taken = (other: Precision, count: number) => memoryEstimate(config, other, { ...use, workers: count });
  for (let fewer = workers - 1; fewer > 0; fewer--) {
    if (taken(precision, fewer) <= available)
      return `--workers ${fewer} would take ${gigabytes(taken(precision, fewer))}.`;
  }
  const other = WEIGHTS_PRECISIONS.find((candidate) => taken(candidate, 1) <= available);
  if (other) return `--precision ${other} would take ${gigabytes(taken(other, 1))}.`;
  return 'No precision fits: take a smaller model or a larger machine.';
}
