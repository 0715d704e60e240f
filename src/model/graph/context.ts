/** What every part of a graph is built with, and the little shapes that all of them use. Parts know no family of models. */
import type { GraphBuilder, Value } from './builder.js';
import type { Layout } from './layout.js';
import { indexType, isForCpu, type Target } from './target.js';

export interface GraphContext {
  readonly graph: GraphBuilder;
  readonly layout: Layout;
  readonly target: Target;
}

export type Side = 'encoder' | 'decoder';

/** The heads of one side's attention. */
export interface Heads {
  readonly heads: number;
  /** The number of heads of keys and values; heads / kvHeads queries share each. */
  readonly kvHeads: number;
  readonly headDim: number;
  /** The factor of scores. */
  readonly scale: number;
}

/**
 * The number that is added to the score of a key that a row may not see. It is finite, since a row that sees nothing, as padding does, would become
 * NaN.
 */
export const MASKED = -1e30;

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

/** int64 [1]: the size of an axis. */
export function sizeOf(graph: GraphBuilder, like: Value, axis: number): Value {
  return graph.op('Shape', [like], { start: { int: axis }, end: { int: axis + 1 } });
}

/** The numbers 0, 1, ... up to the size of an axis, as float32 [size] (exact below 2^24). */
export function axisIndex({ graph, target }: Pick<GraphContext, 'graph' | 'target'>, like: Value, axis: number): Value {
  const size = sizeOf(graph, like, axis);
  if (!isForCpu(target)) return countTo(graph, size);
  const range = graph.op('Range', [graph.ints([0], []), graph.op('Squeeze', [size]), graph.ints([1], [])]);
  return graph.op('Cast', [range], { to: { int: 1 } });
}

/** 0, 1, ... as float32, summed up where the sum is used: no numbers have to be brought there. @param size int64 [1] @returns [size] */
export function countTo(graph: GraphBuilder, size: Value): Value {
  const ones = graph.op('Expand', [graph.floats([1], []), size]);
  return graph.op('CumSum', [ones, graph.ints([0], [])], { exclusive: { int: 1 } });
}

/** A constant of token ids or positions, in the target's index type. */
export function indexConstant(
  { graph, target }: Pick<GraphContext, 'graph' | 'target'>,
  values: readonly number[],
): Value {
  return indexType(target).type === 'int64' ? graph.ints(values) : graph.int32s(values);
}

/** Flattens ids: [batch, rows] -> [batch * rows]. */
export function flatIds(graph: GraphBuilder, tokenIds: Value): Value {
  return graph.op('Reshape', [tokenIds, graph.ints([-1])]);
}

/** Keys or values by head: [batch, rows, kv_heads * head_dim] -> [batch, kv_heads, rows, head_dim]. */
export function byHead({ graph }: GraphContext, { kvHeads }: Heads, x: Value): Value {
  if (kvHeads === 1) return graph.op('Unsqueeze', [x, graph.ints([1])]);
  return graph.op('Transpose', [graph.op('Reshape', [x, graph.ints([0, 0, kvHeads, -1])])], { perm: SWAP_ROWS });
}

/** The permutation between [batch, rows, heads, ...] and [batch, heads, rows, ...]. */
export const SWAP_ROWS = [0, 2, 1, 3];
