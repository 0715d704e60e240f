/**
 * Attention for devices that are no CPU. A mask is added to scores. Heads that share keys are further rows that look at them, so that no key is copied.
 *
 * CUDA has `MultiHeadAttention` of ONNX Runtime, which for float32 needs no tensor of scores where inputs are long. Others get plain products, as 16 bits do, whose
 * scores and softmax are to be float32: WebGPU's kernel of that operator (1.30) gives wrong numbers where all that a row sees first is masked, and it has none for
 * ONNX's own `Attention`.
 */
import { scoresOf, weightedValues } from './attention-products.js';
import type { Value } from './builder.js';
import { type GraphContext, type Heads, type KeysValues, MASKED, SWAP_ROWS, sizeOf } from './context.js';

/**
 * What is added to scores, once for all layers that share it: 0, or MASKED where a row may not see a key.
 * @param seen [n, 1, rows, keys] bool
 * @returns [n, 1, rows * group, keys] float32
 */
export function deviceMask({ graph }: GraphContext, heads: Heads, seen: Value): Value {
  const bias = graph.op('Where', [seen, graph.floats([0], []), graph.floats([MASKED], [])]);
  const group = groupOf(heads);
  if (group === 1) return bias;
  const ofEach = graph.op('Expand', [graph.op('Unsqueeze', [bias, graph.ints([3])]), graph.ints([1, 1, 1, group, 1])]);
  const keys = sizeOf(graph, bias, 3);
  return graph.op('Reshape', [ofEach, graph.op('Concat', [graph.ints([0, 1, -1]), keys], { axis: { int: 0 } })]);
}

/**
 * @param queries [n, rows, heads * head_dim]
 * @param mask [n | 1, 1, rows * group, keys] float32, or where each head has keys of its own [n | 1, heads | 1, rows, keys]
 * @returns [n, rows, heads * head_dim]
 */
export function attendOnDevice(
  context: GraphContext,
  heads: Heads,
  queries: Value,
  { keys, values }: KeysValues,
  mask: Value,
): Value {
  const { device, arithmetic } = context.target;
  if (device !== 'cuda' || arithmetic !== 'float32')
    return attendSeen(context, heads, queries, { keys, values }, mask).attended;
  const attributes = { num_heads: { int: heads.kvHeads }, scale: { float: heads.scale } };
  const inputs = [groupedRows(context, heads, queries), keys, values, '', '', mask];
  return rowsOfGroups(context, heads, context.graph.op('com.microsoft.MultiHeadAttention', inputs, attributes));
}

/**
 * Attention in plain products, which show probabilities.
 * @returns also [n, heads, rows, keys]
 */
export function attendSeen(
  context: GraphContext,
  heads: Heads,
  queries: Value,
  { keys, values }: KeysValues,
  mask: Value,
): { readonly attended: Value; readonly probabilities: Value } {
  const { graph } = context;
  const { kvHeads, headDim, scale } = heads;
  const group = groupOf(heads);
  const byHead = (x: Value) =>
    graph.op('Transpose', [graph.op('Reshape', [x, graph.ints([0, 0, kvHeads, headDim])])], { perm: SWAP_ROWS });
  const scores = scoresOf(context, byHead(groupedRows(context, heads, queries)), byHead(keys), scale);
  const weights = graph.op('Softmax', [graph.op('Add', [scores, mask])]);
  const made = weightedValues(context, weights, byHead(values));
  const byRow = graph.op('Transpose', [made], { perm: SWAP_ROWS });
  const attended = rowsOfGroups(context, heads, graph.op('Reshape', [byRow, graph.ints([0, 0, kvHeads * headDim])]));
  if (group === 1) return { attended, probabilities: weights };
  // [n, kv_heads, rows * group, keys] -> [n, kv_heads, group, rows, keys] -> [n, heads, rows, keys]
  const keyCount = sizeOf(graph, keys, 1);
  const cut = graph.op('Concat', [graph.ints([0, 0, -1, group]), keyCount], { axis: { int: 0 } });
  const ofGroups = graph.op('Transpose', [graph.op('Reshape', [weights, cut])], { perm: [0, 1, 3, 2, 4] });
  const whole = graph.op('Concat', [graph.ints([0, heads.heads, -1]), keyCount], { axis: { int: 0 } });
  return { attended, probabilities: graph.op('Reshape', [ofGroups, whole]) };
}

function groupOf({ heads, kvHeads }: Heads): number {
  return heads / kvHeads;
}

/** [n, rows, heads * head_dim] -> [n, rows * group, kv_heads * head_dim]: of a row the queries of the groups, one behind the other. */
function groupedRows({ graph }: GraphContext, heads: Heads, queries: Value): Value {
  const { kvHeads, headDim } = heads;
  const group = groupOf(heads);
  if (group === 1) return queries;
  const groupsFirst =
    kvHeads === 1
      ? queries
      : graph.op('Transpose', [graph.op('Reshape', [queries, graph.ints([0, 0, kvHeads, group, headDim])])], SWAPPED);
  return graph.op('Reshape', [groupsFirst, graph.ints([0, -1, kvHeads * headDim])]);
}

/** Takes the groups' rows back to [n, rows, heads * head_dim]. */
function rowsOfGroups({ graph }: GraphContext, heads: Heads, attended: Value): Value {
  const { kvHeads, headDim } = heads;
  const group = groupOf(heads);
  if (group === 1) return attended;
  const ofGroups =
    kvHeads === 1
      ? attended
      : graph.op('Transpose', [graph.op('Reshape', [attended, graph.ints([0, -1, group, kvHeads, headDim])])], SWAPPED);
  return graph.op('Reshape', [ofGroups, graph.ints([0, -1, heads.heads * headDim])]);
}

/** The permutation between [n, rows, kv_heads, group, head_dim] and [n, rows, group, kv_heads, head_dim]. */
const SWAPPED = { perm: [0, 1, 3, 2, 4] };
