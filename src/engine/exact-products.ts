/**
 * Are 8-bit products added up exactly here? Processors without VNNI instructions add them in pairs of 16 bits, where the largest
 * overflow: scores would be wrong without a sign of it.
 */
import { DkvError } from '../base/errors.js';
import { GraphBuilder } from '../model/graph/builder.js';
import { INTEGER_PRODUCT } from '../model/graph/layout.js';
import { onnxRuntime } from './onnxruntime.js';

const ROWS = 5;
const INNER = 256;
const COLUMNS = 33;

let checked: Promise<void> | undefined;

/** Multiplies the largest 8-bit numbers, once a process. @throws DkvError DEVICE_UNAVAILABLE */
export function expectExactProducts(): Promise<void> {
  checked ??= multiplyLargest().then((products) => {
    if (products.every((product) => product === 255 * 127 * INNER)) return;
    throw new DkvError(
      'DEVICE_UNAVAILABLE',
      'This processor adds 8-bit products with overflow (it has no VNNI instructions), so int8 would give wrong scores. Use --precision float32 or bfloat16.',
    );
  });
  return checked;
}

/** Multiplies the largest numbers; the result has [ROWS * COLUMNS] numbers. */
async function multiplyLargest(): Promise<Float32Array> {
  const graph = new GraphBuilder('exact-products');
  const left = graph.input('left', 'uint8', ['rows', INNER]);
  const right = graph.bytes(new Int8Array(INNER * COLUMNS).fill(127), [INNER, COLUMNS]);
  const product = graph.op(INTEGER_PRODUCT, [left, right, graph.floats([1], []), graph.floats([1], [])]);
  graph.output('product', product, 'float32', ['rows', COLUMNS]);
  const { InferenceSession, Tensor } = onnxRuntime();
  const session = await InferenceSession.create(await graph.toBytes(), { logSeverityLevel: 3 });
  const { product: products } = await session.run({
    left: new Tensor('uint8', new Uint8Array(ROWS * INNER).fill(255), [ROWS, INNER]),
  });
  await session.release();
  return products!.data as Float32Array;
}
