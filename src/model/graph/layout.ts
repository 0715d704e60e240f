/**
 * How weights are laid out and multiplied at a precision. The only place that knows, with half-layout.ts: the graphs of encoder and decoder ask a
 * layout for projections, embedding rows and logits, and stay the same when a precision is added.
 */
import type { ElementType, ExternalTensor, GraphBuilder, Value } from './builder.js';
import { STEPS, type Transform, ZERO_POINT } from './transforms.js';
import { type Read, sliceRows, type Weights } from './weights.js';

/**
 * - `float32`   weights as float32; the reference.
 * - `bfloat16`  weights on disk as bfloat16. On the CPU they are mapped, and widened one at a time while they are used: half the memory, the same
 *               float32 arithmetic, and the same numbers when the checkpoint itself is bfloat16. On CUDA products are computed in bfloat16.
 * - `float16`   the same as float16, which other devices have as well. Of a bfloat16 checkpoint only weights below 2^-14 are rounded, to
 *               multiples of 2^-24.
 * - `int8`      matrices as 8-bit numbers with a scale for each output, multiplied as integers with rows that are rounded to 8 bits
 *               with a scale each: a quarter of the memory, two to three times the speed, other numbers in the third digit.
 */
export const WEIGHTS_PRECISIONS = ['float32', 'bfloat16', 'float16', 'int8'] as const;
export type WeightsPrecision = (typeof WEIGHTS_PRECISIONS)[number];

/**
 * What a model can run as: with weights of one of these, or
 * - `tf32`      float32's weights and graphs on CUDA, whose products take the first ten digits of the factors' significands (NVIDIA's TF32): faster,
 *               with other numbers in the third digit.
 */
export const PRECISIONS = ['float32', 'tf32', 'bfloat16', 'float16', 'int8'] as const satisfies readonly (
  | WeightsPrecision
  | 'tf32'
)[];
export type Precision = (typeof PRECISIONS)[number];

/** The form in which weights are kept for a precision. */
export function weightsOfPrecision(precision: Precision): WeightsPrecision {
  return precision === 'tf32' ? 'float32' : precision;
}

/** How int8 numbers are made; another form gives other numbers from the same weights. Part of a model's fingerprint. */
export const INT8_FORM = 'smoothed';

/** Tells whether weights are kept in 16 bits. On the CPU they are widened while they are used; elsewhere they are factors of 16-bit products. */
export function isWidened(precision: WeightsPrecision): boolean {
  return precision === 'bfloat16' || precision === 'float16';
}

/** Logits in pieces that cover the vocabulary in order. */
export interface LogitChunks {
  /** The rows as the products see them, [n, hidden] float32: a logit computed from them is the one in `chunks`. */
  readonly rows: Value;
  readonly chunks: readonly Value[];
  /** The first token of each of `chunks`. */
  readonly starts: readonly number[];
  /** The axis of each chunk that runs over the vocabulary; the other one runs over the scored rows. */
  readonly vocabularyAxis: 0 | 1;
}

/** The canonical names of a feed-forward network's weights. */
export interface FeedForwardNames {
  readonly gate: string;
  /** The second factor of a gated product; undefined in a network without one. */
  readonly up?: string;
  readonly down: string;
}

/** The form of a norm's scale for a stored weight w: w (`copy`) or 1 + w (`add-one`). */
export type ScaleForm = 'copy' | 'add-one';

/** The channels of a model that 8-bit forms must know. */
export interface SmoothedNames {
  /** The names of norms, matrices and biases whose output is divided where it is made. */
  readonly divided: ReadonlySet<string>;
  /** The norm whose output the decoder's keys and values read as states. */
  readonly statesNorm: string;
}

