/**
 * Turns a checkpoint into ONNX graphs and one weights file in the cache folder, once per content, precision and format version.
 *
 * Weights stream through in chunks, so memory does not grow with the checkpoint. Everything is written to a folder with a name
 * that nothing loads and renamed at the end: a killed compile leaves nothing that could be taken for a model.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { expectSpace, gigabytes, makeFolder } from '../base/files.js';
import { isAlive, withLock } from '../base/lock.js';
import type { Checkpoint } from './checkpoint.js';
import { cachedDigest } from './checkpoint-digest.js';
import {
  type CompiledForm,
  type CompiledModel,
  folderName,
  GRAPHS,
  type GraphName,
  graphModel,
  graphName,
  readCompiled,
  weightsOf,
} from './compiled.js';
import { expectIntact, MANIFEST, sealed } from './compiled-folder.js';
import type { EmbeddingScale } from './families/family.js';
import { DigestMemory } from './files/digests.js';
import type { BuildGraph } from './graph/blocks.js';
import { GraphBuilder } from './graph/builder.js';
import { type Precision, type WeightsPrecision, weightsOfPrecision } from './graph/layout.js';
import { WEIGHTS_FILE } from './graph/weights.js';
import { identityOf } from './identity.js';
import type { Drift, Manifest } from './manifest.js';
import { weightCount } from './memory.js';
import { writeWeights } from './weights-file.js';

export interface CompileOptions {
  /** The precision. `tf32` has the weights and graphs of `float32`, and so the same folder. */
  readonly precision: Precision;
  readonly embeddingScale: EmbeddingScale;
  readonly cacheDirectory: string;
  /** Called after every chunk of weights. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Called when another process compiles the same model: it is waited for. */
  readonly onWait?: (holder: string) => void;
  /** This callback receives notices: things that the user should know and that are no errors. */
  readonly onNotice?: (notice: string) => void;
  readonly signal?: AbortSignal;
  /** Measures what an int8 model's manifest says of its drift; called before the model is published. */
  readonly measureDrift?: (compiled: CompiledModel) => Promise<Drift>;
}

const CACHE_ADVICE = 'Set DKV_CACHE to a folder that can be written to and has room.';

/**
 * The compiled form of a checkpoint: from the cache folder if it is there, else made now.
 * @throws DkvError CHECKPOINT_INVALID, NUMBERS_NOT_FINITE, DISK_FULL, CACHE_DAMAGED or CANCELLED
 */
export async function compileModel(checkpoint: Checkpoint, asked: CompileOptions): Promise<CompiledModel> {
  const options = { ...asked, precision: weightsOfPrecision(asked.precision) };
  const { precision, embeddingScale, cacheDirectory, signal, onWait } = options;
  await makeFolder(path.join(cacheDirectory, 'models'), CACHE_ADVICE);
  const digest = await cachedDigest(checkpoint, cacheDirectory);
  const { config } = checkpoint;
  const identity = identityOf({ precision, embeddingScale, config, weightsDigest: digest });
  const name = folderName({ identity, precision });
  const directory = path.join(cacheDirectory, 'models', name);
  const published = async () => {
    const model = await readCompiled(directory);
    if (model) await expectUntouched(model, options);
    if (model && precision === 'int8' && options.measureDrift && !model.drift) return undefined;
    // What ends a text may have changed since: it is no part of what was compiled.
    return model && { ...model, config };
  };
  const known = await published();
  if (known) return known;
  return withLock(
    path.join(cacheDirectory, 'locks', `compile-${name}`),
    async () =>
      (await published()) ?? (await compileTo(directory, checkpoint, { identity, weightsDigest: digest }, options)),
    { advice: CACHE_ADVICE, ...(signal && { signal }), ...(onWait && { onWait }) },
  );
}

async function compileTo(
  directory: string,
  checkpoint: Checkpoint,
  known: Pick<Manifest, 'identity' | 'weightsDigest'>,
  options: CompileOptions & { readonly precision: WeightsPrecision },
): Promise<CompiledModel> {
  const models = path.dirname(directory);
  await removeAbandoned(models);
  const { config } = checkpoint;
  const { precision, embeddingScale } = options;
  const weights = weightsOf(config);
  const graphs: { readonly name: GraphName; readonly bytes: Uint8Array }[] = [];
  for (const name of Object.keys(GRAPHS) as GraphName[]) {
    const graph = new GraphBuilder(name);
    GRAPHS[name](graphModel(graph, weights, { config, precision, embeddingScale }));
    graphs.push({ name, bytes: await graph.toBytes() });
  }
  await expectSpace(models, weights.sizeBytes, 'the compiled model', 'DKV_CACHE');

  const partial = path.join(models, partialName(path.basename(directory)));
  await mkdir(partial);
  const files: Manifest['files'] = [];
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
      ...known,
      precision,
      embeddingScale,
      weights: weightCount(config),
      tensors: weights.placed,
      files,
    };
    const drift =
      precision === 'int8' ? await options.measureDrift?.({ directory: partial, config, ...model }) : undefined;
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
  return { ...made, config };
}

/** The number of bytes above which the user is told that checksums are taken, since many gigabytes take a while. */
const SAID_BYTES = 1e9;

/** @throws DkvError CACHE_DAMAGED for a file that is not what was compiled; what was checked and not touched since is not read again */
async function expectUntouched(model: CompiledForm, options: CompileOptions): Promise<void> {
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

/**
 * Runs `use` with an empty folder beside a compiled model, which goes when it is done. Where the process is killed before that, a later compile
 * removes it.
 */
export async function withScratch<T>(
  { directory }: Pick<CompiledForm, 'directory'>,
  use: (scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = path.join(path.dirname(directory), partialName('scratch'));
  await mkdir(scratch);
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

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
 * Writes the weights that graphs need into `form.directory`.
 * @returns the graphs, in their order
 */
export async function writeForm(
  checkpoint: Checkpoint,
  form: Pick<CompiledModel, 'directory' | 'precision' | 'embeddingScale'>,
  builds: readonly BuildGraph[],
): Promise<Uint8Array[]> {
  const weights = weightsOf(checkpoint.config);
  const graphs: Uint8Array[] = [];
  for (const build of builds) {
    const graph = new GraphBuilder('part');
    build(graphModel(graph, weights, { ...form, config: checkpoint.config }));
    graphs.push(await graph.toBytes());
  }
  await expectSpace(form.directory, weights.sizeBytes, 'a part of the model', 'DKV_CACHE');
  await writeWeights(path.join(form.directory, WEIGHTS_FILE), weights, checkpoint, { isKept: false });
  return graphs;
}
