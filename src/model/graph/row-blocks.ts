/**
 * Attention under a bias of rows and keys. Long inputs attend in blocks of rows, one after the other: of all scores that a layer makes, only those of a
 * block are there at a time. The bias, which all layers share, is made in the same blocks. Short inputs attend with all rows at once; the number of
 * rows decides, padding included, and not who else is in the batch. Devices that are no CPU attend with all rows at once: they have the bandwidth for it, and the
 * batch is bounded by what scores take.
 */
import { attend, attendByHead } from './attention.js';
import type { Value } from './builder.js';
import { byHead, eachOf, type GraphContext, type Heads, type KeysValues } from './context.js';
import { isForCpu } from './target.js';

/** The most rows of a block, and of a short input. Smaller ones would make matrix products small; larger ones leave the processor's caches. */
const MOST_ROWS = 256;

export interface BiasedRows {
  /** The rows' positions, [batch, rows] float32. */
  readonly positions: Value;
  /** The mask of pairs, [batch, rows | 1, rows] bool: which row (second axis) may see which (third). */
  readonly seen: Value;
  /** The shape to reshape to, int64 [3]: batch, rows, -1. */
  readonly shape: Value;
  /**
   * The bias of some rows.
   * @param positions [batch, n] float32 @param seen [batch, n | 1, rows] bool
   * @returns [batch, heads, n, rows] float32
   */
  readonly biasOf: (positions: Value, seen: Value) => Value;
}

/**
 * Makes the bias, once for all layers.
 * @returns from queries [batch, rows, heads * head_dim] and the rows' keys and values to what is attended to, of the queries' shape
 */
export function biasedAttention(
  context: GraphContext,
  heads: Heads,
  { positions, seen, shape, biasOf }: BiasedRows,
): (queries: Value, own: KeysValues) => Value {
  const { graph, target } = context;
  if (!isForCpu(target)) {
    const whole = biasOf(positions, seen);
    return (queries, own) => attend(context, heads, queries, own, whole).attended;
  }
  const join = (...parts: readonly Value[]) => graph.op('Concat', parts, { axis: { int: 0 } });
  const size = (axis: number) => graph.op('Slice', [shape, graph.ints([axis]), graph.ints([axis + 1])]);
  const [batch, rows] = [size(0), size(1)];
  const dividedUp = (x: Value, by: Value) =>
    graph.op('Div', [graph.op('Sub', [graph.op('Add', [x, by]), graph.ints([1])]), by]);
  const isLong = graph.op('Squeeze', [graph.op('Greater', [rows, graph.ints([MOST_ROWS])])]);
  const blocks = dividedUp(rows, graph.ints([MOST_ROWS]));
  const block = dividedUp(rows, blocks);
  const missing = graph.op('Sub', [graph.op('Mul', [blocks, block]), rows]);
  /**
   * Cuts rows into blocks: [batch, rows, ...] -> [batch, blocks, block, ...rest].
   * @param more how many axes there are behind the rows
   */
  const cut = (x: Value, more: number, rest: readonly Value[]) => {
    const none = Array.from({ length: more }, () => 0);
    const behind = [graph.ints([0, 0, ...none, 0]), missing, ...(more > 0 ? [graph.ints(none)] : [])];
    return graph.op('Reshape', [graph.op('Pad', [x, join(...behind)]), join(batch, blocks, block, ...rest)]);
  };

  const biasOfBlocks = () => {
    const pairs = cut(graph.op('Expand', [seen, join(batch, rows, rows)]), 1, [rows]);
    return graph.scan(
      [
        { value: graph.op('Transpose', [cut(positions, 0, [])], { perm: [1, 0, 2] }), type: 'float32' },
        { value: graph.op('Transpose', [pairs], { perm: [1, 0, 2, 3] }), type: 'bool' },
      ],
      ([own, visible]) => biasOf(own!, visible!),
    );
  };
  // [blocks, batch, heads, block, rows], or [batch, heads, rows, rows]
  const bias = graph.choose(isLong, 'float32', biasOfBlocks, () => biasOf(positions, seen));

  const attendInBlocks = (queries: Value, own: KeysValues) => {
    const seenByHead = eachOf(own, (x) => byHead(context, heads, x));
    const byRow = cut(queries, 1, [graph.ints([heads.heads, heads.headDim])]);
    const attended = graph.scan(
      [
        { value: graph.op('Transpose', [byRow], { perm: BLOCKS_FIRST }), type: 'float32' },
        { value: bias, type: 'float32' },
      ],
      ([some, mask]) => attendByHead(context, heads, some!, seenByHead, mask!),
    );
    const rowsFirst = graph.op('Transpose', [attended], { perm: BLOCKS_FIRST });
    const whole = graph.op('Reshape', [rowsFirst, join(batch, graph.ints([-1, heads.heads * heads.headDim]))]);
    return graph.op('Slice', [whole, graph.ints([0]), rows, graph.ints([1])]);
  };
  return (queries, own) =>
    graph.choose(
      isLong,
      'float32',
      () => attendInBlocks(queries, own),
      () => attend(context, heads, queries, own, bias).attended,
    );
}

/** The permutation between [batch, blocks, block, heads, head_dim] and [blocks, batch, heads, block, head_dim]. */
const BLOCKS_FIRST = [1, 0, 3, 2, 4];
