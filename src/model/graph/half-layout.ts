/**
 * Products in 16 bits, for devices that have them: factors as float16 or bfloat16, sums as float32 while they are made, results rounded to 16 bits and
 * widened. Everything else of a graph stays float32: norms, softmax, sums of residuals, angles, log-sum-exp. Weights lie in the file as the 16-bit forms of
 * layout.ts have them, and are not widened.
 *
 * float16 ends at 65504, bfloat16 where float32 ends. What is beyond becomes an infinity, and an infinity can vanish: Relu makes 0 of a negative one, a softmax
 * the weight 0 of a key, a softcap a finite logit. So each row of a float16 product is NaN as a whole where one of its numbers is not finite, and a NaN
 * reaches what leaves the graph.
 */
import type { GraphBuilder, Value } from './builder.js';
import {
  type FeedForwardNames,
  type Layout,
  type LogitChunks,
  pieceOf,
  piecesOf,
  type ScaleForm,
  small,
  storedMatrix,
} from './layout.js';
import type { HalfType } from './target.js';
import type { Weights } from './weights.js';

export class HalfLayout implements Layout {
  readonly #weights: Weights;
  readonly #type: HalfType;
  /** Rows that several products read are rounded once. */
  readonly #rounded = new WeakMap<GraphBuilder, Map<Value, Value>>();

  constructor(weights: Weights, type: HalfType) {
    this.#weights = weights;
    this.#type = type;
  }

  project(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    return this.#products(graph, x, names).map((product) => this.#marked(graph, product, product));
  }

  projectStates(graph: GraphBuilder, states: Value, names: readonly string[]): Value[] {
    return this.project(graph, states, names);
  }

  /**
   * What the second product reads is the largest of a layer, and what it gives leaves float16's range in T5 and in Gemma: the reference computes T5's `wo` in
   * float32 for that reason, and clamps. Here a row is divided by its largest magnitude before it is rounded, and the product multiplied by it: every
   * digit that float16 has is kept, and sums of residuals, which are float32, take any size.
   */
  feedForward(graph: GraphBuilder, x: Value, names: FeedForwardNames, activate: (gate: Value) => Value): Value {
    const inner = names.up ? [names.gate, names.up] : [names.gate];
    const [gate, up] = this.#products(graph, x, inner) as [Value, Value?];
    const active = activate(gate);
    const middle = up ? graph.op('Mul', [active, up]) : active;
    if (this.#type === 'bfloat16') return this.#products(graph, middle, [names.down])[0]!;
    const largest = largestOfRows(graph, middle);
    const [fed] = this.#products(graph, graph.op('Div', [middle, largest]), [names.down]) as [Value];
    // Activations make numbers of what is none; nothing behind them does.
    return this.#marked(graph, graph.op('Mul', [fed, largest]), gate);
  }

  embed(graph: GraphBuilder, table: string, ids: Value, scale: number): Value {
    const rows = graph.op('Gather', [graph.external(this.#matrix(table)), ids]);
    const widened = graph.cast(rows, 'float32');
    return scale === 1 ? widened : graph.op('Mul', [widened, graph.floats([scale])]);
  }

  /**
   * Logits are large and their differences count: of a logit of 20 bfloat16 keeps eighths. So what a product lost when it was rounded is a product of its own,
   * with the first one taken off before it is rounded: their sum has twice the digits. Of an infinity it makes NaN.
   */
  logits(graph: GraphBuilder, name: string, x: Value, isCut: boolean): LogitChunks {
    const table = this.#matrix(name);
    const [vocabulary] = table.dimensions as [number];
    const rows = this.#round(graph, x);
    const pieces = piecesOf(vocabulary);
    const chunks = pieces.map(([start, count]) => {
      const factors = [pieceOf(graph, table, start, count, isCut), rows];
      const rounded = graph.op('Gemm', factors, { transB: { int: 1 } });
      const lost = graph.op('Gemm', [...factors, rounded], { transB: { int: 1 }, beta: { float: -1 } });
      return graph.op('Add', [graph.cast(rounded, 'float32'), graph.cast(lost, 'float32')]);
    });
    return {
      rows: this.seenByTable(graph, name, x),
      chunks,
      starts: pieces.map(([start]) => start),
      vocabularyAxis: 0,
    };
  }

  seenByTable(graph: GraphBuilder, _table: string, x: Value): Value {
    const rows = graph.cast(this.#round(graph, x), 'float32');
    return this.#marked(graph, rows, rows);
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

  /** @returns one [n, out] float32 per name */
  #products(graph: GraphBuilder, x: Value, names: readonly string[]): Value[] {
    const rows = this.#round(graph, x);
    return names.map((name) => {
      const product = graph.op('Gemm', [rows, graph.external(this.#matrix(name))], { transB: { int: 1 } });
      return graph.cast(product, 'float32');
    });
  }

  #round(graph: GraphBuilder, x: Value): Value {
    const known = this.#rounded.get(graph) ?? new Map<Value, Value>();
    this.#rounded.set(graph, known);
    const rows = known.get(x) ?? graph.cast(x, this.#type);
    known.set(x, rows);
    return rows;
  }

  /** Rows as NaN where a row of a product has a number that is not finite. bfloat16 has float32's range. @param rows and `product` [n, size] float32 */
  #marked(graph: GraphBuilder, rows: Value, product: Value): Value {
    if (this.#type === 'bfloat16') return rows;
    const sums = graph.op('ReduceSum', [product, graph.ints([1])], { keepdims: { int: 1 } });
    return graph.op('Add', [rows, graph.op('Mul', [sums, graph.floats([0], [])])]);
  }
}

/** The largest magnitude of each row; of a row of zeros something that is not 0. @returns [n, 1] */
function largestOfRows(graph: GraphBuilder, x: Value): Value {
  const reduce = (type: string) => graph.op(type, [x, graph.ints([1])], { keepdims: { int: 1 } });
  const magnitudes = graph.op('Max', [reduce('ReduceMax'), graph.op('Neg', [reduce('ReduceMin')])]);
  return graph.op('Max', [magnitudes, graph.floats([SMALLEST], [])]);
}

const SMALLEST = 1e-30;
