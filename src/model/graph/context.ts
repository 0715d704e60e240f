/** What every part of a graph is built with, and the little shapes that all of them use. Parts know no family of models. */
import type { GraphBuilder, Value } from './builder.js';
import type { Layout } from './layout.js';
import type { Target } from './target.js';

export interface GraphContext {
  readonly graph: GraphBuilder;
  readonly layout: Layout;
  readonly target: Target;
}

export type Side = 'encoder' | 'decoder';

/** The heads of one side's attention. */
export interface Heads {
  readonly heads: number;
  /** Of keys and values; heads / kvHeads queries share each. */
  readonly kvHeads: number;
  readonly headDim: number;
  /** What scores are multiplied by. */
  readonly scale: number;
}

/** Keys and values, [batch, rows, kv_heads * head_dim], or by head: [batch, kv_heads, rows, head_dim]. */
export interface KeysValues {
  readonly keys: Value;
  readonly values: Value;
}

export function eachOf({ keys, values }: KeysValues, of: (x: Value) => Value): KeysValues {
  return { keys: of(keys), values: of(values) };
}

/** int64 [3] of (batch, rows, -1) for reshaping [n, x] to [batch, rows, x]; taken from a [batch, rows, ...] tensor. */
export function rowShape(graph: GraphBuilder, like: Value): Value {
  const batchAndRows = graph.op('Shape', [like], { start: { int: 0 }, end: { int: 2 } });
  return graph.op('Concat', [batchAndRows, graph.ints([-1])], { axis: { int: 0 } });
}

/** 0, 1, ... up to the size of an axis, as float32 [size] (exact below 2^24). */
export function axisIndex(graph: GraphBuilder, like: Value, axis: number): Value {
  const size = graph.op('Shape', [like], { start: { int: axis }, end: { int: axis + 1 } });
  const range = graph.op('Range', [graph.ints([0], []), graph.op('Squeeze', [size]), graph.ints([1], [])]);
  return graph.op('Cast', [range], { to: { int: 1 } });
}

/** [batch, rows] int64 -> [batch * rows] */
export function flatIds(graph: GraphBuilder, tokenIds: Value): Value {
  return graph.op('Reshape', [tokenIds, graph.ints([-1])]);
}

/** Keys or values by head: [batch, rows, kv_heads * head_dim] -> [batch, kv_heads, rows, head_dim]. */
export function byHead({ graph }: GraphContext, { kvHeads }: Heads, x: Value): Value {
  if (kvHeads === 1) return graph.op('Unsqueeze', [x, graph.ints([1])]);
  return graph.op('Transpose', [graph.op('Reshape', [x, graph.ints([0, 0, kvHeads, -1])])], { perm: SWAP_ROWS });
}

/** [batch, rows, heads, ...] and [batch, heads, rows, ...]. */
export const SWAP_ROWS = [0, 2, 1, 3];
