/**
 * Compiled models on disk: which there are, what each says of itself, and graphs over its weights. How one is made is not known here
 * (compile.ts).
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import type { Checkpoint } from './checkpoint.js';
import { cachedDigest } from './checkpoint-digest.js';
import { damaged, expectIntact, MANIFEST, readManifest } from './compiled-folder.js';
import { familyOf, type ModelConfig } from './families/families.js';
import type { ReadingOptions } from './files/digests.js';
import type { BuildGraph, GraphModel } from './graph/blocks.js';
import { GraphBuilder } from './graph/builder.js';
import { buildCross, buildGenerate, buildScore } from './graph/decoder.js';
import { buildEncoder } from './graph/encoder.js';
import { HalfLayout } from './graph/half-layout.js';
import { createLayout, WEIGHTS_PRECISIONS } from './graph/layout.js';
import { CPU, dialectOf, type Target } from './graph/target.js';
import { type PlacedTensor, Weights } from './graph/weights.js';
import { identityOf } from './identity.js';
import type { Manifest } from './manifest.js';
import { smoothedNames } from './smoothing.js';

/** Changes whenever a graph or the layout of the weights file changes, so that old cache folders are not taken for new ones. */
const FORMAT_VERSION = 14;

/** The version of graphs of one family alone; 1 by default. */
const FAMILY_VERSIONS: Readonly<Record<string, number>> = { t5: 2 };

export const GRAPHS = { encoder: buildEncoder, score: buildScore, cross: buildCross, generate: buildGenerate };

export type GraphName = keyof typeof GRAPHS;

/** A compiled model on disk, as its manifest describes it. */
export interface CompiledForm extends Manifest {
  readonly directory: string;
}

/** A compiled model with its checkpoint's config. It is plain data, so that it can be handed to another thread. */
export interface CompiledModel extends CompiledForm {
  readonly config: ModelConfig;
}

/** Where compiled models and digests are kept: `DKV_CACHE`, else the user's cache folder. */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.DKV_CACHE) return path.resolve(environment.DKV_CACHE);
  const base = environment.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return path.join(base, 'directed-kvcache');
}

/** The name of a compiled model's folder, which says everything that decides the content. */
export function folderName({ identity, precision }: Pick<Manifest, 'identity' | 'precision'>): string {
  const family = FAMILY_VERSIONS[String(identity.family)];
  const versions = { format: FORMAT_VERSION, ...(family !== undefined && { family_format: family }) };
  const key = createHash('sha256').update(canonicalJson({ ...identity, ...versions }));
  return `${key.digest('hex').slice(0, 32)}-${precision}-v${FORMAT_VERSION}`;
}

/** What a published folder says of itself, or undefined where there is none. Its other files are not read. */
export async function readCompiled(directory: string): Promise<CompiledForm | undefined> {
  const manifest = await readManifest(directory);
  if (!manifest) return undefined;
  const { identity, precision, embeddingScale, weightsDigest } = manifest;
  const isOwn =
    identity.weights === weightsDigest &&
    (identity.precision ?? 'float32') === precision &&
    (identity.embedding_scale ?? 'exact') === embeddingScale;
  if (!isOwn || folderName(manifest) !== path.basename(directory)) {
    throw damaged(directory, `${MANIFEST} is that of another model`);
  }
  return { directory, ...manifest };
}

/** Every compiled model in the cache folder. What cannot be read, or is of another format, is left out. */
export async function listCompiled(cacheDirectory: string): Promise<CompiledForm[]> {
  const read = (await compiledFolders(cacheDirectory)).map((directory) =>
    readCompiled(directory).catch(() => undefined),
  );
  return (await Promise.all(read)).filter((model) => model !== undefined);
}

/** Folders of a checkpoint's compiled forms, whatever is in them. */
export async function compiledFoldersOf(checkpoint: Checkpoint, cacheDirectory: string): Promise<string[]> {
  const { config } = checkpoint;
  const digest = await cachedDigest(checkpoint, cacheDirectory);
  const names = WEIGHTS_PRECISIONS.flatMap((precision) =>
    familyOf(config).embeddingScales.map((embeddingScale) =>
      folderName({ identity: identityOf({ precision, embeddingScale, config, weightsDigest: digest }), precision }),
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
export async function verifyCompiled(directory: string, reading: ReadingOptions = {}): Promise<CompiledForm> {
  const model = await readCompiled(directory);
  if (!model) throw damaged(directory, `${MANIFEST} is missing`);
  await expectIntact(directory, model.files, reading);
  return model;
}

/** A graph over the weights file of a compiled model. @param target what it is to run on */
export async function graphOver(model: CompiledModel, build: BuildGraph, target: Target): Promise<Uint8Array> {
  const graph = new GraphBuilder('part', dialectOf(target));
  const weights = weightsOf(model.config, model.tensors);
  build(graphModel(graph, weights, { ...model, target }));
  return graph.toBytes();
}

/** Bytes of the weights that a graph names, a part of a tensor that is a tensor of its own counted as such: what a session of it copies to a device. */
export function weightBytes(form: GraphForm, build: BuildGraph): number {
  const graph = new GraphBuilder('weights', dialectOf(form.target ?? CPU));
  build(graphModel(graph, weightsOf(form.config), form));
  return graph.externals.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function graphFile(model: CompiledModel, name: GraphName): string {
  return path.join(model.directory, graphName(name));
}

export function graphName(name: GraphName): string {
  return `${name}.onnx`;
}

export function weightsOf(config: ModelConfig, placed: readonly PlacedTensor[] = []): Weights {
  return new Weights(familyOf(config).tensors(config), placed);
}

/** A model's form, and what its graphs are to run on: the CPU when left out, as in compiled folders. */
type GraphForm = Pick<CompiledModel, 'config' | 'precision' | 'embeddingScale'> & { readonly target?: Target };

export function graphModel(
  graph: GraphBuilder,
  weights: Weights,
  { config, precision, embeddingScale, target = CPU }: GraphForm,
): GraphModel {
  const { arithmetic } = target;
  const layout =
    arithmetic === 'float32'
      ? createLayout(precision, weights, smoothedNames(config))
      : new HalfLayout(weights, arithmetic);
  const context = { graph, layout, target };
  return { ...context, blocks: familyOf(config).blocks(context, config, embeddingScale) };
}
