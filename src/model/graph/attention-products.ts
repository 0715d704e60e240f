/** The two products of attention, in what the target computes in; what lies between them, mask and softmax, is float32. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';

/**
 * Scores: rows times keys, scaled.
 *
 * A 16-bit score may leave float16's range. To the positive it becomes infinite and the row NaN. To the negative its key has no weight, which it has not anyway:
 * as far as 16 bits tell scores of that size apart, they are 32 from the next.
 * @param rows [n, heads, rows, head_dim] float32
 * @param keys [n, heads, keys, head_dim] float32
 * @returns [n, heads, rows, keys] float32
 */
export function scoresOf({ graph, target }: GraphContext, rows: Value, keys: Value, scale: number): Value {
  const { arithmetic } = target;
  const columns = (x: Value) => graph.op('Transpose', [x], { perm: [0, 1, 3, 2] });
  const scaled = (x: Value) => (scale === 1 ? x : graph.op('Mul', [x, graph.floats([scale], [])]));
  if (arithmetic === 'float32') return scaled(graph.op('MatMul', [rows, columns(keys)]));
  // Scaled before they are rounded, fewer leave the range, and it is less work.
  const factors = [graph.cast(scaled(rows), arithmetic), columns(graph.cast(keys, arithmetic))];
  return graph.cast(graph.op('MatMul', factors), 'float32');
}

/**
 * Values by their weights.
 * @param weights [n, heads, rows, keys] float32
 * @param values [n, heads, keys, head_dim] float32
 * @returns [n, heads, rows, head_dim] float32
 */
export function weightedValues({ graph, target }: GraphContext, weights: Value, values: Value): Value {
  const { arithmetic } = target;
  if (arithmetic === 'float32') return graph.op('MatMul', [weights, values]);
  const factors = [weights, values].map((x) => graph.cast(x, arithmetic));
  return graph.cast(graph.op('MatMul', factors), 'float32');
}
