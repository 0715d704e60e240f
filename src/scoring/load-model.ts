/** From the name of a model, a folder or a repository on the hub, to something that tokenises, encodes and scores. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { expectKnownOptions } from '../base/option-names.js';
import { processEnvironment } from '../devices/environment.js';
import { deviceMemory } from '../devices/memory.js';
import type { Device, Engine } from '../engine/engine.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';
import { expectPrecision } from '../engine/runtime.js';
import { startChildEngine } from '../hosts/child-engine.js';
import type { HostOptions } from '../hosts/options.js';
import { expectAlone, startWorkerEngine } from '../hosts/worker-engine.js';
import { type HubSettings, hubSettings } from '../hub/settings.js';
import { type Checkpoint, openCheckpoint } from '../model/checkpoint.js';
import { compileModel } from '../model/compile.js';
import { type CompiledModel, defaultCacheDirectory } from '../model/compiled.js';
import { type DevicePlan, planDevice } from '../model/device-memory.js';
import { familyOf, type ModelConfig } from '../model/families/families.js';
import type { EmbeddingScale } from '../model/families/family.js';
import type { Precision } from '../model/graph/layout.js';
import { targetOf } from '../model/graph/target.js';
import { type FormerIdentity, fingerprintOf, formerIdentities } from '../model/identity.js';
import { expectMemory } from '../model/memory.js';
import { type ControlTokens, loadTokenizer, type Tokenizer } from '../model/tokenizer/tokenizer.js';
import { measuredOnDevice } from './device-drift.js';
import { driftNotice, measureTextDrift } from './drift.js';
import { parseModelReference, pullModel } from './pull-model.js';

export interface Model {
  /** The folder's name, or the repository with its commit; for reports. */
  readonly name: string;
  /** Is it the small one that comes with this package? Then results are about it, and reports say so. */
  readonly builtIn: boolean;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
  /** SHA-256 (hex) over all that decides token ids and numbers: equal fingerprints give equal numbers. */
  readonly fingerprint: string;
  /** What earlier releases called the same model: their stores and runs are known by it. */
  readonly formerly: readonly FormerIdentity[];
  close(): Promise<void>;
}

/** The fingerprints under which a model has given the numbers that it gives: its own first, then those of earlier releases. */
export function sameNumbers({
  fingerprint,
  formerly = [],
}: Pick<Model, 'fingerprint'> & Partial<Pick<Model, 'formerly'>>): string[] {
  const former = formerly.filter(({ changed }) => changed === undefined);
  return [fingerprint, ...former.map((identity) => identity.fingerprint)];
}

/** Where an engine can live. */
export const HOSTS = ['thread', 'process'] as const;
export type Host = (typeof HOSTS)[number];

