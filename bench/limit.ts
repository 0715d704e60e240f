/** What the runtime's matrix products reach here: large square ones, float32 and uint8 times int8. The limit of any model on it. */
import { onnxRuntime } from '../src/engine/onnxruntime.js';
import { GraphBuilder } from '../src/model/graph/builder.js';
import { INTEGER_PRODUCT } from '../src/model/graph/layout.js';

const { InferenceSession, Tensor } = onnxRuntime();
const SIZE = 2048;
const FLOP = 2 * SIZE ** 3;

async function product(precision: 'float32' | 'int8') {
  const graph = new GraphBuilder('limit');
  const left = graph.input('left', precision === 'int8' ? 'uint8' : 'float32', ['rows', SIZE]);
  const right =
    precision === 'int8'
      ? graph.bytes(new Int8Array(SIZE * SIZE).fill(3), [SIZE, SIZE])
      : graph.floats(new Float32Array(SIZE * SIZE).fill(0.5), [SIZE, SIZE]);
  const made =
    precision === 'int8'
      ? graph.op(INTEGER_PRODUCT, [left, right, graph.floats([1], []), graph.floats([1], [])])
      : graph.op('MatMul', [left, right]);
  graph.output('product', made, 'float32', ['rows', SIZE]);
  const session = await InferenceSession.create(await graph.toBytes(), { logSeverityLevel: 3 });
  const data = precision === 'int8' ? new Uint8Array(SIZE * SIZE).fill(5) : new Float32Array(SIZE * SIZE).fill(0.5);
  const feeds = { left: new Tensor(precision === 'int8' ? 'uint8' : 'float32', data as Float32Array, [SIZE, SIZE]) };
  return () => session.run(feeds);
}

/** Floating-point (or integer) operations a second of one product: the best of several. */
export async function limits(): Promise<Record<'float32' | 'int8', () => Promise<number>>> {
  const [float32, int8] = [await product('float32'), await product('int8')];
  const best = (run: () => Promise<unknown>) => async () => {
    let seconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 6; i++) {
      const start = performance.now();
      await run();
      seconds = Math.min(seconds, (performance.now() - start) / 1000);
    }
    return FLOP / seconds;
  };
  return { float32: best(float32), int8: best(int8) };
}
