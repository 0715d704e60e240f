/**
 * Works off requests in the thread it lives in: plans batches, runs graphs, puts results into the items' order.
 * A host (worker-engine.ts) puts it behind a thread; nothing here knows of that.
 */
import { setImmediate } from 'node:timers/promises';
import { DkvError } from '../base/errors.js';
import { firstNotFinite } from '../base/finite.js';
import { type CompiledModel, encoderProbeGraph, type GraphName } from '../model/compiled.js';
import { type ModelConfig, shapeOf } from '../model/families/families.js';
import { weightCount } from '../model/memory.js';
import { type Batch, type ItemSize, planBatches } from './batching.js';
import {
  type Device,
  type EncodeItem,
  type Engine,
  type EngineInfo,
  type Generated,
  type GenerateItem,
  ItemsFailedError,
  type Memory,
  type Probed,
  type ProbeLayers,
  type RequestOptions,
  type ScoreItem,
  type States,
} from './engine.js';
import { generateBatch } from './generation.js';
import { encodeSizes, generateSizes, scoreSizes } from './item-sizes.js';
import { type WithMemory, withNamedStates } from './named-states.js';
import { expectDevice, type Graph, loadGraph } from './runtime.js';
import { cutRows, cutSquares, distinctMemories, encoderFeeds, int64, memoryFeeds } from './tensors.js';
import { checkEncodeItems, checkGenerateItems, checkProbeLayers, checkScoreItems } from './validation.js';

export interface ExecutorOptions {
  /** The model's, for messages. */
  readonly name?: string;
  readonly device: Device;
  /** Rows of a batch; by default what takes about a second on a small CPU. */
  readonly batchTokens?: number;
  /** That compute; one for each physical core if left out. In a container that may use some of them only, say how many. */
  readonly threads?: number;
  /** Give states in memory that threads can share; the default. */
  readonly sharedMemory?: boolean;
}

export class Executor implements Engine {
  readonly info: EngineInfo;
  readonly #model: CompiledModel;
  readonly #sharedMemory: boolean;
  readonly #threads: number | undefined;
  readonly #graphs = new Map<string, Promise<Graph>>();
  #closed = false;

  /** Loads nothing yet: a graph is loaded when it is first needed. @throws DkvError DEVICE_UNAVAILABLE */
  constructor(model: CompiledModel, { name, device, batchTokens, threads, sharedMemory = true }: ExecutorOptions) {
    expectDevice(device, model.precision);
    this.#model = model;
    this.#sharedMemory = sharedMemory;
    this.#threads = threads;
    const { config, precision, weightsDigest, drift } = model;
    const tokens = batchTokens ?? defaultBatchTokens(config);
    const called = name ?? weightsDigest.slice(0, 12);
    this.info = {
      name: called,
      family: config.family,
      shape: shapeOf(config),
      weights: weightCount(config),
      precision,
      weightsDigest,
      ...(drift && { drift }),
      device,
      batchTokens: tokens,
    };
  }

