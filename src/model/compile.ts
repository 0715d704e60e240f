/**
 * Turns a checkpoint into ONNX graphs and one weights file in the cache folder, once per content, precision and format version.
 *
 * Weights stream through in chunks, so memory does not grow with the checkpoint. Everything is written to a folder with a name
 * that nothing loads and renamed at the end: a killed compile leaves nothing that could be taken for a model.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { DkvError } from '../base/errors.js';
import { expectSpace, gigabytes, makeFolder } from '../base/files.js';
import { isAlive, withLock } from '../base/lock.js';
import { type Checkpoint, weightsDigest } from './checkpoint.js';
import { damaged, expectIntact, MANIFEST, readManifest, sealed, type WrittenFile } from './compiled-folder.js';
import { expectEqualCopies } from './copies.js';
import { familyOf, type ModelConfig } from './families/families.js';
import type { EmbeddingScale } from './families/family.js';
import { DigestMemory, type ReadingOptions } from './files/digests.js';
import { elementCount, rowsOf } from './files/safetensors.js';
import type { BuildGraph, GraphModel } from './graph/blocks.js';
import { GraphBuilder } from './graph/builder.js';
import { buildCross, buildGenerate, buildScore } from './graph/decoder.js';
import { buildEncoder, type EncoderProbe } from './graph/encoder.js';
import { createLayout, PRECISIONS, type Precision } from './graph/layout.js';
import { transformed } from './graph/transforms.js';
import { type PlacedTensor, WEIGHTS_FILE, Weights } from './graph/weights.js';
import { identityOf } from './identity.js';
import { readSmoothed, type Smoothing, smoothedNames, smoothedVector, smoothingOf } from './smoothing.js';
import { readSound } from './sound.js';

/** Changes whenever a graph or the layout of the weights file changes, so that old cache folders are not taken for new ones. */
const FORMAT_VERSION = 13;

const GRAPHS = { encoder: buildEncoder, score: buildScore, cross: buildCross, generate: buildGenerate };

export type GraphName = keyof typeof GRAPHS;

export interface CompileOptions {
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  readonly cacheDirectory: string;
  /** Called after every chunk of weights. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Called when another process compiles the same model: it is waited for. */
  readonly onWait?: (holder: string) => void;
  /** Called with what the user should know though it is no error. */
  readonly onNotice?: (notice: string) => void;
  readonly signal?: AbortSignal;
  /** Measures what an int8 model's manifest says of its drift; called before the model is published. */
  readonly measureDrift?: (compiled: CompiledModel) => Promise<Drift>;
}

/** How far a precision moves NLLs of a fixed text from float32's, in nats a token. */
export interface Drift {
  /** What it was measured against, and how. */
  readonly method: string;
  readonly tokens: number;
  /** Of the differences' magnitudes, which of the differences (positive: less likely than as float32), and the largest magnitude. */
  readonly meanAbsolute: number;
  readonly mean: number;
  readonly largest: number;
}

/** A compiled model on disk; plain data, so that it can be handed to another thread. */
export interface CompiledModel {
  readonly directory: string;
  readonly config: ModelConfig;
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  /** SHA-256 of the checkpoint's tensors. */
  readonly weightsDigest: string;
  readonly tensors: readonly PlacedTensor[];
  /** Every file of the folder but the manifest. */
  readonly files: readonly WrittenFile[];
  /** Of int8, where it was measured. */
  readonly drift?: Drift;
}

type Manifest = Omit<CompiledModel, 'directory'>;

const CACHE_ADVICE = 'Set DKV_CACHE to a folder that can be written to and has room.';

/** Where compiled models and digests are kept: `DKV_CACHE`, else the user's cache folder. */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.DKV_CACHE) return path.resolve(environment.DKV_CACHE);
  const base = environment.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return path.join(base, 'directed-kvcache');
}

/**
 * The compiled form of a checkpoint: from the cache folder if it is there, else made now.
 * @throws DkvError CHECKPOINT_INVALID, NUMBERS_NOT_FINITE, DISK_FULL, CACHE_DAMAGED or CANCELLED
 */
