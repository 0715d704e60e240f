/**
 * The decoder's attention to one set of keys at a time: to its own rows, or to those of the encoder. As plain products, so that keys and values of
 * encoder states are read where they lie; each head has keys of its own.
 */
import { scoresOf, weightedValues } from './attention-products.js';
import type { GraphBuilder, Value } from './builder.js';
import { byHead, type GraphContext, type Heads, type KeysValues, MASKED, SWAP_ROWS } from './context.js';
import { isForCpu } from './target.js';

/**
 * @param queries [batch, rows, heads * head_dim]
 * @param seen keys and values by head
 * @param bias added to scores: [batch | 1, heads | 1, rows | 1, keys] float32
 * @returns [batch, rows, heads * head_dim]
 */
export function attendSeparately(
  context: GraphContext,
  shape: Heads,
  queries: Value,
  seen: KeysValues,
  bias: Value,
): Value {
  if (shape.heads !== shape.kvHeads) throw new Error(`${shape.heads} heads share keys of ${shape.kvHeads}`);
  const { graph } = context;
  const scores = scoresOf(context, byHead(context, shape, queries), seen.keys, shape.scale);
  const weights = graph.op('Softmax', [graph.op('Add', [scores, bias])]);
  const byRow = graph.op('Transpose', [weightedValues(context, weights, seen.values)], { perm: SWAP_ROWS });
  return graph.op('Reshape', [byRow, graph.ints([0, 0, -1])]);
}

/**
 * The number that is added to a score: 0 where the key may be seen, else MASKED.
 * @param seen bool
 */
export function maskBias(graph: GraphBuilder, seen: Value): Value {
  return graph.op('Where', [seen, graph.floats([0], []), graph.floats([MASKED], [])]);
}

/**
 * Takes away the axis of heads from what is the same for all heads: [n, 1, rows, keys] -> [n, rows, keys].
 * @param seen bool, which not every device squeezes
 */
export function withoutHeads({ graph, target }: GraphContext, seen: Value): Value {
  if (isForCpu(target)) return graph.op('Squeeze', [seen, graph.ints([1])]);
  return graph.op('Gather', [seen, graph.ints([0], [])], { axis: { int: 1 } });
}

/**
 * Own keys that a row may see: not padding and not later than the row.
 * @param rowPositions [batch | 1, rows] float32
 * @param keyPositions [batch | 1, own] float32, negative for padding
 * @returns [batch | 1, 1, rows, own] bool
 */
export function causal(graph: GraphBuilder, rowPositions: Value, keyPositions: Value): Value {
  const row = graph.op('Unsqueeze', [rowPositions, graph.ints([1, 3])]);
  const key = graph.op('Unsqueeze', [keyPositions, graph.ints([1, 2])]);
  return graph.both(graph.op('LessOrEqual', [key, row]), graph.op('GreaterOrEqual', [key, graph.floats([0])]));
}
