/** The two products of attention, in what the target computes in; what lies between them, mask and softmax, is float32. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';

/** What a product reads, in what it computes in. @param x float32 */
export function factor({ graph, target }: GraphContext, x: Value): Value {
  return target.arithmetic === 'float32' ? x : graph.cast(x, target.arithmetic);
}

/**
 * Scores: rows times keys, scaled.
 *
 * A 16-bit score may leave float16's range. To the positive it becomes infinite and the row NaN. To the negative its key has no weight, which it has not anyway:
 * as far as 16 bits tell scores of that size apart, they are 32 from the next.
 * @param rows [n, heads, rows, head_dim] float32
 * @param columns keys as a `factor`, [n, heads, head_dim, keys]
 * @returns [n, heads, rows, keys] float32
 */
export function scoresOf(context: GraphContext, rows: Value, columns: Value, scale: number): Value {
  const { graph, target } = context;
  const scaled = (x: Value) => (scale === 1 ? x : graph.op('Mul', [x, graph.floats([scale], [])]));
  if (target.arithmetic === 'float32') return scaled(graph.op('MatMul', [rows, columns]));
  // Scaled before they are rounded, fewer leave the range, and it is less work.
  return graph.cast(graph.op('MatMul', [factor(context, scaled(rows)), columns]), 'float32');
}

/**
 * Values by their weights.
 * @param weights [n, heads, rows, keys] float32
 * @param values [n, heads, keys, head_dim] float32
 * @returns [n, heads, rows, head_dim] float32
 */
export function weightedValues(context: GraphContext, weights: Value, values: Value): Value {
  const { graph, target } = context;
  const product = graph.op('MatMul', [factor(context, weights), factor(context, values)]);
  return target.arithmetic === 'float32' ? product : graph.cast(product, 'float32');
}
