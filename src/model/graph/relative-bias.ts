/**
 * Relative positions as T5 has them: what is added to a score follows from the distance between key and row, near distances each by themselves and far
 * ones in buckets that grow with the logarithm, up to one for all beyond.
 */
import type { Value } from './builder.js';
import { type GraphContext, MASKED } from './context.js';
import { indexType } from './target.js';

export interface Buckets {
  readonly count: number;
  /** The distance from which all keys share the last bucket. */
  readonly maxDistance: number;
  /** True in the encoder, where keys behind the row have buckets of their own. The decoder has none for keys that it cannot see. */
  readonly bothWays: boolean;
}

/**
 * The bucket of a distance (key minus row), after `_relative_position_bucket` of transformers' `modeling_t5.py`. Every step is rounded to float32, as
 * torch does it: where a distance is a power of the step from bucket to bucket, float64 would land on the other side.
 */
export function bucketOf(distance: number, { count, maxDistance, bothWays }: Buckets): number {
  const own = bothWays ? count / 2 : count;
  const before = bothWays && distance > 0 ? own : 0;
  const far = bothWays ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = Math.floor(own / 2);
  if (far < exact) return before + far;
  const { fround, log, trunc } = Math;
  const steps = fround(fround(log(fround(far / exact))) / fround(log(maxDistance / exact)));
  const logarithmic = exact + trunc(fround(steps * (own - exact)));
  return before + Math.min(own - 1, logarithmic);
}

/**
 * What is added to scores: the bias of every row and key, MASKED where a row may not see the key. Made once and read by all layers of a side.
 * @param table name of the weights [buckets, heads]
 * @param rowPositions [batch | 1, rows] float32
 * @param keyPositions [batch | 1, keys] float32
 * @param seen [batch | 1, rows | 1, keys] bool
 * @returns [batch | 1, heads, rows, keys] float32
 */
export function relativeBias(
  { graph, layout, target }: GraphContext,
  table: string,
  buckets: Buckets,
  rowPositions: Value,
  keyPositions: Value,
  seen: Value,
): Value {
  const { maxDistance } = buckets;
  const distances = Array.from({ length: 2 * maxDistance + 1 }, (_, i) => i - maxDistance);
  const weights = layout.plain(graph, table);
  const ofDistance = graph.op('Gather', [
    weights,
    graph.ints(distances.map((distance) => bucketOf(distance, buckets))),
  ]);
  const hidden = graph.op('Add', [graph.op('Gather', [weights, graph.ints([0])]), graph.floats([MASKED])]);
  // What is hidden has a row of the table, too: a mask that is added afterwards would be another pass over as many numbers as there are scores.
  const rows = graph.op('Concat', [ofDistance, hidden], { axis: { int: 0 } });
  const row = graph.op('Unsqueeze', [rowPositions, graph.ints([2])]);
  const key = graph.op('Unsqueeze', [keyPositions, graph.ints([1])]);
  const near = graph.op('Clip', [
    graph.op('Sub', [key, row]),
    graph.floats([-maxDistance], []),
    graph.floats([maxDistance], []),
  ]);
  const place = graph.op('Where', [
    seen,
    graph.op('Add', [near, graph.floats([maxDistance], [])]),
    graph.floats([distances.length], []),
  ]);
  // Gathered as [batch, rows, keys, heads]: along the first axis, which takes a third of the time of the second.
  const gathered = graph.op('Gather', [rows, graph.op('Cast', [place], { to: indexType(target).to })]);
  return graph.op('Transpose', [gathered], { perm: [0, 3, 1, 2] });
}
