/**
 * How weights are laid out and multiplied at a precision. The only place that knows: the graphs of encoder and decoder ask a
 * layout for projections, embedding rows and logits, and stay the same when a precision is added.
 */
import { EMBEDDING } from './checkpoint.js';
import type { GraphBuilder, Value } from './graph/builder.js';
import { sliceRows, type Transform, type Weights } from './weights.js';

/**
 * - `float32`   weights as float32; the reference.
 * - `bfloat16`  weights on disk as bfloat16, mapped, and widened one at a time while they are used: half the memory, the same float32
 *               arithmetic, and the same numbers when the checkpoint itself is bfloat16.
 */
export const PRECISIONS = ['float32', 'bfloat16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Logits in pieces that cover the vocabulary in order. */
export interface LogitChunks {
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
  return new PlainLayout(weights, precision);
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
    return { chunks, vocabularyAxis: 0 };
  }

  vector(graph: GraphBuilder, name: string): Value {
    return graph.external(this.#vector(name, 'copy'));
  }

  normScale(graph: GraphBuilder, name: string): Value {
    return graph.external(this.#vector(name, 'add-one'));
  }

  #matrix(source: string) {
    const dimensions = this.#weights.shape(source);
    return this.#weights.place({ name: source, type: this.#type, dimensions, source, transform: 'copy' });
  }

  /** Vectors are small and stay float32: rounding 1 + weight would be an error of its own. */
  #vector(source: string, transform: Transform) {
    const name = transform === 'add-one' ? `1+${source}` : source;
    return this.#weights.place({ name, type: 'float32', dimensions: this.#weights.shape(source), source, transform });
  }

  #widen(graph: GraphBuilder, x: Value): Value {
    return this.#type === 'float32' ? x : graph.op('Cast', [x], { to: { int: 1 } });
  }
}