export interface LoadOptions {
  readonly precision?: Precision | undefined;
  readonly device?: Device | undefined;
  /** T5Gemma 2: how sqrt(hidden size) is rounded; `bfloat16` repeats what a bfloat16 load of the reference does. */
  readonly embeddingScale?: EmbeddingScale | undefined;
  /** What control tokens such as `<bos>` are where a text has them as they are written; `text` when left out. */
  readonly controlTokens?: ControlTokens | undefined;
  readonly batchTokens?: number | undefined;
  /**
   * Where the engine lives. `thread`, when left out on the CPU: in threads of this process, which share the memory of states with it. `process`, when left out on
   * other devices: in a child process, as a server wants it: a native crash, of a GPU's driver too, takes the requests that it had begun, and no others. It opens
   * stores by their addresses itself; a `memory:` store and a caller's own storage stay here, and their states go through a pipe, which is slower. On
   * `cuda` always `process`: whether its products are made in TF32 is decided by the environment that a process starts with.
   */
  readonly host?: Host | undefined;
  /** How long, in milliseconds, a batch waits for requests of other callers where some are to be expected. A lone caller never waits. 3 when left out. */
  readonly waitMs?: number | undefined;
  /**
   * How long, in milliseconds, a batch may take where one item takes less, as far as earlier batches tell: what an interactive request may have to wait for bulk
   * ones. No bound when left out, which is best for throughput; 50 is good for serving.
   */
  readonly batchMs?: number | undefined;
  /** Items that may wait for the engine: a request that finds some waiting and would bring more is refused with ENGINE_BUSY. A million when left out. */
  readonly queueItems?: number | undefined;
  /** Executors side by side, 1 if left out. For many documents: each takes the next batch, with its own threads and packed weights. */
  readonly workers?: number | undefined;
  /** Of each worker. If left out one for each physical core, or 1 with several workers. */
  readonly threads?: number | undefined;
  /** Tokens of the longest input that will be encoded, for the estimate of memory, in which attention counts with its square. */
  readonly maxTokens?: number | undefined;
  /** Bytes of the device's memory that may be used, where nothing tells (WebGPU, no `nvidia-smi`) or less than all; else what the device has free. */
  readonly deviceMemoryBytes?: number | undefined;
  /** Load even if memory seems too short. */
  readonly ignoreMemory?: boolean | undefined;
  /**
   * Load int8, or 16 bits that a device computes in, even if it moves the model's numbers far from float32's; see `DRIFT_REFUSAL`. Of a device it is not
   * measured then, unless it was before.
   */
  readonly ignoreDrift?: boolean | undefined;
  readonly cacheDirectory?: string | undefined;
  /** The environment's (HF_ENDPOINT, HF_TOKEN, ...) when left out. */
  readonly hub?: HubSettings | undefined;
  /** Called while files come from the hub, the first time that a model is used. */
  readonly onDownload?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Called while weights are written, the first time that a checkpoint is used. */
  readonly onCompile?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** Called while drift is measured, after weights were written or a device was first asked for 16 bits: parts of the model. */
  readonly onMeasure?: ((doneParts: number, totalParts: number) => void) | undefined;
  /** Called with what the user should know though it is no error: another process is waited for, the hub does not answer. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** Called with each line that a GPU's driver and the runtime write in the engine's process. They are harmless as long as it works, and not shown when left out. */
  readonly onRuntimeLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const LOAD_OPTIONS: Readonly<Record<keyof LoadOptions, true>> = {
  precision: true,
  device: true,
  embeddingScale: true,
  controlTokens: true,
  batchTokens: true,
  host: true,
  waitMs: true,
  batchMs: true,
  queueItems: true,
  workers: true,
  threads: true,
  maxTokens: true,
  deviceMemoryBytes: true,
  ignoreMemory: true,
  ignoreDrift: true,
  cacheDirectory: true,
  hub: true,
  onDownload: true,
  onCompile: true,
  onMeasure: true,
  onNotice: true,
  onRuntimeLine: true,
  signal: true,
};

/** A checkpoint folder and how to call it. */
export interface ModelSource {
  readonly directory: string;
  readonly name: string;
}

/** The checkpoint that comes with this package. */
export const BUILT_IN_MODEL = path.resolve(import.meta.dirname, '../../models/tiny');

/** A model's name as it means the same elsewhere: that of a folder which is sought from `folder` by its whole path, one on the hub as it is. */
export function modelFrom(model: string, folder: string): string {
  const place = path.resolve(folder, model);
  return existsSync(place) || !parseModelReference(model) ? place : model;
}

/**
 * The folder of a model: itself, or the hub's cache after its files have been brought there.
 * @param model a folder, or `organisation/name`, or `organisation/name@revision`; a folder of that name comes first
 * @throws DkvError CHECKPOINT_INVALID and what `pullModel` throws
 */
export async function findModel(model: string, options: LoadOptions = {}): Promise<ModelSource> {
  const reference = existsSync(model) ? undefined : parseModelReference(model);
  if (!reference) return { directory: model, name: path.basename(path.resolve(model)) };
  const { signal, onDownload, onNotice } = options;
  const { directory, repository, commit } = await pullModel(reference, options.hub ?? hubSettings(), {
    ...(signal && { signal }),
    ...(onDownload && { onProgress: onDownload }),
    ...(onNotice && { onNotice, onWait: (holder) => onNotice(`Waiting for ${holder}, which downloads the same.`) }),
  });
  return { directory, name: `${repository}@${commit.slice(0, 12)}` };
}

/**
 * The compiled form of a checkpoint that was opened; of int8 its drift has been measured, and is small enough or to be ignored.
 * @throws DkvError DRIFT_LARGE, and what `compileModel` and `measureTextDrift` throw
 */
export async function compileMeasured(
  { name }: ModelSource,
  checkpoint: Checkpoint,
  tokenizerOf: () => Promise<Tokenizer>,
  options: LoadOptions,
): Promise<CompiledModel> {
  const { precision = 'float32', embeddingScale = 'exact', onCompile, onMeasure, onNotice, signal } = options;
  const { title, embeddingScales } = familyOf(checkpoint.config);
  if (!embeddingScales.includes(embeddingScale)) {
    throw new DkvError(
      'MODEL_UNSUPPORTED',
      `${name}: ${title} does not scale its embedding rows; embeddingScale "${embeddingScale}" means nothing there. Leave it out.`,
    );
  }
  const measuring = { ...(signal && { signal }), ...(onMeasure && { onProgress: onMeasure }) };
  const compiled = await compileModel(checkpoint, {
    precision,
    embeddingScale,
    cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory(),
    measureDrift: async (form) => measureTextDrift(checkpoint, form, await tokenizerOf(), measuring),
    ...(onCompile && { onProgress: onCompile }),
    ...(onNotice && {
      onNotice,
      onWait: (holder) => onNotice(`Waiting for ${holder}, which compiles the same model.`),
    }),
    ...(signal && { signal }),
  });
  const notice = compiled.drift && driftNotice(name, compiled.drift, options.ignoreDrift);
  if (notice) onNotice?.(notice);
  return compiled;
}

/**
 * The tokenizer of a checkpoint that was opened.
 * @throws DkvError MODEL_UNSUPPORTED where it frames texts as the model's family does not know, and what `loadTokenizer` throws
 */
export async function loadTokenizerOf(
  { directory, config }: Pick<Checkpoint, 'directory' | 'config'>,
  controlTokens?: ControlTokens,
): Promise<Tokenizer> {
  const tokenizer = await loadTokenizer(directory, config, controlTokens);
  const { before, after } = tokenizer.frame;
  const problem = familyOf(config).frameProblem?.(tokenizer.frame, config);
  if (problem === undefined) return tokenizer;
  await tokenizer.close();
  throw new DkvError(
    'MODEL_UNSUPPORTED',
    `${path.join(directory, 'tokenizer.json')}: an empty text becomes [${[...before, ...after]}]; ${problem}.`,
  );
}

/**
 * Loads a checkpoint of one of the supported families; downloads and compiles it first if that has not been done.
 * @param model a folder, or a repository on the hub; see `findModel`
 * @throws DkvError CHECKPOINT_INVALID, MODEL_UNSUPPORTED, NUMBERS_NOT_FINITE, DRIFT_LARGE, MEMORY_SHORT, DISK_FULL, DEVICE_UNAVAILABLE, RUNTIME_MISSING, CANCELLED, and the hub's
 */
export async function loadModel(model: string = BUILT_IN_MODEL, options: LoadOptions = {}): Promise<Model> {
  expectKnownOptions(options, LOAD_OPTIONS, 'Loading a model');
  onnxRuntimeVersion();
  const { precision = 'float32', embeddingScale = 'exact', device = 'cpu', batchTokens, workers = 1 } = options;
  expectPrecision(device, precision);
  const host = hostOf(device, options.host);
  // What is known now is said before anything is downloaded and compiled.
  if (workers > 1 || host === 'thread') expectAlone(device, workers);
  const { directory, name } = await findModel(model, options);
  const checkpoint = await openCheckpoint(directory);
  for (const notice of checkpoint.notices) options.onNotice?.(notice);
  const tokenizer = await loadTokenizerOf(checkpoint, options.controlTokens);
  const { waitMs, batchMs, queueItems, onNotice, onRuntimeLine } = options;
  const plan = await planned(checkpoint.config, options);
  const compiled = await compileMeasured({ directory, name }, checkpoint, async () => tokenizer, options);
  const threads = options.threads ?? (workers > 1 ? 1 : undefined);
  const hosted: HostOptions = {
    name,
    device,
    precision,
    workers,
    ...(batchTokens !== undefined && { batchTokens }),
    ...plan,
    ...(threads !== undefined && { threads }),
    ...(waitMs !== undefined && { waitMs }),
    ...(batchMs !== undefined && { batchMs }),
    ...(queueItems !== undefined && { queueItems }),
  };
  const start = async (form: CompiledModel): Promise<Engine> =>
    host === 'thread'
      ? startWorkerEngine(form, hosted)
      : startChildEngine(form, {
          ...hosted,
          environment: await environmentOf(options),
          ...(onNotice && { onNotice }),
          ...(onRuntimeLine && { onRuntimeLine }),
        });
  const target = targetOf(precision, device);
  const measured = await measuredOnDevice({ name, checkpoint, compiled, tokenizer, target, start }, options);
  const engine = await start(measured);
  const { config } = checkpoint;
  const facts = { config, weightsDigest: compiled.weightsDigest, precision, embeddingScale, target };
  return {
    name,
    builtIn: path.resolve(directory) === BUILT_IN_MODEL,
    tokenizer,
    engine,
    fingerprint: fingerprintOf(facts, tokenizer.digest),
    formerly: formerIdentities(facts, tokenizer.digest),
    close: async () => {
      await Promise.all([engine.close(), tokenizer.close()]);
    },
  };
}

function hostOf(device: Device, host: Host = device === 'cpu' ? 'thread' : 'process'): Host {
  if (!(HOSTS as readonly string[]).includes(host)) {
    throw new DkvError('INPUT_INVALID', `host is ${JSON.stringify(host)}; expected ${HOSTS.join(' or ')}.`);
  }
  if (host === 'thread' && device === 'cuda') {
    throw new DkvError(
      'INPUT_INVALID',
      'host is "thread"; an engine on cuda has a process of its own, because the environment of a process decides how CUDA multiplies and where its libraries are. Leave host out.',
    );
  }
  return host;
}

/** The variables of an engine's process; what should be known of them is said. */
async function environmentOf(options: LoadOptions): Promise<Variables> {
  const { device = 'cpu', precision = 'float32', cacheDirectory = defaultCacheDirectory(), onNotice } = options;
  const { variables, notices } = await processEnvironment(device, precision, cacheDirectory);
  for (const notice of notices) onNotice?.(notice);
  return variables;
}

/**
 * Looks at memory before anything is compiled or loaded.
 * @returns how a device is used; nothing for the CPU
 * @throws DkvError MEMORY_SHORT, and INPUT_INVALID for stated memory that is no number above 0
 */
async function planned(config: ModelConfig, options: LoadOptions): Promise<Partial<DevicePlan>> {
  const { precision = 'float32', device = 'cpu', workers = 1, maxTokens: tokens, batchTokens, ignoreMemory } = options;
  if (device === 'cpu') {
    if (!ignoreMemory) expectMemory(config, precision, { workers, ...(tokens !== undefined && { tokens }) });
    return {};
  }
  const memory = await deviceMemory(device, options.deviceMemoryBytes);
  if (!memory) {
    options.onNotice?.(
      `Nothing tells how much memory the ${device} device has, so it is not known whether the model fits, and batches are of a moderate size. --device-memory (or DKV_DEVICE_MEMORY, in GB) says it.`,
    );
  }
  const use = { precision, device, workers, batchTokens, tokens };
  return planDevice(config, use, ignoreMemory ? undefined : memory?.freeBytes);
}
