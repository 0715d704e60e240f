/** Every mutation that mutate.ts tries, room by room. */
import { CHECKPOINTS } from './checkpoints.js';
import { DECISIONS } from './decisions.js';
import { ENGINE } from './engine.js';
import { EXPERIMENTS } from './experiments.js';
import { HALVES } from './halves.js';
import { MODEL } from './model.js';
import type { Mutation } from './mutation.js';
import { RUNS } from './runs.js';
import { SERVING } from './serving.js';
import { STATISTICS } from './statistics.js';
import { STORE } from './store.js';

export const MUTATIONS: readonly Mutation[] = [
  ...MODEL,
  ...HALVES,
  ...CHECKPOINTS,
  ...ENGINE,
  ...STORE,
  ...SERVING,
  ...STATISTICS,
  ...EXPERIMENTS,
  ...RUNS,
  ...DECISIONS,
];
