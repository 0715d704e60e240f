/** Attention over one set of keys, by the runtime's operator. */
import type { Value } from './builder.js';
import type { GraphContext, Heads, KeysValues } from './context.js';

/**
 * Grouped-query attention.
 * @param queries [n, rows, heads * head_dim]
 * @param mask [n, heads | 1, rows, keys]: bool, true where a row may see a key, or float32, which is added to scores
 * @param wantProbabilities also return [n, heads, rows, keys]
 * @returns [n, rows, heads * head_dim]
 */
export function attend(
  { graph }: GraphContext,
  { heads, kvHeads, scale }: Heads,
  queries: Value,
  { keys, values }: KeysValues,
  mask: Value,
  wantProbabilities = false,
): { readonly attended: Value; readonly probabilities: Value } {
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
 * The same for what is by head already.
 * @param queries [n, heads, rows, head_dim]
 * @param own [n, kv_heads, keys, head_dim]
 * @param mask [n, heads | 1, rows, keys]
 * @returns of the queries' shape
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

/** For a key that a row may not see. Finite: a row that sees nothing, as padding does, would become NaN. */
export const MASKED = -1e30;
