/** Records to store, made up: what a primed document looks like, with numbers that tell one from another. */
import { Random } from '../../src/base/random.js';
import type { CacheRecord, StatesPrecision } from '../../src/store/store.js';

export interface RecordShape {
  readonly rows?: number;
  readonly width?: number;
  readonly precision?: StatesPrecision;
}

/** Equal seeds and shapes give equal records. */
export function recordOf(seed: number, { rows = 3, width = 8, precision = 'float32' }: RecordShape = {}): CacheRecord {
  const random = new Random('record', seed);
  const hidden = 2;
  return {
    fingerprint: 'a'.repeat(64),
    modelPrecision: 'float32',
    precision,
    tokenIds: Int32Array.from({ length: hidden + rows }, () => random.below(1000)),
    spans: {
      bos: { start: 0, end: 1 },
      prefix: { start: 1, end: hidden },
      document: { start: hidden, end: hidden + rows },
    },
    visibility: 'exact',
    visible: [{ start: hidden, end: hidden + rows }],
    states: { rows, width, data: Float32Array.from({ length: rows * width }, () => random.float() * 8 - 4) },
    surrogate: { family: 'keywords', count: 10, seed },
    metadata: { words: ['running', 'shoes'], nested: { price: 12.5, sold: null } },
    text: `Running shoes, size ${seed} — 42½ 👟`,
  };
}

/** The record that holds exactly so many bytes of states. */
export function recordOfBytes(seed: number, bytes: number): CacheRecord {
  return recordOf(seed, { rows: 1, width: bytes / 4 });
}