export interface Layout {
  /**
   * Multiplies rows by several linear weights that share their input.
   * @param x [n, in] float32
   * @param names canonical names of weights [out, in]
   * @returns one [n, out] float32 per name
   */
  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[];
  /**
   * Multiplies the encoder's states by several linear weights, as the decoder reads them.
   * @param states [n, in] float32
   */
  projectStates(graph: GraphBuilder, states: Value, names: readonly string[]): Value[];
  /** A feed-forward network, down(activate(gate(x)) * up(x)), or without up down(activate(gate(x))). @param x [n, in] float32 @returns [n, in] float32 */
  feedForward(graph: GraphBuilder, x: Value, names: FeedForwardNames, activate: (gate: Value) => Value): Value;
  /**
   * Takes rows of a table and multiplies them by a number.
   * @param ids [n] int64
   * @returns [n, hidden] float32
   */
  embed(graph: GraphBuilder, table: string, ids: Value, scale: number): Value;
  /**
   * Products of rows with a table, never as one tensor.
   * @param x [n, hidden] float32
   * @param isCut pieces of the table are cut from it while the graph runs; else each is a tensor of its own over the same bytes, which a device would hold twice
   */
  logits(graph: GraphBuilder, table: string, x: Value, isCut: boolean): LogitChunks;
  /**
   * Gives rows as the products with the table see them, where only few of the products are wanted.
   * @param x [n, hidden] float32
   * @returns the same shape
   */
  seenByTable(graph: GraphBuilder, table: string, x: Value): Value;
  /**
   * Takes a small tensor as it is stored. A bias is divided like what it is added to.
   * @returns float32, of the stored shape
   */
  plain(graph: GraphBuilder, name: string): Value;
  /**
   * The scale that a norm multiplies by.
   * @returns [size] float32
   */
  normScale(graph: GraphBuilder, name: string, form: ScaleForm): Value;
}

export function createLayout(precision: WeightsPrecision, weights: Weights, smoothed: SmoothedNames): Layout {
  return precision === 'int8' ? new Int8Layout(weights, smoothed) : new PlainLayout(weights, precision);
}

/** The number of rows of the vocabulary whose logits are made at a time. */
export const VOCABULARY_CHUNK = 16_384;

/** The first row and the number of rows of each piece of the vocabulary, in order. */
export function piecesOf(vocabulary: number): [start: number, count: number][] {
  return Array.from({ length: Math.ceil(vocabulary / VOCABULARY_CHUNK) }, (_, i) => {
    const start = i * VOCABULARY_CHUNK;
    return [start, Math.min(VOCABULARY_CHUNK, vocabulary - start)];
  });
}

/** Rows `start` to `start + count` of a table. */
export function pieceOf(
  graph: GraphBuilder,
  table: ExternalTensor,
  start: number,
  count: number,
  isCut: boolean,
): Value {
  if (!isCut) return graph.external(sliceRows(table, start, count));
  return graph.op('Slice', [graph.external(table), graph.ints([start]), graph.ints([start + count]), graph.ints([0])]);
}

/** A matrix as the checkpoint has it, [out, in], as numbers of a floating type. */
export function storedMatrix(weights: Weights, type: Exclude<WeightsPrecision, 'int8'>, source: string) {
  return weights.place({ name: source, type, dimensions: weights.shape(source), source, transform: 'copy' });
}

/** Matrices as the checkpoint has them, [out, in], as numbers of one of the floating types. */
class PlainLayout implements Layout {
  readonly #weights: Weights;
  readonly #type: Exclude<WeightsPrecision, 'int8'>;