  async encode(items: readonly EncodeItem[], options: RequestOptions = {}): Promise<States[]> {
    checkEncodeItems(items, this.info.shape);
    const graph = await this.#graph('encoder');
    return this.#batches(items, encodeSizes(items), options, async (batch, { rows }) => {
      const { states } = await graph.run(encoderFeeds(batch, rows));
      return cutRows(states!, batch.map(rowCount), this.#sharedMemory).map((of) => statesProblem(of) ?? of);
    });
  }

  async probe(items: readonly EncodeItem[], layers: ProbeLayers, options: RequestOptions = {}): Promise<Probed[]> {
    checkEncodeItems(items, this.info.shape);
    checkProbeLayers(layers, this.info.shape);
    const probe = { hiddenLayers: layers.hidden, attentionLayers: layers.attention };
    const graph = await this.#load(`probe ${JSON.stringify(probe)}`, () => encoderProbeGraph(this.#model, probe));
    return this.#batches(items, encodeSizes(items), options, async (batch, { rows }) => {
      const outputs = await graph.run(encoderFeeds(batch, rows));
      const lengths = batch.map(rowCount);
      const states = cutRows(outputs.states!, lengths, this.#sharedMemory);
      const hidden = layers.hidden.map((layer) => ({
        layer,
        of: cutRows(outputs[`hidden.${layer}`]!, lengths, this.#sharedMemory),
      }));
      const attention = layers.attention.map((layer) => ({
        layer,
        of: cutSquares(outputs[`attention.${layer}`]!, lengths),
      }));
      return batch.map((_, i) => {
        const problems = [
          ...hidden.map(({ layer, of }) => rowsProblem(of[i]!, `The output of encoder layer ${layer}`)),
          ...attention.map(({ layer, of }) => numbersProblem(of[i]!, `The attention of encoder layer ${layer}`)),
          statesProblem(states[i]!),
        ];
        const problem = problems.find((found) => found !== undefined);
        return (
          problem ?? {
            states: states[i]!,
            hidden: new Map(hidden.map(({ layer, of }) => [layer, of[i]!])),
            attention: new Map(attention.map(({ layer, of }) => [layer, of[i]!])),
          }
        );
      });
    });
  }

  async score(items: readonly ScoreItem[], options: RequestOptions = {}): Promise<Float32Array[]> {
    return withNamedStates(items, options.signal, (ready) => this.#score(ready, options));
  }

  async #score(items: readonly WithMemory<ScoreItem>[], options: RequestOptions): Promise<Float32Array[]> {
    const { shape } = this.info;
    checkScoreItems(items, shape);
    const graph = await this.#graph('score');
    return this.#batches(items, scoreSizes(items), options, async (batch, { rows, memoryRows: stateRows }) => {
      const tokenIds: number[] = [];
      const scored: number[] = [];
      const targets: number[] = [];
      for (const [b, { prompt, target }] of batch.entries()) {
        const input = [shape.decoderStartTokenId, ...prompt, ...target.subarray(0, -1)];
        for (let i = 0; i < rows; i++) tokenIds.push(input[i] ?? shape.padTokenId);
        for (let i = 0; i < target.length; i++) scored.push(b * rows + prompt.length + i);
        targets.push(...target);
      }
      const { distinct, which } = distinctMemories(batch.map(({ memory }) => memory));
      const { nll } = await graph.run({
        token_ids: int64(tokenIds, [batch.length, rows]),
        memory: int64(which, [batch.length]),
        ...memoryFeeds(distinct, stateRows, shape.encoder.width),
        scored: int64(scored, [scored.length]),
        targets: int64(targets, [targets.length]),
      });
      const unsound = memoryProblems(distinct);
      let end = 0;
      return batch.map(({ target }, i) => {
        end += target.length;
        const own = (nll!.data as Float32Array).slice(end - target.length, end);
        return unsound[which[i]!] ?? numbersProblem(own, "The NLLs of the target's tokens") ?? own;
      });
    });
  }

  async generate(items: readonly GenerateItem[], options: RequestOptions = {}): Promise<Generated[]> {
    return withNamedStates(items, options.signal, (ready) => this.#generate(ready, options));
  }

  async #generate(items: readonly WithMemory<GenerateItem>[], options: RequestOptions): Promise<Generated[]> {
    checkGenerateItems(items, this.info.shape);
    const graphs = { cross: await this.#graph('cross'), generate: await this.#graph('generate') };
    const steps = stepsARun(this.#model.config);
    return this.#batches(items, generateSizes(items), options, async (batch, { rows, memoryRows: stateRows }) => {
      const beforeRun = () => breathe(options.signal);
      const made = await generateBatch(graphs, this.info.shape, batch, rows, stateRows, steps, beforeRun);
      const unsound = memoryProblems(batch.map(({ memory }) => memory));
      return made.map(
        (own, i) =>
          unsound[i] ?? numbersProblem(own.logProbabilities, "The generated tokens' log-probabilities") ?? own,
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const graphs = [...this.#graphs.values()];
    this.#graphs.clear();
    for (const graph of await Promise.allSettled(graphs)) if (graph.status === 'fulfilled') await graph.value.release();
  }

  /**
   * Plans batches, runs them one after the other and puts the results into the items' order.
   * @throws ItemsFailedError after the last batch, when items have a problem
   */
  async #batches<Item, Result>(
    items: readonly Item[],
    sizes: readonly ItemSize[],
    { signal, onProgress }: RequestOptions,
    run: (batch: readonly Item[], shape: Batch) => Promise<readonly (Result | Problem)[]>,
  ): Promise<Result[]> {
    const results = new Array<Result>(items.length);
    const errors = new Map<number, DkvError>();
    let done = 0;
    for (const batch of planBatches(sizes, this.info.batchTokens)) {
      await breathe(signal);
      const made = await run(
        batch.items.map((index) => items[index]!),
        batch,
      );
      for (const [i, index] of batch.items.entries()) {
        const own = made[i]!;
        if (own instanceof Problem) errors.set(index, own.errorOf(this.info));
        else results[index] = own;
      }
      done += batch.items.length;
      onProgress?.(done, items.length);
    }
    if (errors.size > 0) throw new ItemsFailedError(errors, results);
    return results;
  }

  #graph(name: GraphName): Promise<Graph> {
    return this.#load(name, () => name);
  }

  /** A graph that failed to load is not kept, so that the next request tries again. */
  async #load(key: string, source: () => GraphName | Uint8Array): Promise<Graph> {
    if (this.#closed) throw new DkvError('ENGINE_CLOSED', 'The engine was closed.');
    let graph = this.#graphs.get(key);
    if (!graph) {
      graph = loadGraph(this.#model, source(), this.info.device, this.#threads).catch((error) => {
        this.#graphs.delete(key);
        throw error;
      });
      this.#graphs.set(key, graph);
    }
    return graph;
  }
}

