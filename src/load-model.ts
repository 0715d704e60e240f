/** From a checkpoint folder to something that tokenises, encodes and scores. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { startWorkerEngine } from './engine/worker-engine.js';
import type { Device, Engine } from './engine.js';
import { openCheckpoint } from './model/checkpoint.js';
import { compileModel, defaultCacheDirectory, type EmbeddingScale } from './model/compile.js';
import type { Precision } from './model/layout.js';
import { loadTokenizer, type Tokenizer } from './model/tokenizer.js';

export interface Model {
  /** The folder's name, for reports. */
  readonly name: string;
  /** Is it the small one that comes with this package? Then results are about it, and reports say so. */
  readonly builtIn: boolean;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
  /** SHA-256 (hex) over weights, config, tokenizer, precision and embedding scale: equal fingerprints give equal numbers. */
  readonly fingerprint: string;
  close(): Promise<void>;
}

export interface LoadOptions {
  readonly precision?: Precision;
  readonly device?: Device;
  /** How sqrt(hidden size) is rounded; `bfloat16` repeats what a bfloat16 load of the reference does. */
  readonly embeddingScale?: EmbeddingScale;
  readonly batchTokens?: number;
  readonly cacheDirectory?: string;
  /** Called while weights are written, the first time that a checkpoint is used. */
  readonly onCompile?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** The checkpoint that comes with this package. */
export const BUILT_IN_MODEL = path.resolve(import.meta.dirname, '../models/tiny');

/**
 * Loads a T5Gemma 2 checkpoint folder; compiles it first if it has not been.
 * @throws DkvError CHECKPOINT_INVALID, MODEL_UNSUPPORTED, DISK_FULL, DEVICE_UNAVAILABLE, CANCELLED
 */
export async function loadModel(directory: string = BUILT_IN_MODEL, options: LoadOptions = {}): Promise<Model> {
  const checkpoint = await openCheckpoint(directory);
  const tokenizer = await loadTokenizer(directory, checkpoint.config);
  const { precision = 'float32', embeddingScale = 'exact', device = 'cpu', batchTokens, onCompile, signal } = options;
  const compiled = await compileModel(checkpoint, {
    precision,
    embeddingScale,
    cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory(),
    ...(onCompile && { onProgress: onCompile }),
    ...(signal && { signal }),
  });
  const engine = await startWorkerEngine(compiled, { device, ...(batchTokens !== undefined && { batchTokens }) });
  const identity = [compiled.weightsDigest, checkpoint.config, tokenizer.digest, precision, embeddingScale];
  return {
    name: path.basename(path.resolve(directory)),
    builtIn: path.resolve(directory) === BUILT_IN_MODEL,
    tokenizer,
    engine,
    fingerprint: createHash('sha256').update(JSON.stringify(identity)).digest('hex'),
    close: () => engine.close(),
  };
}