  constructor(weights: Weights, type: Exclude<WeightsPrecision, 'int8'>) {
    this.#weights = weights;
    this.#type = type;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    return names.map((name) => {
      const weight = this.#widen(graph, graph.external(this.#matrix(name)));
      return graph.op('Gemm', [x, weight], { transB: { int: 1 } });
    });
  }

  projectStates(graph: GraphBuilder, states: Value, names: readonly string[]): Value[] {
    return this.project(graph, states, names);
  }

  feedForward(graph: GraphBuilder, x: Value, names: FeedForwardNames, activate: (gate: Value) => Value): Value {
    const [gate, up] = this.project(graph, x, names.up ? [names.gate, names.up] : [names.gate]) as [Value, Value?];
    const active = activate(gate);
    return this.project(graph, up ? graph.op('Mul', [active, up]) : active, [names.down])[0]!;
  }

  embed(graph: GraphBuilder, table: string, ids: Value, scale: number): Value {
    const rows = this.#widen(graph, graph.op('Gather', [graph.external(this.#matrix(table)), ids]));
    return scale === 1 ? rows : graph.op('Mul', [rows, graph.floats([scale])]);
  }

  /**
   * The table is the left factor. The runtime repacks a constant right factor into a second copy at load (0.7 GB and 1.5 s for
   * 262,144 x 640) and leaves a left one alone, so the head reads the bytes that `embed` reads.
   */
  logits(graph: GraphBuilder, name: string, x: Value, isCut: boolean): LogitChunks {
    const table = this.#matrix(name);
    const [vocabulary] = table.dimensions as [number];
    const pieces = piecesOf(vocabulary);
    const chunks = pieces.map(([start, count]) => {
      const rows = pieceOf(graph, table, start, count, isCut);
      return graph.op('Gemm', [this.#widen(graph, rows), x], { transB: { int: 1 } });
    });
    return { rows: x, chunks, starts: pieces.map(([start]) => start), vocabularyAxis: 0 };
  }

  seenByTable(_graph: GraphBuilder, _table: string, x: Value): Value {
    return x;
  }

  plain(graph: GraphBuilder, name: string): Value {
    return small(graph, this.#weights, name, 'copy');
  }

  normScale(graph: GraphBuilder, name: string, form: ScaleForm): Value {
    return small(graph, this.#weights, name, form);
  }

  #matrix(source: string) {
    return storedMatrix(this.#weights, this.#type, source);
  }

  #widen(graph: GraphBuilder, x: Value): Value {
    return isWidened(this.#type) ? graph.op('Cast', [x], { to: { int: 1 } }) : x;
  }
}

/** Vectors and tables of positions are small and stay float32 at every precision: rounding 1 + weight would be an error of its own. */
export function small(
  graph: GraphBuilder,
  weights: Weights,
  source: string,
  transform: ScaleForm,
  isSmoothed = false,
): Value {
  const name = transform === 'add-one' ? `1+${source}` : source;
  const dimensions = weights.shape(source);
  const smoothed = isSmoothed ? ({ smoothed: 'rows' } as const) : {};
  return graph.external(weights.place({ name, type: 'float32', dimensions, source, transform, ...smoothed }));
}

/** Rows as 8-bit numbers, [n, k] uint8, and the step of each row, [n] float32. */
interface RoundedRows {
  readonly bytes: Value;
  readonly steps: Value;
}

/**
 * Matrices and the rows that they are multiplied with as 8-bit numbers, sums as 32-bit integers. A row is rounded by its own
 * largest magnitude, so that it meets the same arithmetic in any batch; with one scale a tensor companions would change it.
 *
 * Rows are unsigned around a zero point and weights signed, which is what processors multiply fastest.
 */
class Int8Layout implements Layout {
  readonly #weights: Weights;
  readonly #smoothed: SmoothedNames;
  /** Rows that several projections read are rounded once. */
  readonly #rounded = new WeakMap<GraphBuilder, Map<Value, RoundedRows>>();
  /** The states divided by their scales, by graph and value. */
  readonly #states = new WeakMap<GraphBuilder, Map<Value, Value>>();

  constructor(weights: Weights, smoothed: SmoothedNames) {
    this.#weights = weights;
    this.#smoothed = smoothed;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    return this.#project(graph, x, names, 'rows');
  }

  /** All layers read the same states: they are divided by their scales once, and rounded once. */
  projectStates(graph: GraphBuilder, states: Value, names: readonly string[]): Value[] {
    const known = this.#states.get(graph) ?? new Map<Value, Value>();
    this.#states.set(graph, known);
    const { statesNorm } = this.#smoothed;
    const inverse = {
      name: 'states.inverse-scales',
      source: statesNorm,
      transform: 'ones',
      smoothed: 'states',
    } as const;
    const dimensions = this.#weights.shape(statesNorm);
    const even =
      known.get(states) ??
      graph.op('Mul', [states, graph.external(this.#weights.place({ ...inverse, type: 'float32', dimensions }))]);
    known.set(states, even);
    return this.#project(graph, even, names, 'states');
  }

  #project(graph: GraphBuilder, x: Value, names: readonly string[], read: Read): Value[] {
    return names.map((name) => {
      const rows = this.#round(graph, x, name);
      return scaled(graph, this.#product(graph, rows, name, read), rows.steps);
    });
  }

  /**
   * What `up` gives is rounded again before it is used, with a step a row: it can do without the step that each row has to be multiplied with,
   * if the next one makes up for it.
   */
  feedForward(graph: GraphBuilder, x: Value, names: FeedForwardNames, activate: (gate: Value) => Value): Value {
    const [gate] = this.project(graph, x, [names.gate]) as [Value];
    if (!names.up) return this.project(graph, activate(gate), [names.down])[0]!;
    const rows = this.#round(graph, x, names.up);
    const middle = graph.op('Mul', [activate(gate), this.#product(graph, rows, names.up, 'rows')]);
    const rounded = this.#round(graph, middle, names.down);
    const steps = graph.op('Mul', [rounded.steps, rows.steps]);
    return scaled(graph, this.#product(graph, rounded, names.down, 'rows'), steps);
  }

  embed(graph: GraphBuilder, table: string, ids: Value, scale: number): Value {
    const rows = this.#place(table, 'uint8', 'rows', this.#weights.shape(table));
    const bytes = graph.op('Gather', [graph.external(rows), ids]);
    const steps = graph.op('Gather', [graph.external(this.#steps(table)), ids]);
    return dequantise(graph, { bytes, steps: graph.op('Mul', [steps, graph.floats([scale], [])]) });
  }

  /**
   * The table once more, transposed, as the right factor. As the left one it would be the bytes that `embed` reads, and take 1.3 times
   * as long with 128 rows and 3 times with one.
   */
  logits(graph: GraphBuilder, table: string, x: Value): LogitChunks {
    const rows = this.#round(graph, x, table);
    const [vocabulary, width] = this.#weights.shape(table) as [number, number];
    const steps = this.#steps(table);
    const pieces = piecesOf(vocabulary);
    const chunks = pieces.map(([start, count]) => {
      const columns = this.#weights.place({
        name: `${table}.columns[${start}:${start + count}]`,
        type: 'int8',
        dimensions: [width, count],
        source: table,
        sourceRows: [start, count],
        transform: 'columns',
      });
      return scaled(graph, integerProduct(graph, rows, columns, sliceRows(steps, start, count)), rows.steps);
    });
    const seen = this.seenByTable(graph, table, x);
    return { rows: seen, chunks, starts: pieces.map(([start]) => start), vocabularyAxis: 1 };
  }

  seenByTable(graph: GraphBuilder, table: string, x: Value): Value {
    return dequantise(graph, this.#round(graph, x, table));
  }

  plain(graph: GraphBuilder, name: string): Value {
    return small(graph, this.#weights, name, 'copy', this.#smoothed.divided.has(name));
  }

  normScale(graph: GraphBuilder, name: string, form: ScaleForm): Value {
    return small(graph, this.#weights, name, form, this.#smoothed.divided.has(name));
  }

  /** @param reader name of weights that these rows are multiplied with */
  #round(graph: GraphBuilder, x: Value, reader: string): RoundedRows {
    const known = this.#rounded.get(graph) ?? new Map<Value, RoundedRows>();
    this.#rounded.set(graph, known);
    const before = known.get(x);
    if (before) return before;
    const [, width] = this.#weights.shape(reader) as [number, number];
    const steps = rowSteps(graph, x);
    const columns = column(graph, steps);
    // A row is a block. With a step for each index of an axis the runtime goes through the rows on one thread.
    const oneStepARow = { axis: { int: 1 }, block_size: { int: width } };
    const bytes = graph.op('QuantizeLinear', [x, columns, zeroPoints(graph, columns)], oneStepARow);
    const rounded = { bytes, steps };
    known.set(x, rounded);
    return rounded;
  }

  /** @returns [n, outputs] float32, each row still to be multiplied with its step */
  #product(graph: GraphBuilder, rows: RoundedRows, name: string, read: Read): Value {
    const [outputs, inputs] = this.#weights.shape(name) as [number, number];
    const columns = this.#place(name, 'int8', 'columns', [inputs, outputs], read);
    return integerProduct(graph, rows, columns, this.#steps(name, read));
  }

  #steps(source: string, read?: Read) {
    return this.#place(source, 'float32', 'row-scales', this.#weights.shape(source).slice(0, 1), read);
  }

  #place(source: string, type: ElementType, transform: Transform, dimensions: readonly number[], smoothed?: Read) {
    const name = `${source}.${transform}${smoothed === 'states' ? '.states' : ''}`;
    return this.#weights.place({ name, type, dimensions, source, transform, ...(smoothed && { smoothed }) });
  }
}

/** The operator that multiplies [n, k] uint8 by [k, m] int8 and gives sums as float32, each times its column's step. */
export const INTEGER_PRODUCT = 'com.microsoft.MatMulIntegerToFloat';

/** @returns [n, columns] float32, each row still to be multiplied with its step */
function integerProduct(graph: GraphBuilder, rows: RoundedRows, columns: ExternalTensor, columnSteps: ExternalTensor) {
  const factors = [rows.bytes, graph.external(columns), graph.floats([1], []), graph.external(columnSteps)];
  return graph.op(INTEGER_PRODUCT, [...factors, graph.bytes(Uint8Array.of(ZERO_POINT), [])]);
}

/** @param steps [n] */
function scaled(graph: GraphBuilder, rows: Value, steps: Value): Value {
  return graph.op('Mul', [rows, column(graph, steps)]);
}

/** Makes a column: [n] -> [n, 1]. */
function column(graph: GraphBuilder, x: Value): Value {
  return graph.op('Unsqueeze', [x, graph.ints([1])]);
}

/** The step of each row: its largest magnitude / 127; of a row of zeros something that is not 0. @returns [n] */
function rowSteps(graph: GraphBuilder, x: Value): Value {
  const reduce = (type: string) => graph.op(type, [x, graph.ints([1])], { keepdims: { int: 0 } });
  // Two reductions take less time than Abs and one.
  const magnitudes = graph.op('Max', [reduce('ReduceMax'), graph.op('Neg', [reduce('ReduceMin')])]);
  const steps = graph.op('Mul', [magnitudes, graph.floats([1 / STEPS], [])]);
  return graph.op('Max', [steps, graph.floats([SMALLEST_STEP], [])]);
}

const SMALLEST_STEP = 1e-30;

/** @returns [n, k] float32 */
function dequantise(graph: GraphBuilder, { bytes, steps }: RoundedRows): Value {
  return graph.op('DequantizeLinear', [bytes, steps, zeroPoints(graph, steps)], { axis: { int: 0 } });
}

/** A zero point for each step, of the steps' shape. */
function zeroPoints(graph: GraphBuilder, steps: Value): Value {
  return graph.op('Expand', [graph.bytes(Uint8Array.of(ZERO_POINT), []), graph.op('Shape', [steps])]);
}
