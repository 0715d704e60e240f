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
  /** The folder's name, or the repository with its commit, as reports print it. */
  readonly name: string;
  /** True for the small model that comes with this package. Its results are about that model alone, and reports say so. */
  readonly builtIn: boolean;
  readonly tokenizer: Tokenizer;
  readonly engine: Engine;
  /** SHA-256 (hex) over everything that decides token ids and numbers: equal fingerprints give equal numbers. */
  readonly fingerprint: string;
  /** SHA-256 (hex) over the checkpoint's weights, whatever they are computed as; undefined where it is not known. */
  readonly weights?: string;
  /** The identities that earlier releases gave to this model. Their stores and runs know it by these. */
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

/** The places where an engine can live. */
export const HOSTS = ['thread', 'process'] as const;
export type Host = (typeof HOSTS)[number];

export interface LoadOptions {
  readonly precision?: Precision | undefined;
  readonly device?: Device | undefined;
  /** T5Gemma 2 only: how sqrt(hidden size) is rounded. `bfloat16` repeats what loading the reference in bfloat16 does. */
  readonly embeddingScale?: EmbeddingScale | undefined;
  /** How a control token such as `<bos>` is read when a text contains its spelling; as ordinary `text` by default. */
  readonly controlTokens?: ControlTokens | undefined;
  readonly batchTokens?: number | undefined;
  /**
   * Where the engine lives. With `thread`, the default on the CPU, it runs in threads of this process and shares the memory of states with it. With
   * `process`, the default on other devices and the choice for a server, it runs in a child process: a native crash, including one of a GPU's
   * driver, then fails the requests that the process had begun and no others. The child opens stores by their addresses itself; a `memory:` store
   * and a storage of the caller's own stay in this process and send their states through a pipe, which is slower. On `cuda` it is always `process`,
   * because the environment that a process starts with decides whether products are computed in TF32.
   */
  readonly host?: Host | undefined;
  /**
   * The longest time, in milliseconds, that a batch waits for requests of other callers where some are expected; 3 by default. A lone caller never
   * waits.
   */
  readonly waitMs?: number | undefined;
  /**
   * The longest time, in milliseconds, that a batch may take, as far as earlier batches tell and a single item takes less. It bounds how long an
   * interactive request waits for bulk work. There is no bound by default, which is best for throughput; 50 is good for serving.
   */
  readonly batchMs?: number | undefined;
  /**
   * The number of items that may wait for the engine; a million by default. A request that finds others waiting and would exceed it is refused with
   * ENGINE_BUSY.
   */
  readonly queueItems?: number | undefined;
  /**
   * The number of executors side by side; 1 by default. Several suit many documents: each takes the next batch, and has its own threads and its own
   * packed weights.
   */
  readonly workers?: number | undefined;
  /** The threads of each worker. By default one for each physical core, or 1 with several workers. */
  readonly threads?: number | undefined;
  /**
   * The length in tokens of the longest input that will be encoded. It enters the estimate of memory, in which attention counts with its square.
   */
  readonly maxTokens?: number | undefined;
  /**
   * The bytes of the device's memory that may be used, where nothing reports them (WebGPU, no `nvidia-smi`) or fewer than all are free to use. By
   * default what the device has free.
   */
  readonly deviceMemoryBytes?: number | undefined;
  /** Load the model even if memory seems too short. */
  readonly ignoreMemory?: boolean | undefined;
  /**
   * Load int8, or a device's 16 bits, even if they move the model's numbers far from float32's (see `DRIFT_REFUSAL`). On a device the drift is then
   * not measured, unless it was before.
   */
  readonly ignoreDrift?: boolean | undefined;
  readonly cacheDirectory?: string | undefined;
  /** The settings of the Hugging Face hub. By default they come from the environment (HF_ENDPOINT, HF_TOKEN, ...). */
  readonly hub?: HubSettings | undefined;
  /** This callback is told the progress of a download from the hub, the first time that a model is used. */
  readonly onDownload?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /** This callback is told the progress of writing compiled weights, the first time that a checkpoint is used. */
  readonly onCompile?: ((doneBytes: number, totalBytes: number) => void) | undefined;
  /**
   * This callback is told the progress of measuring drift, in parts of the model: after weights were written, or when a device is first asked for
   * 16 bits.
   */
  readonly onMeasure?: ((doneParts: number, totalParts: number) => void) | undefined;
  /**
   * This callback receives notices: things that the user should know and that are no errors, such as that another process is waited for or that the
   * hub does not answer.
   */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /**
   * This callback receives each line that a GPU's driver and the runtime write in the engine's process. The lines are harmless as long as the
   * engine works, and are not shown by default.
   */
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

/** The folder of the checkpoint that comes with this package. */
export const BUILT_IN_MODEL = path.resolve(import.meta.dirname, '../../models/tiny');

/** What the built-in model may be called in place of its folder: its name in records, and what lists of models call it. */
const BUILT_IN_NAMES = [path.basename(BUILT_IN_MODEL), 'built-in'];

/**
 * Makes a model's name mean the same elsewhere: a folder that is looked for from `folder` gets its absolute path, a name on the hub and that of the built-in model
 * stay as they are.
 */
export function modelFrom(model: string, folder: string): string {
  const place = path.resolve(folder, model);
  if (existsSync(place)) return place;
  return BUILT_IN_NAMES.includes(model) || parseModelReference(model) ? model : place;
}

/**
 * Finds the folder of a model: the folder itself, or the hub's cache after its files have been brought there.
 * @param model a folder, or `organisation/name`, or `organisation/name@revision`, or `tiny` for the built-in model; a folder of that name comes first
 * @throws DkvError CHECKPOINT_INVALID and what `pullModel` throws
 */
export async function findModel(model: string, options: LoadOptions = {}): Promise<ModelSource> {
  const isFolder = existsSync(model);
  if (!isFolder && BUILT_IN_NAMES.includes(model)) return findModel(BUILT_IN_MODEL, options);
  const reference = isFolder ? undefined : parseModelReference(model);
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
 * Loads a checkpoint of one of the supported families, and downloads and compiles it first where that has not been done.
 * @param model a folder, or a repository on the hub; see `findModel`
 * @throws DkvError CHECKPOINT_INVALID, MODEL_UNSUPPORTED, NUMBERS_NOT_FINITE, DRIFT_LARGE, MEMORY_SHORT, DISK_FULL, DEVICE_UNAVAILABLE,
 * RUNTIME_MISSING, CANCELLED, and what the hub's client throws
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
    weights: compiled.weightsDigest,
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
