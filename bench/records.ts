/** A record of the store around some states, for benchmarks; its token ids are its own. */

import { Random } from '../src/base/random.js';
import type { States } from '../src/engine/engine.js';
import type { CacheRecord, StatesPrecision } from '../src/store/store.js';

export function recordOf(states: States, precision: StatesPrecision, seed: number): CacheRecord {
  const random = new Random('record', seed);
  const document = { start: 0, end: states.rows };
  return {
    fingerprint: 'f'.repeat(64),
    modelPrecision: 'float32',
    precision,
    tokenIds: Int32Array.from({ length: states.rows }, () => random.below(262_144)),
    spans: { document },
    visibility: 'exact',
    visible: [document],
    states,
    surrogate: null,
    metadata: {},
  };
}

export function randomStates(rows: number, width: number, seed: number): States {
  const random = new Random('states', seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.float() * 8 - 4) };
}
