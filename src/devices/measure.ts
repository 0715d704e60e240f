/**
 * How fast a device is, measured by small graphs of our own: products as a feed-forward network has them, and copies in both directions. To be run in a process
 * that was made for it. These are a device's best: an encoder also has norms and attention, which wait for memory.
 */
import type { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../base/errors.js';
import { cudaLoadProblem } from '../engine/cuda-library.js';
import { runError, startError } from '../engine/device-errors.js';
import type { Device } from '../engine/engine.js';
import { onnxRuntime } from '../engine/onnxruntime.js';
import { GraphBuilder, type Value } from '../model/graph/builder.js';
import type { Arithmetic } from '../model/graph/target.js';

export interface DeviceSpeed {
  /** Billions of additions and multiplications a second, of products of `rows` rows with matrices of `width` x 4 `width` numbers. */
  readonly gflops: number;
  readonly rows: number;
  readonly width: number;
  /** Bytes a second that a graph's inputs and outputs take to the device and back. */
  readonly toDevice: number;
  readonly fromDevice: number;
}

/** Sizes from small to large, tried until one takes long enough to be measured. */
const LEVELS = [
  { rows: 512, width: 128, passes: 1 },
  { rows: 2048, width: 256, passes: 1 },
  { rows: 2048, width: 512, passes: 1 },
  { rows: 2048, width: 1024, passes: 1 },
  { rows: 2048, width: 1024, passes: 8 },
  { rows: 2048, width: 1024, passes: 64 },
] as const;
const ENOUGH_SECONDS = 0.1;
const REPEATS = 3;
/** Seconds above which a measurement is run once only. */
const LONG_SECONDS = 0.5;
/** The numbers of bytes copied: the larger one where the smaller is too few to be measured. */
const COPIED_BYTES = [4 * 2 ** 20, 64 * 2 ** 20];
const COPIED_WIDTH = 1024;

/** The types by their numbers in ONNX. */
const TYPES: Readonly<Record<Arithmetic, number>> = { float32: 1, float16: 10, bfloat16: 16 };

/** Starts the device and computes next to nothing. @throws DkvError DEVICE_UNAVAILABLE, MEMORY_SHORT */
export async function startDevice(device: Device): Promise<void> {
  const graph = new GraphBuilder('start');
  const doubled = graph.op('Mul', [graph.input('x', 'float32', [1]), graph.floats([2])]);
  graph.output('y', doubled, 'float32', [1]);
  await timed(device, graph, Float32Array.of(1), [1], 1);
}

/** @throws DkvError DEVICE_UNAVAILABLE, DEVICE_LOST, MEMORY_SHORT */
export async function measureDevice(device: Device, arithmetic: Arithmetic): Promise<DeviceSpeed> {
  let products = { gflops: 0, rows: 0, width: 0 };
  for (const { rows, width, passes } of LEVELS) {
    const seconds = await timed(
      device,
      productsGraph(rows, width, passes, arithmetic),
      Float32Array.of(1),
      [1],
      REPEATS,
    );
    // To four times the width and back, a multiplication and an addition each.
    products = { gflops: (passes * 2 * 2 * rows * width * 4 * width) / seconds / 1e9, rows, width };
    if (seconds >= ENOUGH_SECONDS) break;
  }
  let copies = { toDevice: 0, fromDevice: 0 };
  for (const bytes of COPIED_BYTES) {
    const copied = new Float32Array(bytes / 4);
    const shape = [copied.length / COPIED_WIDTH, COPIED_WIDTH];
    const to = await timed(device, inputGraph(), copied, shape, REPEATS);
    const from = await timed(device, outputGraph(shape), Float32Array.of(1), [1], REPEATS);
    copies = { toDevice: bytes / to, fromDevice: bytes / from };
    if (Math.max(to, from) >= ENOUGH_SECONDS / 4) break;
  }
  return { ...products, ...copies };
}

/** Rows of ones through matrices that leave them ones. */
function productsGraph(rows: number, width: number, passes: number, arithmetic: Arithmetic): GraphBuilder {
  const graph = new GraphBuilder('products');
  const type = { to: { int: TYPES[arithmetic] } };
  const cast = (value: Value) => graph.op('Cast', [value], type);
  const matrix = (from: number, to: number) =>
    cast(graph.floats(new Float32Array(from * to).fill(1 / from), [from, to]));
  const [up, down] = [matrix(width, 4 * width), matrix(4 * width, width)];
  let x = cast(graph.op('Expand', [graph.input('x', 'float32', [1]), graph.ints([rows, width])]));
  for (let pass = 0; pass < passes; pass++) x = graph.op('MatMul', [graph.op('MatMul', [x, up]), down]);
  graph.output('y', graph.op('Cast', [firstRow(graph, x)], { to: { int: TYPES.float32 } }), 'float32', [1, width]);
  return graph;
}

/** All of the input goes to the device, a row comes back. */
function inputGraph(): GraphBuilder {
  const graph = new GraphBuilder('input');
  graph.output('y', firstRow(graph, graph.input('x', 'float32', ['n', COPIED_WIDTH])), 'float32', [1, COPIED_WIDTH]);
  return graph;
}

/** A number goes to the device, rows of it come back. */
function outputGraph(shape: readonly number[]): GraphBuilder {
  const graph = new GraphBuilder('output');
  const all = graph.op('Expand', [graph.input('x', 'float32', [1]), graph.ints(shape)]);
  graph.output('y', graph.op('Mul', [all, graph.floats([2])]), 'float32', shape);
  return graph;
}

function firstRow(graph: GraphBuilder, x: Value): Value {
  return graph.op('Slice', [x, graph.ints([0]), graph.ints([1]), graph.ints([0])]);
}

/** Seconds of the quickest of several runs, one that warms up left out. */
async function timed(
  device: Device,
  graph: GraphBuilder,
  x: Float32Array,
  shape: readonly number[],
  repeats: number,
): Promise<number> {
  const { InferenceSession: sessions, Tensor } = onnxRuntime();
  let session: InferenceSession;
  try {
    const executionProviders = device === 'cpu' ? ['cpu'] : [device, 'cpu'];
    session = await sessions.create(await graph.toBytes(), { executionProviders, logSeverityLevel: 3 });
  } catch (error) {
    throw startError(device, messageOf(error), device === 'cuda' ? cudaLoadProblem() : undefined, '');
  }
  const feeds = { x: new Tensor('float32', x, shape) };
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let run = 0; run <= repeats; run++) {
      const started = performance.now();
      await session.run(feeds);
      const seconds = (performance.now() - started) / 1000;
      if (run > 0) best = Math.min(best, seconds);
      if (best > LONG_SECONDS && run > 0) break;
    }
  } catch (error) {
    throw runError(device, 'measuring', messageOf(error)) ?? error;
  } finally {
    await session.release();
  }
  return best;
}
