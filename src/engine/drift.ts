/**
 * How far a precision moves the model's numbers: NLLs of a text's tokens as compiled, and as float32 gives them.
 *
 * Both go through the model a layer at a time, each loaded, run on all samples and let go: what a large model takes of memory is one layer, and
 * float32 need not fit as a whole. The graphs are those of the model, cut after every layer. What a device computes in 16 bits goes through the whole
 * graphs there, which hold it anyway.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { writeForm } from '../model/compile.js';
import { type CompiledModel, graphOver } from '../model/compiled.js';
import { shapeOf } from '../model/families/families.js';
import type { BuildGraph } from '../model/graph/blocks.js';
import { buildScoreEnd, buildScoreLayer } from '../model/graph/decoder.js';
import { buildEncoderLayer } from '../model/graph/encoder.js';
import { buildEmbedding } from '../model/graph/parts.js';
import { CPU } from '../model/graph/target.js';
import type { Drift } from '../model/manifest.js';
import { mean } from '../stats/describe.js';
import { allRows, type Engine } from './engine.js';
import { type Feeds, type Graph, type HostTensor, loadGraph } from './runtime.js';
import { encoderFeeds, int64, memoryFeeds } from './tensors.js';

export interface DriftSample {
  /** The token ids that the encoder reads. */
  readonly tokenIds: Int32Array;
  /** The targets that are scored with everything visible, each by itself and with at least one token. */
  readonly targets: readonly Int32Array[];
}

