/**
 * How weights are laid out and multiplied at a precision. The only place that knows: the graphs of encoder and decoder ask a
 * layout for projections, embedding rows and logits, and stay the same when a precision is added.
 */
import { EMBEDDING } from './checkpoint.js';
import type { GraphBuilder, Value } from './graph/builder.js';
import { sliceRows, type Weights } from './weights.js';

export const PRECISIONS = ['float32'] as const;
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
  switch (precision) {
    case 'float32':
      return new Float32Layout(weights);
  }
}

/** Rows of the vocabulary whose logits are made at a time. */
const VOCABULARY_CHUNK = 16_384;

class Float32Layout implements Layout {
  readonly #weights: Weights;

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    return names.map((name) => graph.op('Gemm', [x, this.#stored(graph, name)], { transB: { int: 1 } }));
  }

  embed(graph: GraphBuilder, ids: Value): Value {
    return graph.op('Gather', [this.#stored(graph, EMBEDDING), ids]);
  }

  /**
   * The table is the left factor. The runtime repacks a constant right factor into a second copy at load (0.7 GB and 1.5 s for
   * 262,144 x 640) and leaves a left one alone, so the head reads the bytes that `embed` reads.
   */
  logits(graph: GraphBuilder, x: Value): LogitChunks {
    const table = this.#place(EMBEDDING);
    const [vocabulary] = table.dimensions as [number];
    const chunks: Value[] = [];
    for (let start = 0; start < vocabulary; start += VOCABULARY_CHUNK) {
      const rows = graph.external(sliceRows(table, start, Math.min(VOCABULARY_CHUNK, vocabulary - start)));
      chunks.push(graph.op('Gemm', [rows, x], { transB: { int: 1 } }));
    }
    return { chunks, vocabularyAxis: 0 };
  }

  vector(graph: GraphBuilder, name: string): Value {
    return this.#stored(graph, name);
  }

  normScale(graph: GraphBuilder, name: string): Value {
    const dimensions = this.#weights.shape(name);
    const stored = { name: `1+${name}`, type: 'float32', dimensions, source: name, transform: 'add-one' } as const;
    return graph.external(this.#weights.place(stored));
  }

  #place(name: string) {
    const dimensions = this.#weights.shape(name);
    return this.#weights.place({ name, type: 'float32', dimensions, source: name, transform: 'copy' });
  }

  #stored(graph: GraphBuilder, name: string): Value {
    return graph.external(this.#place(name));
  }
}
