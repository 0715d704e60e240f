/**
 * How weights are laid out and multiplied at a precision. The only place that knows: the graphs of encoder and decoder ask a
 * layout for projections, embedding rows and logits, and stay the same when a precision is added.
 */
import { EMBEDDING } from './checkpoint.js';
import type { ElementType, GraphBuilder, Value } from './graph/builder.js';
import { STEPS, type Transform, ZERO_POINT } from './transforms.js';
import { sliceRows, type Weights } from './weights.js';

/**
 * - `float32`   weights as float32; the reference.
 * - `bfloat16`  weights on disk as bfloat16, mapped, and widened one at a time while they are used: half the memory, the same float32
 *               arithmetic, and the same numbers when the checkpoint itself is bfloat16.
 * - `int8`      matrices as 8-bit numbers with a scale for each output, multiplied as integers with rows that are rounded to 8 bits
 *               with a scale each: a quarter of the memory, two to three times the speed, other numbers in the third digit.
 */
export const PRECISIONS = ['float32', 'bfloat16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Logits in pieces that cover the vocabulary in order. */
export interface LogitChunks {
  /** The rows as the products see them, [n, hidden] float32: a logit computed from them is the one in `chunks`. */
  readonly rows: Value;
  readonly chunks: readonly Value[];
  /** The axis of each chunk that runs over the vocabulary; the other one runs over the scored rows. */
  readonly vocabularyAxis: 0 | 1;
}

export interface Layout {
  /**
   * Multiplies rows by several linear weights that share their input.
   * @param x [n, in] float32
   * @param names canonical names of weights [out, in]
   * @returns one [n, out] float32 per name
   */
  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[];
  /** Rows of the tied table, unscaled. @param ids [n] int64 @returns [n, hidden] float32 */
  embed(graph: GraphBuilder, ids: Value): Value;
  /** Products of rows with the tied table, never as one tensor. @param x [n, hidden] float32 */
  logits(graph: GraphBuilder, x: Value): LogitChunks;
  /** A vector used as it is stored. @returns [size] float32 */
  vector(graph: GraphBuilder, name: string): Value;
  /** An RMSNorm scale, 1 + weight. @returns [size] float32 */
  normScale(graph: GraphBuilder, name: string): Value;
}

export function createLayout(precision: Precision, weights: Weights): Layout {
  return precision === 'int8' ? new Int8Layout(weights) : new PlainLayout(weights, precision);
}

/** Rows of the vocabulary whose logits are made at a time. */
const VOCABULARY_CHUNK = 16_384;

/** Matrices as the checkpoint has them, [out, in], in one of two element types. */
class PlainLayout implements Layout {
  readonly #weights: Weights;
  readonly #type: 'float32' | 'bfloat16';

  constructor(weights: Weights, type: 'float32' | 'bfloat16') {
    this.#weights = weights;
    this.#type = type;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    return names.map((name) => {
      const weight = this.#widen(graph, graph.external(this.#matrix(name)));
      return graph.op('Gemm', [x, weight], { transB: { int: 1 } });
    });
  }

  embed(graph: GraphBuilder, ids: Value): Value {
    return this.#widen(graph, graph.op('Gather', [graph.external(this.#matrix(EMBEDDING)), ids]));
  }

  /**
   * The table is the left factor. The runtime repacks a constant right factor into a second copy at load (0.7 GB and 1.5 s for
   * 262,144 x 640) and leaves a left one alone, so the head reads the bytes that `embed` reads.
   */
  logits(graph: GraphBuilder, x: Value): LogitChunks {
    const table = this.#matrix(EMBEDDING);
    const [vocabulary] = table.dimensions as [number];
    const chunks: Value[] = [];
    for (let start = 0; start < vocabulary; start += VOCABULARY_CHUNK) {
      const rows = graph.external(sliceRows(table, start, Math.min(VOCABULARY_CHUNK, vocabulary - start)));
      chunks.push(graph.op('Gemm', [this.#widen(graph, rows), x], { transB: { int: 1 } }));
    }
    return { rows: x, chunks, vocabularyAxis: 0 };
  }

  vector(graph: GraphBuilder, name: string): Value {
    return vector(graph, this.#weights, name, 'copy');
  }

  normScale(graph: GraphBuilder, name: string): Value {
    return vector(graph, this.#weights, name, 'add-one');
  }

  #matrix(source: string) {
    const dimensions = this.#weights.shape(source);
    return this.#weights.place({ name: source, type: this.#type, dimensions, source, transform: 'copy' });
  }

  #widen(graph: GraphBuilder, x: Value): Value {
    return this.#type === 'float32' ? x : graph.op('Cast', [x], { to: { int: 1 } });
  }
}

/** Vectors are small and stay float32 at every precision: rounding 1 + weight would be an error of its own. */
function vector(graph: GraphBuilder, weights: Weights, source: string, transform: 'copy' | 'add-one'): Value {
  const name = transform === 'add-one' ? `1+${source}` : source;
  const dimensions = weights.shape(source);
  return graph.external(weights.place({ name, type: 'float32', dimensions, source, transform }));
}

/** Rows as 8-bit numbers and the step of each row, [n] float32. */
interface RoundedRows {
  readonly bytes: Value;
  readonly steps: Value;
}

/**
 * Matrices and the rows that they are multiplied with as 8-bit numbers, sums as 32-bit integers. A row is rounded by its own
 * largest magnitude, so that it meets the same arithmetic in any batch; with one scale a tensor companions would change it.
 *
 * Left factors are unsigned around a zero point and right ones signed, which is what processors multiply fastest.
 */
class Int8Layout implements Layout {
  readonly #weights: Weights;
  /** Rows that several projections read are rounded once. */
  readonly #rounded = new WeakMap<GraphBuilder, Map<Value, RoundedRows>>();

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    const { bytes, steps } = this.#round(graph, x);
    const column = graph.op('Unsqueeze', [steps, graph.ints([1])]);
    return names.map((name) => {
      const [outputs, inputs] = this.#weights.shape(name) as [number, number];
      const weight = this.#place(name, 'int8', 'columns', [inputs, outputs]);
      const factors = [bytes, graph.external(weight), graph.floats([1], []), graph.external(this.#steps(name))];
      return graph.op('Mul', [graph.op(INTEGER_PRODUCT, [...factors, zeroPoint(graph)]), column]);
    });
  }

  embed(graph: GraphBuilder, ids: Value): Value {
    const bytes = graph.op('Gather', [graph.external(this.#table()), ids]);
    const steps = graph.op('Gather', [graph.external(this.#steps(EMBEDDING)), ids]);
    return dequantise(graph, bytes, steps, zeroPoint(graph));
  }

  /** The table is the left factor, so that the head reads the bytes that `embed` reads. */
  logits(graph: GraphBuilder, x: Value): LogitChunks {
    const steps = rowSteps(graph, x);
    const zero = graph.bytes(Int8Array.of(0), []);
    const bytes = quantise(graph, x, steps, zero);
    const columns = graph.op('Transpose', [bytes], { perm: [1, 0] });
    const table = this.#table();
    const tableSteps = this.#steps(EMBEDDING);
    const [vocabulary] = table.dimensions as [number];
    const chunks: Value[] = [];
    for (let start = 0; start < vocabulary; start += VOCABULARY_CHUNK) {
      const count = Math.min(VOCABULARY_CHUNK, vocabulary - start);
      const rows = graph.external(sliceRows(table, start, count));
      const factors = [rows, columns, graph.floats([1], []), steps, zeroPoint(graph)];
      const rowSteps = graph.op('Unsqueeze', [graph.external(sliceRows(tableSteps, start, count)), graph.ints([1])]);
      chunks.push(graph.op('Mul', [graph.op(INTEGER_PRODUCT, factors), rowSteps]));
    }
    return { rows: dequantise(graph, bytes, steps, zero), chunks, vocabularyAxis: 0 };
  }

  vector(graph: GraphBuilder, name: string): Value {
    return vector(graph, this.#weights, name, 'copy');
  }

  normScale(graph: GraphBuilder, name: string): Value {
    return vector(graph, this.#weights, name, 'add-one');
  }

  #round(graph: GraphBuilder, x: Value): RoundedRows {
    const known = this.#rounded.get(graph) ?? new Map<Value, RoundedRows>();
    this.#rounded.set(graph, known);
    const before = known.get(x);
    if (before) return before;
    const steps = rowSteps(graph, x);
    const rounded = { bytes: quantise(graph, x, steps, zeroPoint(graph)), steps };
    known.set(x, rounded);
    return rounded;
  }

  #table() {
    return this.#place(EMBEDDING, 'uint8', 'rows', this.#weights.shape(EMBEDDING));
  }

  #steps(source: string) {
    return this.#place(source, 'float32', 'row-scales', this.#weights.shape(source).slice(0, 1));
  }

  #place(source: string, type: ElementType, transform: Transform, dimensions: readonly number[]) {
    return this.#weights.place({ name: `${source}.${transform}`, type, dimensions, source, transform });
  }
}

/** [n, k] uint8 times [k, m] int8: sums as float32, each times its column's step. */
export const INTEGER_PRODUCT = 'com.microsoft.MatMulIntegerToFloat';

function zeroPoint(graph: GraphBuilder): Value {
  return graph.bytes(Uint8Array.of(ZERO_POINT), []);
}

/** The step of each row: its largest magnitude / 127; of a row of zeros something that is not 0. @returns [n] */
function rowSteps(graph: GraphBuilder, x: Value): Value {
  const reduce = (type: string) => graph.op(type, [x, graph.ints([1])], { keepdims: { int: 0 } });
  // Two reductions take less time than Abs and one.
  const magnitudes = graph.op('Max', [reduce('ReduceMax'), graph.op('Neg', [reduce('ReduceMin')])]);
  return graph.op('Max', [graph.op('Mul', [magnitudes, graph.floats([1 / STEPS])]), graph.floats([SMALLEST_STEP])]);
}

const SMALLEST_STEP = 1e-30;

/** @param steps [n] @returns [n, k] of the type of `zero` */
function quantise(graph: GraphBuilder, x: Value, steps: Value, zero: Value): Value {
  const zeroPoints = graph.op('Expand', [zero, graph.op('Shape', [steps])]);
  return graph.op('QuantizeLinear', [x, steps, zeroPoints], { axis: { int: 0 } });
}

function dequantise(graph: GraphBuilder, bytes: Value, steps: Value, zero: Value): Value {
  const zeroPoints = graph.op('Expand', [zero, graph.op('Shape', [steps])]);
  return graph.op('DequantizeLinear', [bytes, steps, zeroPoints], { axis: { int: 0 } });
}
