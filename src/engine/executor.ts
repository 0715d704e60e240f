/**
 * Runs batches in the thread it lives in: items to tensors, graphs, results in the items' order. It plans nothing and knows nothing of who
 * asked.
 */
import { setImmediate } from 'node:timers/promises';
import { DkvError } from '../base/errors.js';
import { type CompiledModel, GRAPHS, type GraphName, graphOver, weightBytes } from '../model/compiled.js';
import { planDevice } from '../model/device-memory.js';
import { type ModelConfig, shapeOf } from '../model/families/families.js';
import type { BuildGraph } from '../model/graph/blocks.js';
import { buildLogits, buildTempered } from '../model/graph/decoder.js';
import { buildEncoder } from '../model/graph/encoder.js';
import type { Precision } from '../model/graph/layout.js';
import { computedAs, isForCpu, type Target, targetOf } from '../model/graph/target.js';
import { weightCount } from '../model/memory.js';
import { BatchTensors, type Feeding } from './batch-tensors.js';
import { deviceGraph } from './device-graph.js';
import type { Device, EncodeItem, EngineInfo, Generated, Probed } from './engine.js';
import { generateBatch, keptOutputs } from './generation.js';
import { LoadedGraphs, type WantedGraph } from './loaded-graphs.js';
import { memoryProblems, numbersProblem, Problem, rowsProblem, statesProblem } from './problems.js';
import type { Done, FedMethod, Runner, TellTokens, Work, WorkOf } from './runner.js';
import { expectDevice, type Feeds, type Graph, loadGraph, type MadeGraph } from './runtime.js';
import { cutRows, cutSquares } from './tensors.js';

export interface ExecutorOptions {
  /** The model's name, for messages. */
  readonly name?: string;
  readonly device: Device;
  /** What graphs are built for; the device by default. The CPU also runs graphs for other devices, which shows that their form is right. */
  readonly target?: Target;
  /** The precision that the model runs as, for which its weights were made (`weightsOfPrecision`); the weights' own by default. */
  readonly precision?: Precision;
  /**
   * The number of rows in a batch. The default takes about a second on a small CPU; on other devices it is `planDevice`'s for one of unknown
   * memory.
   */
  readonly batchTokens?: number;
  /** The bytes of weights that may be held on a device at a time: graphs that are not used make room. No bound by default. */
  readonly weightBytes?: number;
  /** True where the encoder's graph is given its tokens' rows and does not hold their table; false by default. */
  readonly givenRows?: boolean;
  /** The number of threads that compute; one for each physical core by default. In a container that may use only some of them, say how many. */
  readonly threads?: number;
  /** Give states in memory that threads can share; true by default. */
  readonly sharedMemory?: boolean;
}

/** Tensors for the graph of a method. Whoever made them also reads what the graph gives. */
export interface FedWork extends Feeding {
  readonly method: FedMethod;
}

/** The outputs of a graph. */
export interface FedDone {
  readonly outputs: Feeds;
  readonly computedMs: number;
}

export class Executor implements Runner {
  readonly info: EngineInfo;
  readonly ended = undefined;
  readonly #model: CompiledModel;
  readonly #target: Target;
  readonly #sharedMemory: boolean;
  readonly #threads: number | undefined;
  readonly #graphs: LoadedGraphs;
  readonly #givenRows: boolean;
  readonly #tensors: BatchTensors;

