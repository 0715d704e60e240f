/**
 * Turns a checkpoint into ONNX graphs and one weights file in the cache folder, once per content, precision and format version.
 *
 * Weights stream through in chunks, so memory does not grow with the checkpoint. Everything is written to a folder with a name
 * that nothing loads and renamed at the end: a killed compile leaves nothing that could be taken for a model.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DkvError, messageOf } from '../errors.js';
import { expectSpace, makeFolder, publish, readTextIfPresent } from '../files.js';
import { isAlive, withLock } from '../lock.js';
import { type Checkpoint, textTensors, weightsDigest } from './checkpoint.js';
import type { ModelConfig } from './config.js';
import { GraphBuilder } from './graph/builder.js';
import { buildCross, buildGenerate, buildScore } from './graph/decoder.js';
import { buildEncoder, type EncoderProbe } from './graph/encoder.js';
import type { GraphContext } from './graph/layers.js';
import { createLayout, type Precision } from './layout.js';
import { elementCount, readFloat32, rowsOf, toBfloat16, toFloat32 } from './safetensors.js';
import { transformed } from './transforms.js';
import { type PlacedTensor, WEIGHTS_FILE, Weights } from './weights.js';

/** Changes whenever a graph or the layout of the weights file changes, so that old cache folders are not taken for new ones. */
const FORMAT_VERSION = 9;

const GRAPHS = { encoder: buildEncoder, score: buildScore, cross: buildCross, generate: buildGenerate };

export type GraphName = keyof typeof GRAPHS;

/**
 * The reference rounds sqrt(hidden size) to the type that it was loaded in. `exact` is what a float32 load gives; `bfloat16` is
 * what the research ran (25.25 instead of 25.298 for 640).
 */
export type EmbeddingScale = 'exact' | 'bfloat16';

export interface CompileOptions {
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  readonly cacheDirectory: string;
  /** Called after every chunk of weights. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Called when another process compiles the same model: it is waited for. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal;
}

/** A compiled model on disk; plain data, so that it can be handed to another thread. */
export interface CompiledModel {
  readonly directory: string;
  readonly config: ModelConfig;
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  /** SHA-256 of the checkpoint's text tensors. */
  readonly weightsDigest: string;
  readonly tensors: readonly PlacedTensor[];
}

interface Manifest extends Omit<CompiledModel, 'directory'> {
  readonly format: number;
}

const CACHE_ADVICE = 'Set DKV_CACHE to a folder that can be written to and has room.';

/** Where compiled models and digests are kept: `DKV_CACHE`, else the user's cache folder. */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.DKV_CACHE) return path.resolve(environment.DKV_CACHE);
  const base = environment.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return path.join(base, 'directed-kvcache');
}

/**
 * The compiled form of a checkpoint: from the cache folder if it is there, else made now.
 * @throws DkvError CHECKPOINT_INVALID, DISK_FULL, CACHE_DAMAGED or CANCELLED
 */
export async function compileModel(checkpoint: Checkpoint, options: CompileOptions): Promise<CompiledModel> {
  const digest = await cachedDigest(checkpoint, options.cacheDirectory);
  const { precision, embeddingScale } = options;
  const identity = JSON.stringify([FORMAT_VERSION, precision, embeddingScale, checkpoint.config, digest]);
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const models = path.join(options.cacheDirectory, 'models');
  const directory = path.join(models, `${key}-${precision}-v${FORMAT_VERSION}`);
  const known = await readManifest(directory);
  if (known) return known;
  const { signal, onWait } = options;
  return withLock(
    path.join(options.cacheDirectory, 'locks', `compile-${key}`),
    async () => (await readManifest(directory)) ?? (await compileTo(directory, checkpoint, digest, options)),
    { ...(signal && { signal }), ...(onWait && { onWait }) },
  );
}