export async function compileModel(checkpoint: Checkpoint, options: CompileOptions): Promise<CompiledModel> {
  const { precision, embeddingScale, cacheDirectory, signal, onWait } = options;
  await makeFolder(path.join(cacheDirectory, 'models'), CACHE_ADVICE);
  const digest = await cachedDigest(checkpoint, cacheDirectory);
  const name = folderName({ precision, embeddingScale, config: checkpoint.config, weightsDigest: digest });
  const directory = path.join(cacheDirectory, 'models', name);
  const published = async () => {
    const model = await readCompiled(directory);
    if (model) await expectUntouched(model, options);
    if (model && precision === 'int8' && options.measureDrift && !model.drift) return undefined;
    // What ends a text may have changed since: it is no part of what was compiled.
    return model && { ...model, config: checkpoint.config };
  };
  const known = await published();
  if (known) return known;
  return withLock(
    path.join(cacheDirectory, 'locks', `compile-${name}`),
    async () => (await published()) ?? (await compileTo(directory, checkpoint, digest, options)),
    { advice: CACHE_ADVICE, ...(signal && { signal }), ...(onWait && { onWait }) },
  );
}

/** The name says everything that decides the content. */
function folderName({
  precision,
  embeddingScale,
  config,
  weightsDigest: digest,
}: Pick<CompiledModel, 'precision' | 'embeddingScale' | 'config' | 'weightsDigest'>): string {
  const identity = identityOf({ config, weightsDigest: digest, precision, embeddingScale });
  const key = createHash('sha256')
    .update(canonicalJson({ ...identity, format: FORMAT_VERSION }))
    .digest('hex')
    .slice(0, 32);
  return `${key}-${precision}-v${FORMAT_VERSION}`;
}

