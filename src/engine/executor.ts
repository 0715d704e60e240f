/**
 * Runs batches in the thread it lives in: items to tensors, graphs, results in the items' order. It plans nothing and knows nothing of who
 * asked.
 */
import { setImmediate } from 'node:timers/promises';
import { DkvError } from '../base/errors.js';
import { firstNotFinite } from '../base/finite.js';
import { type CompiledModel, GRAPHS, type GraphName, graphOver, weightBytes } from '../model/compiled.js';
import { planDevice } from '../model/device-memory.js';
import { type ModelConfig, shapeOf } from '../model/families/families.js';
import type { BuildGraph } from '../model/graph/blocks.js';
import { buildLogits } from '../model/graph/decoder.js';
import { buildEncoder } from '../model/graph/encoder.js';
import type { Precision } from '../model/graph/layout.js';
import { computedAs, isForCpu, type Target, targetOf } from '../model/graph/target.js';
import { TOKEN_ROWS } from '../model/graph/token-rows.js';
import { weightCount } from '../model/memory.js';
import type { Shape } from './batching.js';
import { deviceGraph } from './device-graph.js';
import type { Device, EncodeItem, EngineInfo, Generated, Memory, Probed, States } from './engine.js';
import { generateBatch, keptOutputs } from './generation.js';
import { LoadedGraphs, type WantedGraph } from './loaded-graphs.js';
import type { Done, Runner, Work } from './runner.js';
import { expectDevice, type Feeds, type Graph, loadGraph, type MadeGraph } from './runtime.js';
import { cutRows, cutSquares, distinctMemories, encoderFeeds, int64, memoryFeeds } from './tensors.js';
import { TokenRows } from './token-rows.js';

export interface ExecutorOptions {
  /** The model's, for messages. */
  readonly name?: string;
  readonly device: Device;
  /** What graphs are built for: the device when left out. The CPU runs graphs for others too, which shows that their form is right. */
  readonly target?: Target;
  /** What the model runs as, of which its weights are (`weightsOfPrecision`); the weights' own when left out. */
  readonly precision?: Precision;
  /** Rows of a batch; by default what takes about a second on a small CPU, and on other devices `planDevice`'s for one of unknown memory. */
  readonly batchTokens?: number;
  /** Bytes of weights that may be held on a device at a time: graphs that are not used make room. No bound when left out. */
  readonly weightBytes?: number;
  /** The encoder's graph is brought its tokens' rows and does not hold their table; false when left out. */
  readonly givenRows?: boolean;
  /** That compute; one for each physical core if left out. In a container that may use some of them only, say how many. */
  readonly threads?: number;
  /** Give states in memory that threads can share; the default. */
  readonly sharedMemory?: boolean;
}

type WorkOf<Method extends Work['method']> = Extract<Work, { readonly method: Method }>;

export class Executor implements Runner {
  readonly info: EngineInfo;
  readonly ended = undefined;
  readonly #model: CompiledModel;
  readonly #target: Target;
  readonly #sharedMemory: boolean;
  readonly #threads: number | undefined;
  readonly #graphs: LoadedGraphs;
  readonly #tokenRows: TokenRows | undefined;

  /** Loads nothing yet: a graph is loaded when it is first needed. @throws DkvError DEVICE_UNAVAILABLE */
  constructor(model: CompiledModel, options: ExecutorOptions) {
    const { name, device, precision = model.precision, batchTokens, threads, sharedMemory = true } = options;
    expectDevice(device, precision);
    this.#model = model;
    this.#target = options.target ?? targetOf(precision, device);
    this.#sharedMemory = sharedMemory;
    this.#threads = threads;
    this.#graphs = new LoadedGraphs(options.weightBytes);
    this.#tokenRows = options.givenRows ? new TokenRows(model) : undefined;
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
  }