async function compileTo(
  directory: string,
  checkpoint: Checkpoint,
  digest: string,
  options: CompileOptions,
): Promise<CompiledModel> {
  const models = path.dirname(directory);
  await makeFolder(models, CACHE_ADVICE);
  await removeAbandoned(models);
  const { config } = checkpoint;
  const { precision, embeddingScale } = options;
  const weights = new Weights(textTensors(config));
  const graphs = (Object.keys(GRAPHS) as GraphName[]).map((name) => {
    const graph = new GraphBuilder(name);
    GRAPHS[name](graphContext(graph, weights, config, precision, embeddingScale));
    return { name, bytes: graph.toBytes() };
  });
  await expectSpace(models, weights.sizeBytes, 'the compiled model', 'DKV_CACHE');

  const partial = path.join(models, partialName(path.basename(directory)));
  await mkdir(partial);
  try {
    await writeWeights(path.join(partial, WEIGHTS_FILE), weights, checkpoint, options);
    for (const { name, bytes } of graphs) await writeFile(path.join(partial, `${name}.onnx`), bytes, { flush: true });
    const tensors = weights.placed;
    const manifest: Manifest = {
      format: FORMAT_VERSION,
      config,
      precision,
      embeddingScale,
      weightsDigest: digest,
      tensors,
    };
    await writeFile(path.join(partial, 'manifest.json'), JSON.stringify(manifest), { flush: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const made = await readManifest(directory);
  if (!made) throw new DkvError('CACHE_DAMAGED', `${directory}: vanished right after it was written.`);
  return made;
}

/** Every compiled model in the cache folder. What cannot be read is left out. */
export async function listCompiled(cacheDirectory: string): Promise<CompiledModel[]> {
  const models = path.join(cacheDirectory, 'models');
  const names = await readdir(models).catch(() => []);
  const read = names.map((name) => readManifest(path.join(models, name)).catch(() => undefined));
  return (await Promise.all(read)).filter((model) => model !== undefined);
}

/** The encoder's graph with some layers' outputs and attention as further outputs, over the same weights file. */
export function encoderProbeGraph(model: CompiledModel, probe: EncoderProbe): Uint8Array {
  const graph = new GraphBuilder('encoder-probe');
  const weights = new Weights(textTensors(model.config), model.tensors);
  buildEncoder(graphContext(graph, weights, model.config, model.precision, model.embeddingScale), probe);
  return graph.toBytes();
}

export function graphFile(model: CompiledModel, name: GraphName): string {
  return path.join(model.directory, `${name}.onnx`);
}

function graphContext(
  graph: GraphBuilder,
  weights: Weights,
  config: ModelConfig,
  precision: Precision,
  embeddingScale: EmbeddingScale,
): GraphContext {
  const root = Math.fround(Math.sqrt(config.hiddenSize));
  return {
    graph,
    config,
    layout: createLayout(precision, weights),
    embeddingScale:
      embeddingScale === 'exact' ? root : toFloat32(toBfloat16(Float32Array.of(root)).buffer, 1, 'BF16')[0]!,
  };
}

async function writeWeights(
  file: string,
  weights: Weights,
  checkpoint: Checkpoint,
  { onProgress, signal }: CompileOptions,
): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    for (const tensor of weights.placed) {
      let at = tensor.offset;
      const whole = checkpoint.tensors.get(tensor.source)!;
      const width = whole.shape.at(-1)!;
      const [start, count] = tensor.sourceRows ?? [0, elementCount(whole.shape) / width];
      const shape = [count, width] as const;
      const chunks = readFloat32(rowsOf(whole, [start, count]), wholeRows(shape));
      for await (const bytes of transformed(tensor.transform, tensor.type, chunks, shape)) {
        if (signal?.aborted) throw new DkvError('CANCELLED', 'Compiling was stopped; nothing was left behind.');
        await writeFully(handle, bytes, at);
        at += bytes.byteLength;
        onProgress?.(at, weights.sizeBytes);
      }
    }
    await handle.truncate(weights.sizeBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
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

/** The manifest of a published folder, or undefined where there is none. */
async function readManifest(directory: string): Promise<CompiledModel | undefined> {
  const file = path.join(directory, 'manifest.json');
  const text = await readTextIfPresent(file);
  if (text === undefined) return undefined;
  const damaged = (reason: string) =>
    new DkvError('CACHE_DAMAGED', `${directory}: ${reason}. Delete the folder; it will be made again.`);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw damaged(`manifest.json: ${messageOf(error)}`);
  }
  const { format, ...model } = manifest;
  const expected = new Weights(textTensors(model.config), model.tensors).sizeBytes;
  const found = await stat(path.join(directory, WEIGHTS_FILE)).catch(() => undefined);
  if (found?.size !== expected) throw damaged(`${WEIGHTS_FILE} has ${found?.size ?? 'no'} bytes, expected ${expected}`);
  return { directory, ...model };
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
 * The weights digest, remembered per state of the files on disk (path, inode, size, times): hashing 15 GB at every start would
 * take longer than loading them. A file that is replaced or rewritten has another state and is hashed again.
 */
export async function cachedDigest(checkpoint: Checkpoint, cacheDirectory: string): Promise<string> {
  const files = [...new Set([...checkpoint.tensors.values()].map(({ file }) => file))].sort();
  const states = await Promise.all(
    files.map(async (file) => {
      const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      return [path.resolve(file), ino, size, mtimeNs, ctimeNs].join(' ');
    }),
  );
  const identity = JSON.stringify([states, [...checkpoint.tensors]]);
  const directory = path.join(cacheDirectory, 'digests');
  const note = path.join(directory, createHash('sha256').update(identity).digest('hex'));
  const known = await readFile(note, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const digest = await weightsDigest(checkpoint);
  await publish(note, digest, CACHE_ADVICE);
  return digest;
}