/** Numbers of an item that are not finite. */
class Problem {
  readonly #found: string;

  constructor(found: string) {
    this.#found = found;
  }

  errorOf({ name, precision }: EngineInfo): DkvError {
    return new DkvError(
      'NUMBERS_NOT_FINITE',
      `${this.#found}, computed by model ${name} as ${precision}. Are its weights sound, and small enough for the precision? float32 has the widest range.`,
    );
  }
}

function numbersProblem(values: Float32Array, what: string): Problem | undefined {
  const at = firstNotFinite(values);
  return at === undefined ? undefined : new Problem(`${what} hold ${values[at]} (number ${at})`);
}

function rowsProblem({ data, width }: States, what: string): Problem | undefined {
  const at = firstNotFinite(data);
  if (at === undefined) return undefined;
  return new Problem(`${what} holds ${data[at]} (row ${Math.floor(at / width)}, number ${at % width})`);
}

const statesProblem = (states: States) => rowsProblem(states, "The encoder's output");

/**
 * For each memory what is wrong with the states that it brings. They are looked at before anything is concluded from scores: 8-bit rounding
 * makes a finite number of a NaN.
 */
function memoryProblems(memories: readonly Memory[]): (Problem | undefined)[] {
  return memories.map((memory) => {
    for (const { states, start, end } of memory) {
      const { rows, width, data } = states;
      const seen = start === 0 && end === rows ? data : data.subarray(start * width, end * width);
      const problem = rowsProblem({ rows, width, data: seen }, 'The memory that was given');
      if (problem) return problem;
    }
    return undefined;
  });
}

const rowCount = ({ tokenIds }: EncodeItem) => tokenIds.length;

/** Lets messages in, a cancel among them: the runtime blocks its thread while it computes. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw new DkvError('CANCELLED', 'The request was cancelled.');
}

/**
 * Rows that a CPU of about 0.2 TFLOP/s encodes in a second, at two operations per weight and row. A large model gets batches of
 * one item, which may then take longer.
 */
function defaultBatchTokens(config: ModelConfig): number {
  return Math.min(8192, Math.max(1, Math.round(0.2e12 / (2 * weightCount(config, 'encoder.')))));
}

/**
 * Tokens that a CPU chooses in a second, at most 16: nothing can be cancelled in between. Between two runs keys and values are copied out of
 * the runtime and in again, which takes as long as a fifth of a token (16 texts, 270m-270m, int8).
 */
function stepsARun(config: ModelConfig): number {
  return Math.min(16, Math.max(1, Math.round(5e9 / weightCount(config, 'decoder.'))));
}
