/** An engine of a checkpoint that benchmarks have made, compiled first where it was not. */
import path from 'node:path';
import type { Device, Engine } from '../src/engine/engine.js';
import { startChildEngine } from '../src/hosts/child-engine.js';
import { startWorkerEngine } from '../src/hosts/worker-engine.js';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import { type Precision, weightsOfPrecision } from '../src/model/graph/layout.js';
import { WORK } from './checkpoint.js';

export interface EngineWanted {
  readonly checkpoint: string;
  readonly precision: Precision;
  readonly device: Device;
  readonly batchTokens: number;
  readonly workers?: number;
  /** A `thread` where the process has the device's environment already; left out, that. */
  readonly host?: 'thread' | 'process';
  readonly cache?: string;
}

/** @param onCompiled called when only the start of the engine is left */
export async function engineOf(wanted: EngineWanted, onCompiled?: () => void): Promise<Engine> {
  const { checkpoint, precision, device, batchTokens, workers = 1, host, cache = path.join(WORK, 'cache') } = wanted;
  const model = await compileModel(await openCheckpoint(checkpoint), {
    precision: weightsOfPrecision(precision),
    embeddingScale: 'exact',
    cacheDirectory: cache,
  });
  onCompiled?.();
  const start = host === 'process' ? startChildEngine : startWorkerEngine;
  return start(model, { device, precision, batchTokens, workers, ...(workers > 1 && { threads: 1 }) });
}