  /** Loads nothing yet: a graph is loaded when it is first needed. @throws DkvError DEVICE_UNAVAILABLE */
  constructor(model: CompiledModel, options: ExecutorOptions) {
    const { name, device, precision = model.precision, batchTokens, threads, sharedMemory = true } = options;
    expectDevice(device, precision);
    this.#model = model;
    this.#target = options.target ?? targetOf(precision, device);
    this.#sharedMemory = sharedMemory;
    this.#threads = threads;
    this.#graphs = new LoadedGraphs(options.weightBytes);
    this.#givenRows = options.givenRows ?? false;
    const { config, weightsDigest, drift } = model;
    const tokens = batchTokens ?? defaultBatchTokens(config, precision, device);
    const called = name ?? weightsDigest.slice(0, 12);
    this.info = {
      name: called,
      family: config.family,
      shape: shapeOf(config),
      weights: weightCount(config),
      precision,
      computedAs: computedAs(precision, this.#target),
      weightsDigest,
      ...(drift && { drift }),
      device,
      batchTokens: tokens,
    };
    this.#tensors = new BatchTensors(model, this.info, {
      device: this.#target.device,
      givenRows: this.#givenRows,
      sharedMemory,
    });
  }

  async run(work: Work, signal: AbortSignal, onTokens?: TellTokens): Promise<Done> {
    return this.#graphs.with(this.#wanted(work), async (graphs) => {
      // Lets messages in that came meanwhile: the runtime blocks its thread while it computes.
      await breathe(signal);
      const started = performance.now();
      const made = await this.#compute(work, graphs, signal, onTokens);
      const results = made.map((own) => (own instanceof Problem ? own.errorOf(this.info) : own));
      return { results, computedMs: performance.now() - started };
    });
  }

  /** Runs the graph of a batch whose tensors were made elsewhere. @throws as `run` */
  async runFed({ method, feeds, outputs }: FedWork, signal: AbortSignal): Promise<FedDone> {
    return this.#graphs.with([this.#fedGraph(method)], async ([graph]) => {
      await breathe(signal);
      const started = performance.now();
      const given = await graph!.run(feeds, outputs);
      return { outputs: given, computedMs: performance.now() - started };
    });
  }

  #fedGraph(method: FedMethod): WantedGraph {
    if (method === 'encode') return this.#graph('encoder', this.#encoderTarget);
    if (method === 'score') return this.#graph('score');
    return method === 'logits' ? this.#made('logits', buildLogits) : this.#made('tempered', buildTempered);
  }

  /** Lists the graphs that the work needs. */
  #wanted(work: Work): WantedGraph[] {
    switch (work.method) {
      case 'encode':
      case 'score':
      case 'scoreTempered':
      case 'logits':
        return [this.#fedGraph(work.method)];
      case 'generate':
        return [this.#graph('cross'), this.#graph('generate')];
      case 'probe': {
        const { hidden: hiddenLayers, attention: attentionLayers } = work.layers;
        const probe = { hiddenLayers, attentionLayers };
        const name = `probe ${JSON.stringify(probe)}`;
        return [this.#made(name, (parts) => buildEncoder(parts, probe), this.#encoderTarget)];
      }
    }
  }

  async #compute(
    work: Work,
    [graph, second]: readonly Graph[],
    signal: AbortSignal,
    onTokens: TellTokens | undefined,
  ): Promise<readonly unknown[]> {
    switch (work.method) {
      case 'encode':
      case 'score':
      case 'scoreTempered':
      case 'logits': {
        const batch = this.#tensors.of(work);
        return batch.results(await graph!.run(batch.feeds, batch.outputs));
      }
      case 'generate':
        return this.#generate({ cross: graph!, generate: second! }, work, signal, onTokens);
      case 'probe':
        return this.#probe(graph!, work);
    }
  }

  async #probe(graph: Graph, { items, rows, layers }: WorkOf<'probe'>): Promise<(Probed | Problem)[]> {
    const outputs = await graph.run(this.#tensors.encoderFeeds(items, rows));
    const lengths = items.map(rowCount);
    const states = cutRows(outputs.states!, lengths, this.#sharedMemory);
    const hidden = layers.hidden.map((layer) => ({
      layer,
      of: cutRows(outputs[`hidden.${layer}`]!, lengths, this.#sharedMemory),
    }));
    const attention = layers.attention.map((layer) => ({
      layer,
      of: cutSquares(outputs[`attention.${layer}`]!, lengths),
    }));
    return items.map((_, i) => {
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
  }

  async #generate(
    graphs: { readonly cross: Graph; readonly generate: Graph },
    { items, rows, memoryRows: stateRows, told = [] }: WorkOf<'generate'>,
    signal: AbortSignal,
    onTokens: TellTokens | undefined,
  ): Promise<(Generated | Problem)[]> {
    const most = stepsARun(this.#model.config);
    const steps = told.length > 0 ? Math.min(most, TOLD_STEPS) : most;
    const made = await generateBatch(
      graphs,
      this.info.shape,
      items,
      { rows, stateRows, steps, told },
      {
        beforeRun: () => breathe(signal),
        onTokens,
      },
    );
    const unsound = memoryProblems(items.map(({ memory }) => memory));
    return made.map(
      (own, i) => unsound[i] ?? numbersProblem(own.logProbabilities, "The generated tokens' log-probabilities") ?? own,
    );
  }

  async close(): Promise<void> {
    await this.#graphs.close();
    this.#tensors.close();
  }

  get #encoderTarget(): Target {
    return this.#givenRows ? { ...this.#target, givenRows: true } : this.#target;
  }

  /** Gives a graph by name. The CPU's graphs lie in the compiled folder. */
  #graph(name: GraphName, target = this.#target): WantedGraph {
    if (!isForCpu(target) || target.givenRows) return this.#made(name, GRAPHS[name], target);
    return { key: name, bytes: () => 0, load: () => this.#load(name) };
  }

  /** Gives a graph that is made over the same weights. */
  #made(name: string, build: BuildGraph, target = this.#target): WantedGraph {
    return {
      key: name,
      bytes: () => weightBytes({ ...this.#model, target }, build),
      load: async () =>
        this.#load({
          name,
          bytes: await graphOver(this.#model, build, target),
          kept: keptOutputs(name, this.info.shape),
        }),
    };
  }

  async #load(graph: GraphName | MadeGraph): Promise<Graph> {
    const loaded = await loadGraph(this.#model, graph, this.info.device, this.#threads);
    return isForCpu(this.#target) ? loaded : deviceGraph(loaded);
  }
}

const rowCount = ({ tokenIds }: EncodeItem) => tokenIds.length;

/** Lets messages in, such as one to stop. */
async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw new DkvError('CANCELLED', 'The request was cancelled.');
}

/**
 * Rows that a CPU of about 0.2 TFLOP/s encodes in a second, at two operations per weight and row. A large model gets batches of
 * one item, which may then take longer.
 */
function defaultBatchTokens(config: ModelConfig, precision: Precision, device: Device): number {
  if (device !== 'cpu') return planDevice(config, { precision, device }, undefined).batchTokens;
  return Math.min(8192, Math.max(1, Math.round(0.2e12 / (2 * weightCount(config, 'encoder.')))));
}

/** Tokens that one run chooses at most where somebody follows the text. The copies of keys and values then cost a twentieth of the time. */
const TOLD_STEPS = 4;

/**
 * Tokens that a CPU chooses in a second, at most 16: nothing can be cancelled in between. Between two runs keys and values are copied out of
 * the runtime and in again, which takes as long as a fifth of a token (16 texts, 270m-270m, int8).
 */
function stepsARun(config: ModelConfig): number {
  return Math.min(16, Math.max(1, Math.round(5e9 / weightCount(config, 'decoder.'))));
}
