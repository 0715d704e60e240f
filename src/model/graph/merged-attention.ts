/**
 * The decoder's attention: one softmax over [own rows ; encoder rows]. The two are multiplied apart and only their scores are joined, so that
 * keys and values of encoder states, which are many and stay the same while a text is written, are read where they lie.
 */
import { scoresOf, weightedValues } from './attention-products.js';
import type { Value } from './builder.js';
import { byHead, type GraphContext, type Heads, type KeysValues, MASKED, SWAP_ROWS } from './context.js';
import { isForCpu } from './target.js';

export interface MergedMask {
  /**
   * The mask of layers with a window, or without one (null): what is added to scores, 0 or MASKED, [batch, 1, rows * group, own + state_rows]
   * float32.
   */
  readonly of: (window: number | null) => Value;
  /** The numbers of own keys and of encoder rows, int64 [2]. */
  readonly lengths: Value;
}

/**
 * Own keys: not padding, not later than the row, and in layers with a window less than that before it. Encoder rows: those that are visible.
 * @param rowPositions [batch | 1, rows] float32
 * @param keyPositions [batch | 1, own] float32, negative for padding
 * @param visible [batch, state_rows] bool
 */
export function mergedMask(
  { graph, target }: GraphContext,
  { heads, kvHeads }: Heads,
  rowPositions: Value,
  keyPositions: Value,
  visible: Value,
): MergedMask {
  const join = (parts: readonly Value[], axis: number) => graph.op('Concat', parts, { axis: { int: axis } });
  const size = (x: Value, axis: number) => graph.op('Shape', [x], { start: { int: axis }, end: { int: axis + 1 } });
  // Heads that share keys see the same.
  const group = graph.ints([1, 1, heads / kvHeads]);
  const ofHeads = graph.op('Expand', [graph.op('Unsqueeze', [rowPositions, graph.ints([2])]), group]);
  const queryPositions = graph.op('Reshape', [ofHeads, graph.ints([0, -1])]);
  const query = graph.op('Unsqueeze', [queryPositions, graph.ints([1, 3])]);
  const key = graph.op('Unsqueeze', [keyPositions, graph.ints([1, 2])]);
  const causal = graph.both(
    graph.op('LessOrEqual', [key, query]),
    graph.op('GreaterOrEqual', [key, graph.floats([0])]),
  );
  const shown = graph.op('Unsqueeze', [visible, graph.ints([1, 2])]);
  const [own, rows] = [size(keyPositions, 1), size(visible, 1)];
  const widen = (x: Value, columns: Value) => {
    const shape = [size(visible, 0), graph.ints([1]), size(queryPositions, 1), columns];
    return graph.op('Expand', [x, join(shape, 0)]);
  };
  const within = (window: number) => graph.op('Greater', [key, graph.op('Sub', [query, graph.floats([window])])]);
  const masks = new Map<number | null, Value>();
  return {
    of(window) {
      const known = masks.get(window);
      if (known) return known;
      const seen = window === null ? causal : graph.both(causal, within(window));
      const added = (x: Value) => graph.op('Where', [x, graph.floats([0], []), graph.floats([MASKED], [])]);
      const parts = [widen(seen, own), widen(shown, rows)];
      // No other device joins bools.
      const mask = isForCpu(target) ? added(join(parts, 3)) : join(parts.map(added), 3);
      masks.set(window, mask);
      return mask;
    },
    lengths: join([own, rows], 0),
  };
}

/**
 * @param queries [batch, rows, heads * head_dim]
 * @param own and `cross` by head
 * @returns [batch, rows, heads * head_dim], or the same in another shape
 */
export function attendMerged(
  context: GraphContext,
  shape: Heads,
  queries: Value,
  own: KeysValues,
  cross: KeysValues,
  mask: Value,
  lengths: Value,
): Value {
  const { graph } = context;
  const { kvHeads, headDim } = shape;
  // The heads that share keys are further rows of one product.
  const grouped = kvHeads === 1 ? queries : byHead(context, shape, queries);
  const rows = graph.op('Reshape', [grouped, graph.ints([0, kvHeads, -1, headDim])]);
  const scores = [own, cross].map(({ keys }) => scoresOf(context, rows, keys, shape.scale));
  const joined = graph.op('Add', [graph.op('Concat', scores, LAST_AXIS), mask]);
  const weights = graph.opWithOutputs('Split', [graph.op('Softmax', [joined]), lengths], LAST_AXIS, [true, true]);
  const [ofOwn, ofCross] = [own, cross].map(({ values }, i) => weightedValues(context, weights[i]!, values));
  const attended = graph.op('Add', [ofOwn!, ofCross!]);
  if (kvHeads === 1) return attended;
  const width = (shape.heads / kvHeads) * headDim;
  const byRow = graph.op('Reshape', [attended, graph.ints([0, 0, -1, width])]);
  return graph.op('Transpose', [byRow], { perm: SWAP_ROWS });
}

const LAST_AXIS = { axis: { int: 3 } };