  async run(work: Work, signal: AbortSignal): Promise<Done> {
    return this.#graphs.with(this.#wanted(work), async (graphs) => {
      // Lets messages in that came meanwhile: the runtime blocks its thread while it computes.
      await breathe(signal);
      const started = performance.now();
      const made = await this.#compute(work, graphs, signal);
      const results = made.map((own) => (own instanceof Problem ? own.errorOf(this.info) : own));
      return { results, computedMs: performance.now() - started };
    });
  }

  /** The graphs that work is done with. */
  #wanted(work: Work): WantedGraph[] {
    switch (work.method) {
      case 'encode':
        return [this.#graph('encoder', this.#encoderTarget)];
      case 'score':
        return [this.#graph('score')];
      case 'logits':
        return [this.#made('logits', buildLogits)];
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

  #compute(work: Work, [graph, second]: readonly Graph[], signal: AbortSignal): Promise<readonly unknown[]> {
    switch (work.method) {
      case 'encode':
        return this.#encode(graph!, work);
      case 'score':
        return this.#score(graph!, work);
      case 'logits':
        return this.#logits(graph!, work);
      case 'generate':
        return this.#generate({ cross: graph!, generate: second! }, work, signal);
      case 'probe':
        return this.#probe(graph!, work);
    }
  }

  async #encode(graph: Graph, { items, rows }: WorkOf<'encode'>): Promise<(States | Problem)[]> {
    const { states } = await graph.run(this.#encoderFeeds(items, rows));
    return cutRows(states!, items.map(rowCount), this.#sharedMemory).map((of) => statesProblem(of) ?? of);
  }

  #encoderFeeds(items: readonly EncodeItem[], rows: number): Feeds {
    const feeds = encoderFeeds(items, rows);
    return this.#tokenRows ? { ...feeds, [TOKEN_ROWS]: this.#tokenRows.feed(items, rows) } : feeds;
  }

  async #probe(graph: Graph, { items, rows, layers }: WorkOf<'probe'>): Promise<(Probed | Problem)[]> {
    const outputs = await graph.run(this.#encoderFeeds(items, rows));
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

  async #score(graph: Graph, work: WorkOf<'score'>): Promise<(Float32Array | Problem)[]> {
    const read = work.items.map(({ memory, prompt, target }) => ({
      memory,
      input: [...prompt, ...target.subarray(0, -1)],
      scored: Array.from(target, (_, i) => prompt.length + i),
      targets: target,
    }));
    return this.#decode(graph, 'nll', read, work, "The NLLs of the target's tokens");
  }

  async #logits(graph: Graph, work: WorkOf<'logits'>): Promise<(Float32Array | Problem)[]> {
    const read = work.items.map(({ memory, prompt, tokens }) => ({
      memory,
      input: [...prompt],
      scored: Array.from(tokens, () => prompt.length),
      targets: tokens,
    }));
    return this.#decode(graph, 'logit', read, work, 'The logits of the tokens that were asked for');
  }

  /** @returns per item a number for each of its targets */
  async #decode(
    graph: Graph,
    output: string,
    items: readonly DecoderRead[],
    { rows, memoryRows: stateRows }: Shape,
    what: string,
  ): Promise<(Float32Array | Problem)[]> {
    const { shape } = this.info;
    const tokenIds: number[] = [];
    const scored: number[] = [];
    const targets: number[] = [];
    for (const [b, { input, scored: own, targets: ownTargets }] of items.entries()) {
      tokenIds.push(shape.decoderStartTokenId);
      for (let i = 1; i < rows; i++) tokenIds.push(input[i - 1] ?? shape.padTokenId);
      for (const row of own) scored.push(b * rows + row);
      targets.push(...ownTargets);
    }
    const { distinct, which } = distinctMemories(items.map(({ memory }) => memory));
    const outputs = await graph.run({
      token_ids: int64(tokenIds, [items.length, rows]),
      memory: int64(which, [items.length]),
      ...memoryFeeds(distinct, stateRows, shape.encoder.width),
      scored: int64(scored, [scored.length]),
      targets: int64(targets, [targets.length]),
    });
    const values = outputs[output]!.data as Float32Array;
    const unsound = memoryProblems(distinct);
    let end = 0;
    return items.map((item, i) => {
      end += item.targets.length;
      const own = values.slice(end - item.targets.length, end);
      return unsound[which[i]!] ?? numbersProblem(own, what) ?? own;
    });
  }

  async #generate(
    graphs: { readonly cross: Graph; readonly generate: Graph },
    { items, rows, memoryRows: stateRows }: WorkOf<'generate'>,
    signal: AbortSignal,
  ): Promise<(Generated | Problem)[]> {
    const steps = stepsARun(this.#model.config);
    const made = await generateBatch(graphs, this.info.shape, items, rows, stateRows, steps, () => breathe(signal));
    const unsound = memoryProblems(items.map(({ memory }) => memory));
    return made.map(
      (own, i) => unsound[i] ?? numbersProblem(own.logProbabilities, "The generated tokens' log-probabilities") ?? own,
    );
  }

  async close(): Promise<void> {
    await this.#graphs.close();
    this.#tokenRows?.close();
  }

  get #encoderTarget(): Target {
    return this.#tokenRows ? { ...this.#target, givenRows: true } : this.#target;
  }

  /** The CPU's stand in the compiled folder. */
  #graph(name: GraphName, target = this.#target): WantedGraph {
    if (!isForCpu(target) || target.givenRows) return this.#made(name, GRAPHS[name], target);
    return { key: name, bytes: () => 0, load: () => this.#load(name) };
  }

  /** Over the same weights. */
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

/** What the decoder reads for an item, behind its start token, and which tokens are looked at in which of its rows. */
interface DecoderRead {
  readonly memory: Memory;
  readonly input: readonly number[];
  readonly scored: readonly number[];
  readonly targets: Int32Array;
}

/** Numbers of an item that are not finite. */
class Problem {
  readonly #found: string;

  constructor(found: string) {
    this.#found = found;
  }

  errorOf({ name, computedAs: precision }: EngineInfo): DkvError {
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

/** Lets messages in, a word to stop among them. */
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

/**
 * Tokens that a CPU chooses in a second, at most 16: nothing can be cancelled in between. Between two runs keys and values are copied out of
 * the runtime and in again, which takes as long as a fifth of a token (16 texts, 270m-270m, int8).
 */
function stepsARun(config: ModelConfig): number {
  return Math.min(16, Math.max(1, Math.round(5e9 / weightCount(config, 'decoder.'))));
}