export interface DriftOptions {
  /** Called after each part of the model, in both forms. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Graphs over one form of the weights, until they are closed. */
interface Opened {
  readonly graphs: readonly Graph[];
  close(): Promise<void>;
}

type Open = (builds: readonly BuildGraph[]) => Promise<Opened>;

/**
 * @param compiled its folder, which a folder of its own is made in and removed from again
 * @throws DkvError NUMBERS_NOT_FINITE, CANCELLED, and what reading the checkpoint throws
 */
export async function measureDrift(
  checkpoint: Checkpoint,
  compiled: CompiledModel,
  samples: readonly DriftSample[],
  { onProgress, signal }: DriftOptions = {},
): Promise<Drift> {
  const step = stepper(2 * partsOf(compiled), { onProgress, signal });
  const exact = await nllsOf(compiled, samples, step, 'float32', float32Graphs(checkpoint, compiled));
  const rounded = await nllsOf(compiled, samples, step, compiled.precision, async (builds) =>
    opened(compiled, await Promise.all(builds.map((build) => graphOver(compiled, build, CPU)))),
  );
  return driftBetween(exact, rounded);
}

/**
 * Measures the drift of what an engine computes on its device.
 * @param scratch an empty folder, in which float32 is written a layer at a time
 * @throws DkvError what the engine throws, NUMBERS_NOT_FINITE among it, CANCELLED, and what reading the checkpoint throws
 */
export async function measureEngineDrift(
  checkpoint: Checkpoint,
  compiled: CompiledModel,
  engine: Engine,
  scratch: string,
  samples: readonly DriftSample[],
  options: DriftOptions = {},
): Promise<Drift> {
  const step = stepper(partsOf(compiled) + 1, options);
  const states = await engine.encode(samples);
  const prompt = new Int32Array(0);
  const items = samples.flatMap(({ targets }, i) =>
    targets.map((target) => ({ memory: [allRows(states[i]!)], prompt, target })),
  );
  const found = (await engine.score(items)).flatMap((nlls) => [...nlls]);
  step();
  const float32 = float32Graphs(checkpoint, { ...compiled, directory: scratch });
  return driftBetween(await nllsOf(compiled, samples, step, 'float32', float32), found);
}

/** The number of parts: layers of both sides, the table's rows and the head. */
function partsOf({ config }: CompiledModel): number {
  const { encoder, decoder } = shapeOf(config);
  return encoder.layers + decoder.layers + 2;
}

function stepper(total: number, { onProgress, signal }: DriftOptions): () => void {
  let done = 0;
  return () => {
    onProgress?.(++done, total);
    if (signal?.aborted) throw new DkvError('CANCELLED', 'Compiling was stopped; nothing was left behind.');
  };
}

function driftBetween(exact: readonly number[], rounded: readonly number[]): Drift {
  const differences = exact.map((nll, token) => rounded[token]! - nll);
  return {
    method: 'float32, a layer at a time',
    tokens: differences.length,
    meanAbsolute: mean(differences.map(Math.abs)),
    mean: mean(differences),
    largest: Math.max(...differences.map(Math.abs)),
  };
}

/** Writes what graphs need of the checkpoint as float32, each time into a folder that goes when they are closed. */
function float32Graphs(checkpoint: Checkpoint, compiled: CompiledModel): Open {
  let folders = 0;
  return async (builds) => {
    const directory = path.join(compiled.directory, `float32-${folders++}`);
    await mkdir(directory);
    const form = { ...compiled, directory, precision: 'float32' } as const;
    const { graphs, close } = await opened(form, await writeForm(checkpoint, form, builds));
    return {
      graphs,
      async close() {
        await close();
        await rm(directory, { recursive: true });
      },
    };
  };
}

async function opened(form: CompiledModel, bytes: readonly Uint8Array[]): Promise<Opened> {
  const graphs = await Promise.all(bytes.map((own) => loadGraph(form, { name: 'part', bytes: own }, 'cpu')));
  return {
    graphs,
    async close() {
      for (const graph of graphs) await graph.release();
    },
  };
}

/** @returns of all target tokens, sample after sample */
async function nllsOf(
  { config }: CompiledModel,
  samples: readonly DriftSample[],
  step: () => void,
  precision: string,
  open: Open,
): Promise<number[]> {
  const shape = shapeOf(config);
  const single = (ids: readonly number[]) => int64(ids, [1, ids.length]);
  const inputs = samples.map(({ tokenIds }) => encoderFeeds([{ tokenIds }], tokenIds.length));
  const targets = samples.flatMap(({ targets }, sample) => targets.map((target) => ({ target, sample })));
  const decoderIds = targets.map(({ target }) => single([shape.decoderStartTokenId, ...target.subarray(0, -1)]));
  const run = async (build: BuildGraph, feeds: readonly Feeds[], output: string) => {
    const part = await open([build]);
    const outputs: HostTensor[] = [];
    for (const feed of feeds) outputs.push((await part.graphs[0]!.run(feed))[output]!);
    await part.close();
    step();
    return outputs;
  };
  // Both read the tied table, which is written once.
  const table = await open([buildEmbedding, buildScoreEnd]);
  const [embedding, end] = table.graphs;
  const embed = async (ids: HostTensor) => (await embedding!.run({ token_ids: ids })).hidden_out!;
  let hidden = await Promise.all(inputs.map(({ token_ids }) => embed(token_ids!)));
  const said = await Promise.all(decoderIds.map(embed));
  step();

  const lastLayer = shape.encoder.layers - 1;
  for (let layer = 0; layer <= lastLayer; layer++) {
    hidden = await run(
      (model) => buildEncoderLayer(model, layer),
      inputs.map((input, i) => ({ ...input, hidden: hidden[i]! })),
      layer < lastLayer ? 'hidden_out' : 'states',
    );
  }
  const read = hidden.map((states) => {
    const [, rows, width] = states.dims as [number, number, number];
    const data = states.data as Float32Array;
    return {
      memory: int64([0], [1]),
      ...memoryFeeds([[{ states: { rows, width, data }, start: 0, end: rows }]], rows, width),
    };
  });
  hidden = said;
  for (let layer = 0; layer < shape.decoder.layers; layer++) {
    hidden = await run(
      (model) => buildScoreLayer(model, layer),
      targets.map(({ sample }, i) => ({ token_ids: decoderIds[i]!, hidden: hidden[i]!, ...read[sample]! })),
      'hidden_out',
    );
  }
  const nlls: number[] = [];
  for (const [i, { target }] of targets.entries()) {
    const { nll } = await end!.run({
      hidden: hidden[i]!,
      scored: int64([...target.keys()], [target.length]),
      targets: int64([...target], [target.length]),
    });
    nlls.push(...(nll!.data as Float32Array));
  }
  await table.close();
  step();
  const broken = nlls.find((nll) => !Number.isFinite(nll));
  if (broken === undefined) return nlls;
  throw new DkvError(
    'NUMBERS_NOT_FINITE',
    `As ${precision} this model gives an NLL of ${broken} to the text that precisions are compared on. Are its weights sound, and small enough for the precision?`,
  );
}
