/**
 * The rooms of `src`, from the ground up: a file may import files of its own room and of rooms that stand before it in this list, and no others, types
 * included. A file belongs to the entry with the longest matching path. What each room is for stands in docs/architecture.md.
 */
export const ROOMS = [
  'base',
  'stats',
  'hub',
  'model',
  'engine',
  'engine/hosts',
  'samples',
  'priming',
  'scoring',
  'adworld',
  'datasets',
  'llm',
  'store/store.ts',
  'store/records',
  'store/backends',
  'store',
  'serving',
  'runs/schema',
  'runs',
  'experiments/declaration',
  'experiments/catalogue',
  'experiments/plan',
  'experiments/analysis',
  'experiments/run',
  'experiments/screening',
  'report',
  'cli',
  'index.ts',
] as const;
