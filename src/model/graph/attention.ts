/** Attention over one set of keys, by the runtime's operator: on the CPU ONNX's own. */
import type { Value } from './builder.js';
import type { GraphContext, Heads, KeysValues } from './context.js';
import { attendOnDevice, attendSeen, deviceMask } from './device-attention.js';
import { isForCpu } from './target.js';

/**
 * The form of a mask that `attend` takes.
 * @param seen [n, 1, rows, keys] bool: true where the row may see the key
 */
export function attentionMask(context: GraphContext, heads: Heads, seen: Value): Value {
  return isForCpu(context.target) ? seen : deviceMask(context, heads, seen);
}

/**
 * Grouped-query attention.
 * @param queries [n, rows, heads * head_dim]
 * @param mask of `attentionMask`, or what is added to scores, [n, heads, rows, keys] float32, where each head has keys of its own
 * @param wantProbabilities also return [n, heads, rows, keys]
 * @returns [n, rows, heads * head_dim]
 */
export function attend(
  context: GraphContext,
  shape: Heads,
  queries: Value,
  own: KeysValues,
  mask: Value,
  wantProbabilities = false,
): { readonly attended: Value; readonly probabilities: Value } {
  if (!isForCpu(context.target)) {
    if (wantProbabilities) return attendSeen(context, shape, queries, own, mask);
    return { attended: attendOnDevice(context, shape, queries, own, mask), probabilities: '' };
  }
  const { graph } = context;
  const { heads, kvHeads, scale } = shape;
  const { keys, values } = own;
  const attributes = {
    q_num_heads: { int: heads },
    kv_num_heads: { int: kvHeads },
    scale: { float: scale },
    qk_matmul_output_mode: { int: wantProbabilities ? AFTER_SOFTMAX : 0 },
  };
  const wanted = wantProbabilities ? [true, false, false, true] : [true];
  const outputs = graph.opWithOutputs('Attention', [queries, keys, values, mask], attributes, wanted);
  return { attended: outputs[0]!, probabilities: outputs[3] ?? '' };
}

/**
 * Attention over rows, keys and values that are already by head.
 * @param queries [n, heads, rows, head_dim]
 * @param own [n, kv_heads, keys, head_dim]
 * @param mask [n, heads | 1, rows, keys]
 * @returns the queries' shape
 */
export function attendByHead(
  { graph }: GraphContext,
  { scale }: Heads,
  queries: Value,
  { keys, values }: KeysValues,
  mask: Value,
): Value {
  return graph.op('Attention', [queries, keys, values, mask], { scale: { float: scale } });
}

/** `qk_matmul_output_mode` of the ONNX Attention operator: the fourth output holds the probabilities. */
const AFTER_SOFTMAX = 3;
