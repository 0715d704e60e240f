/** ONNX Runtime sessions of a compiled model: which provider, which graph, and errors that say so. */
import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { DkvError, messageOf } from '../base/errors.js';
import { type CompiledModel, type GraphName, graphFile } from '../model/compiled.js';
import { isWidened, type Precision } from '../model/graph/layout.js';
import { cudaLoadProblem } from './cuda-library.js';
import { runError, startError } from './device-errors.js';
import type { Device } from './engine.js';
import { expectExactProducts } from './exact-products.js';
import { onnxRuntime } from './onnxruntime.js';

/** A tensor as plain data, which goes from thread to thread. */
export interface HostTensor {
  readonly type: Tensor.Type;
  readonly dims: readonly number[];
  readonly data: Tensor.DataType;
  /** Frees a tensor that the runtime made. */
  dispose?(): void;
}

export type Feeds = Record<string, HostTensor>;

/**
 * Session options for weights that are widened while they are used. The optimizers would widen all of them while the graph is loaded, and hold
 * them; the arena would keep room for several. (Measured on 270m-270m: 2.1 GB instead of 3.6 GB, no slower.)
 */
const WIDEN_ONE_AT_A_TIME = { enableCpuMemArena: false, enableMemPattern: false } as const;
const OPTIMIZERS_THAT_WIDEN = 'ConstantFolding;FuseFp16InitializerToFp32NodeTransformer';

/** The optimizer to switch off on a device: it would cut a table into pieces while the graph is loaded, and the device would hold both. */
const OPTIMIZERS_THAT_CUT = 'ConstantFolding';

/** A loaded graph. */
export interface Graph {
  /** The names of the graph's inputs. */
  readonly inputs: readonly string[];
  /** @param outputs which of the graph's; all when left out @throws DkvError ENGINE_FAILED */
  run(feeds: Feeds, outputs?: readonly string[]): Promise<Feeds>;
  release(): Promise<void>;
}

/** @throws DkvError DEVICE_UNAVAILABLE where a device has no such precision */
export function expectPrecision(device: Device, precision: Precision): void {
  if (precision === 'int8' && device !== 'cpu') {
    throw new DkvError(
      'DEVICE_UNAVAILABLE',
      `int8 runs on the CPU only, not on "${device}". Use --precision float32 or float16 there.`,
    );
  }
  if (precision === 'tf32' && device !== 'cuda') {
    throw new DkvError(
      'DEVICE_UNAVAILABLE',
      `tf32 is a way in which NVIDIA's GPUs multiply: it runs on "cuda" only, not on "${device}". Use --precision float32 there, or --device cuda.`,
    );
  }
  if (precision === 'bfloat16' && device !== 'cpu' && device !== 'cuda') {
    throw new DkvError(
      'DEVICE_UNAVAILABLE',
      `bfloat16 runs on "cpu" and "cuda" only: ONNX Runtime's provider for "${device}" has no such numbers. Use --precision float16 or float32 there.`,
    );
  }
}

/** @throws DkvError DEVICE_UNAVAILABLE when this build of the runtime does not have the provider, or the provider not the precision */
export function expectDevice(device: Device, precision: Precision): void {
  const available = onnxRuntime()
    .listSupportedBackends()
    .map(({ name }) => name);
  if (available.includes(device)) {
    expectPrecision(device, precision);
    return;
  }
  throw new DkvError(
    'DEVICE_UNAVAILABLE',
    `Device "${device}" is not part of ONNX Runtime for ${process.platform}/${process.arch}; available: ${available.join(', ')}.`,
  );
}

/** A graph as bytes that refers to a compiled model's weights file. */
export interface MadeGraph {
  /** The graph's name, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The outputs that later runs read. They stay on the device where the binding can hand them on (WebGPU), and the code that holds them disposes of
   * them.
   */
  readonly kept?: readonly string[];
}

/** Loads a graph file of a compiled model, or a graph over the same weights file. */
export async function loadGraph(
  model: CompiledModel,
  graph: GraphName | MadeGraph,
  device: Device,
  threads: number | undefined = threadsOf(process.env),
): Promise<Graph> {
  if (model.precision === 'int8') await expectExactProducts();
  const name = typeof graph === 'string' ? graph : graph.name;
  const kept = typeof graph === 'string' || device !== 'webgpu' ? [] : (graph.kept ?? []);
  const widened = device === 'cpu' && isWidened(model.precision);
  const disabled = widened ? OPTIMIZERS_THAT_WIDEN : device === 'cpu' ? undefined : OPTIMIZERS_THAT_CUT;
  const options: InferenceSession.SessionOptions = {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    logSeverityLevel: 3,
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(widened && WIDEN_ONE_AT_A_TIME),
    ...(kept.length > 0 && {
      preferredOutputLocation: Object.fromEntries(kept.map((output) => [output, 'gpu-buffer'])),
    }),
    extra: {
      session: { model_external_initializers_file_folder_path: model.directory },
      ...(disabled && { optimization: { disable_specified_optimizers: disabled } }),
    },
  };
  let session: InferenceSession;
  try {
    session = await onnxRuntime().InferenceSession.create(
      typeof graph === 'string' ? await readFile(graphFile(model, graph)) : graph.bytes,
      options,
    );
  } catch (error) {
    if (device === 'cpu') throw new DkvError('ENGINE_FAILED', `Loading the ${name} graph failed: ${messageOf(error)}`);
    throw startError(device, messageOf(error), device === 'cuda' ? cudaLoadProblem() : undefined);
  }
  return {
    inputs: session.inputNames,
    async run(feeds, outputs = session.outputNames) {
      try {
        return (await session.run(tensorsOf(feeds), outputs)) as Feeds;
      } catch (error) {
        const failed = runError(device, name, messageOf(error));
        if (failed) throw failed;
        const shapes = Object.entries(feeds).map(([input, { dims }]) => `${input} [${dims}]`);
        throw new DkvError(
          'ENGINE_FAILED',
          `Running the ${name} graph failed: ${messageOf(error)} (${shapes.join(', ')})`,
        );
      }
    },
    release: () => session.release(),
  };
}

function tensorsOf(feeds: Feeds): InferenceSession.FeedsType {
  const { Tensor } = onnxRuntime();
  const tensorOf = (own: HostTensor) =>
    own instanceof Tensor ? own : new Tensor(own.type as 'float32', own.data as Float32Array, own.dims);
  return Object.fromEntries(Object.entries(feeds).map(([name, own]) => [name, tensorOf(own)]));
}

/**
 * Reads `DKV_THREADS`, for a container that may use only some cores, or wherever many programs share them.
 * @throws DkvError INPUT_INVALID
 */
export function threadsOf({ DKV_THREADS: given }: Readonly<Record<string, string | undefined>>): number | undefined {
  if (given === undefined || given === '') return undefined;
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new DkvError('INPUT_INVALID', `DKV_THREADS is ${JSON.stringify(given)}; expected a whole number above 0.`);
}