async function compileTo(
  directory: string,
  checkpoint: Checkpoint,
  digest: string,
  options: CompileOptions,
): Promise<CompiledModel> {
  const models = path.dirname(directory);
  await removeAbandoned(models);
  const { config } = checkpoint;
  const { precision, embeddingScale } = options;
  const weights = weightsOf(config);
  const graphs = (Object.keys(GRAPHS) as GraphName[]).map((name) => {
    const graph = new GraphBuilder(name);
    GRAPHS[name](graphModel(graph, weights, { config, precision, embeddingScale }));
    return { name, bytes: graph.toBytes() };
  });
  await expectSpace(models, weights.sizeBytes, 'the compiled model', 'DKV_CACHE');

  const partial = path.join(models, partialName(path.basename(directory)));
  await mkdir(partial);
  const files: WrittenFile[] = [];
  try {
    files.push({
      name: WEIGHTS_FILE,
      sizeBytes: weights.sizeBytes,
      digest: await writeWeights(path.join(partial, WEIGHTS_FILE), weights, checkpoint, options),
    });
    for (const { name, bytes } of graphs) {
      await writeFile(path.join(partial, graphName(name)), bytes, { flush: true });
      const graphDigest = createHash('sha256').update(bytes).digest('hex');
      files.push({ name: graphName(name), sizeBytes: bytes.length, digest: graphDigest });
    }
    const model: Manifest = {
      config,
      precision,
      embeddingScale,
      weightsDigest: digest,
      tensors: weights.placed,
      files,
    };
    const drift = precision === 'int8' ? await options.measureDrift?.({ directory: partial, ...model }) : undefined;
    const manifest: Manifest = { ...model, ...(drift && { drift }) };
    await writeFile(path.join(partial, MANIFEST), sealed(manifest), { flush: true });
    // One that was compiled without measuring makes room.
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const made = await readCompiled(directory);
  if (!made) throw new DkvError('CACHE_DAMAGED', `${directory}: vanished right after it was written.`);
  const memory = new DigestMemory(options.cacheDirectory);
  for (const { name, digest } of files) await memory.remember([path.join(directory, name)], 'content', digest);
  return made;
}

/** Every compiled model in the cache folder. What cannot be read, or is of another format, is left out. */
export async function listCompiled(cacheDirectory: string): Promise<CompiledModel[]> {
  const read = (await compiledFolders(cacheDirectory)).map((directory) =>
    readCompiled(directory).catch(() => undefined),
  );
  return (await Promise.all(read)).filter((model) => model !== undefined);
}

/** Folders of a checkpoint's compiled forms, whatever is in them. */
export async function compiledFoldersOf(checkpoint: Checkpoint, cacheDirectory: string): Promise<string[]> {
  const { config } = checkpoint;
  const digest = await cachedDigest(checkpoint, cacheDirectory);
  const names = PRECISIONS.flatMap((precision) =>
    familyOf(config).embeddingScales.map((embeddingScale) =>
      folderName({ precision, embeddingScale, config, weightsDigest: digest }),
    ),
  );
  return (await compiledFolders(cacheDirectory)).filter((folder) => names.includes(path.basename(folder)));
}

/** Folders of compiled models of this format. */
export async function compiledFolders(cacheDirectory: string): Promise<string[]> {
  const models = path.join(cacheDirectory, 'models');
  const names = await readdir(models).catch(() => []);
  return names.filter((name) => FOLDER.test(name)).map((name) => path.join(models, name));
}

const FOLDER = new RegExp(`^[0-9a-f]{32}-[a-z0-9]+-v${FORMAT_VERSION}$`);

/**
 * Reads a compiled model from its first byte to its last, whatever is remembered of it.
 * @throws DkvError CACHE_DAMAGED, CANCELLED
 */
export async function verifyCompiled(directory: string, reading: ReadingOptions = {}): Promise<CompiledModel> {
  const model = await readCompiled(directory);
  if (!model) throw damaged(directory, `${MANIFEST} is missing`);
  await expectIntact(directory, model.files, reading);
  return model;
}

/** A graph over the weights file of a compiled model. */
export function graphOver(model: CompiledModel, build: BuildGraph): Uint8Array {
  const graph = new GraphBuilder('part');
  const weights = weightsOf(model.config, model.tensors);
  build(graphModel(graph, weights, model));
  return graph.toBytes();
}

/**
 * Writes the weights that graphs need into `form.directory`.
 * @returns the graphs, in their order
 */
export async function writeForm(
  checkpoint: Checkpoint,
  form: Pick<CompiledModel, 'directory' | 'precision' | 'embeddingScale'>,
  builds: readonly BuildGraph[],
): Promise<Uint8Array[]> {
  const weights = weightsOf(checkpoint.config);
  const graphs = builds.map((build) => {
    const graph = new GraphBuilder('part');
    build(graphModel(graph, weights, { ...form, config: checkpoint.config }));
    return graph.toBytes();
  });
  await expectSpace(form.directory, weights.sizeBytes, 'a part of the model', 'DKV_CACHE');
  await writeWeights(path.join(form.directory, WEIGHTS_FILE), weights, checkpoint, { isKept: false });
  return graphs;
}

/** The encoder's graph with some layers' outputs and attention as further outputs, over the same weights file. */
export function encoderProbeGraph(model: CompiledModel, probe: EncoderProbe): Uint8Array {
  return graphOver(model, (parts) => buildEncoder(parts, probe));
}

export function graphFile(model: CompiledModel, name: GraphName): string {
  return path.join(model.directory, graphName(name));
}

function graphName(name: GraphName): string {
  return `${name}.onnx`;
}

function weightsOf(config: ModelConfig, placed: readonly PlacedTensor[] = []): Weights {
  return new Weights(familyOf(config).tensors(config), placed);
}

function graphModel(
  graph: GraphBuilder,
  weights: Weights,
  { config, precision, embeddingScale }: Pick<CompiledModel, 'config' | 'precision' | 'embeddingScale'>,
): GraphModel {
  const layout = createLayout(precision, weights, smoothedNames(config));
  return { graph, layout, blocks: familyOf(config).blocks({ graph, layout }, config, embeddingScale) };
}

/** @returns SHA-256 (hex) of the file, taken while it is written */
async function writeWeights(
  file: string,
  weights: Weights,
  checkpoint: Checkpoint,
  { onProgress, signal, isKept = true }: Pick<CompileOptions, 'onProgress' | 'signal'> & { readonly isKept?: boolean },
): Promise<string> {
  // Only 8-bit forms are smoothed; others do not read the weights once more.
  let known: Promise<Smoothing> | undefined;
  const smoothing = () => {
    known ??= smoothingOf(checkpoint);
    return known;
  };
  const handle = await open(file, 'wx');
  const hash = createHash('sha256');
  try {
    let at = 0;
    for (const tensor of weights.placed) {
      padTo(hash, at, tensor.offset);
      at = tensor.offset;
      const whole = checkpoint.tensors.get(tensor.source)!;
      const width = whole.shape.at(-1)!;
      const [start, count] = tensor.sourceRows ?? [0, elementCount(whole.shape) / width];
      const shape = [count, width] as const;
      const read = readSound(rowsOf(whole, [start, count]), start, tensor.type, wholeRows(shape));
      const scales = tensor.smoothed && (await smoothing()).of(tensor.source, tensor.smoothed);
      const isMatrix = whole.shape.length > 1;
      const chunks = scales && isMatrix ? readSmoothed(read, width, scales) : read;
      for await (const made of transformed(tensor.transform, tensor.type, chunks, shape)) {
        const bytes = scales && !isMatrix ? smoothedVector(made, scales) : made;
        if (signal?.aborted) throw new DkvError('CANCELLED', 'Compiling was stopped; nothing was left behind.');
        await writeFully(handle, bytes, at);
        hash.update(bytes);
        at += bytes.byteLength;
        onProgress?.(at, weights.sizeBytes);
      }
    }
    padTo(hash, at, weights.sizeBytes);
    await handle.truncate(weights.sizeBytes);
    if (isKept) await handle.sync();
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** What is skipped in a file reads as zeros. */
function padTo(hash: Hash, from: number, to: number): void {
  hash.update(Buffer.alloc(to - from));
}

/** Elements to read at a time: about 2 million, in whole rows. */
function wholeRows([rows, width]: readonly [number, number]): number {
  return width * Math.min(rows, Math.max(1, Math.floor(2 ** 21 / width)));
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** What a published folder says of itself, or undefined where there is none. Its other files are not read. */
async function readCompiled(directory: string): Promise<CompiledModel | undefined> {
  const manifest = await readManifest<Manifest>(directory);
  if (!manifest) return undefined;
  if (folderName(manifest) !== path.basename(directory)) {
    throw damaged(directory, `${MANIFEST} is that of another model`);
  }
  return { directory, ...manifest };
}

/** Checksums of many gigabytes take a while, so the user is told. */
const SAID_BYTES = 1e9;

/** @throws DkvError CACHE_DAMAGED for a file that is not what was compiled; what was checked and not touched since is not read again */
async function expectUntouched(model: CompiledModel, options: CompileOptions): Promise<void> {
  const { cacheDirectory, onNotice, signal } = options;
  const total = model.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let said = total < SAID_BYTES;
  await expectIntact(model.directory, model.files, {
    memory: new DigestMemory(cacheDirectory),
    onBytes: () => {
      if (!said) onNotice?.(`Checking ${gigabytes(total)} in ${model.directory}, once since it was written or moved.`);
      said = true;
    },
    ...(signal && { signal }),
  });
}

const PARTIAL = /^partial-(.+)-(\d+)-[0-9a-f]{8}-/;

function partialName(name: string): string {
  return `partial-${os.hostname()}-${process.pid}-${randomBytes(4).toString('hex')}-${name}`;
}

/** Removes what killed compiles of this machine left behind. */
async function removeAbandoned(models: string): Promise<void> {
  for (const name of await readdir(models)) {
    const [, host, pid] = PARTIAL.exec(name) ?? [];
    if (host === os.hostname() && !isAlive(Number(pid))) {
      await rm(path.join(models, name), { recursive: true, force: true });
    }
  }
}

/**
 * The digest of a checkpoint's tensors, remembered while its files are what they were.
 * @throws DkvError CHECKPOINT_INVALID for copies of a tensor that differ, and for a file that ends early
 */
export function cachedDigest(checkpoint: Checkpoint, cacheDirectory: string): Promise<string> {
  const { tensors, copies } = checkpoint;
  const files = new Set([...tensors.values(), ...copies.map(({ entry }) => entry)].map(({ file }) => file));
  const what = [...tensors, ...copies];
  return new DigestMemory(cacheDirectory).of([...files].sort(), what, async () => {
    await expectEqualCopies(checkpoint);
    return weightsDigest(checkpoint);
  });
}
