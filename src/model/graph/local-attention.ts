/**
 * Attention of the encoder's sliding layers. Long inputs are cut into blocks of rows, each with the keys that its windows reach and no others:
 * the work then grows with the length and not with its square. Short ones, and those with a mask of pairs, attend to all keys at once.
 */

import { attend } from './attention.js';
import type { Value } from './builder.js';
import type { GraphContext, Heads, KeysValues } from './context.js';
import { localAttentionOnDevice } from './device-local-attention.js';
import { isForCpu } from './target.js';
import { blockRows, inWindow, type MaskedRows } from './window.js';

/**
 * @param window of the sliding layers, in rows
 * @param dense the sliding layers' mask for all keys, [batch, 1, rows, rows] bool
 * @returns from queries [batch, rows, heads * head_dim] and their own keys and values to what they attend to, of the queries' shape
 */
export function localAttention(
  context: GraphContext,
  heads: Heads,
  window: number,
  { tokenIds, rowMask, pairMask }: MaskedRows,
  dense: Value,
): (queries: Value, own: KeysValues) => Value {
  if (!isForCpu(context.target)) return localAttentionOnDevice(context, heads, window, { tokenIds, rowMask, pairMask });
  const { graph } = context;
  const { reach, block, span } = blockRows(window);
  const one = graph.ints([1]);

  const rows = graph.op('Shape', [tokenIds], { start: { int: 1 }, end: { int: 2 } });
  const isLong = graph.op('Greater', [rows, graph.ints([span])]);
  const anyPair = graph.op('Equal', [graph.op('Size', [pairMask]), graph.ints([1], [])]);
  const inBlocks = graph.both(graph.op('Squeeze', [isLong]), anyPair);

  const up = graph.op('Div', [graph.op('Add', [rows, graph.ints([block - 1])]), graph.ints([block])]);
  const whole = graph.op('Mul', [up, graph.ints([block])]);
  const missing = graph.op('Sub', [whole, rows]);
  const batch = graph.op('Shape', [tokenIds], { start: { int: 0 }, end: { int: 1 } });
  const joined = graph.op('Concat', [batch, whole, graph.ints([-1])], AXIS_0);
  const pad = (x: Value, before: number, after: Value) =>
    graph.op('Pad', [x, graph.op('Concat', [graph.ints([0, before, 0, 0]), after, graph.ints([0])], AXIS_0)]);
  const slice = (x: Value, start: number, end: Value) => graph.op('Slice', [x, graph.ints([start]), end, one]);
  const cut = (x: Value, width: number) => graph.op('Reshape', [x, graph.ints([-1, block, width])]);
  /** Cuts [batch, rows, width] into [batch * blocks, span, width]: each block with the rows within its reach. */
  const spans = (x: Value, width: number) => {
    const wide = pad(x, reach, graph.op('Add', [missing, graph.ints([block])]));
    const from = (start: number) => cut(slice(wide, start, graph.op('Add', [whole, graph.ints([start])])), width);
    const first = (blocks: Value) => slice(blocks, 0, graph.ints([reach]));
    return graph.op('Concat', [first(from(0)), from(reach), first(from(reach + block))], { axis: { int: 1 } });
  };

  const blockMask = () => {
    const real = spans(graph.op('Unsqueeze', [rowMask, graph.ints([2])]), 1);
    const query = graph.floats(
      Float32Array.from({ length: block }, (_, i) => i),
      [block, 1],
    );
    const key = graph.floats(
      Float32Array.from({ length: span }, (_, i) => i - reach),
      [1, span],
    );
    return graph.both(inWindow(graph, window, query, key), graph.op('Reshape', [real, graph.ints([-1, 1, 1, span])]));
  };
  const mask = graph.choose(inBlocks, 'bool', blockMask, () => graph.op('Identity', [dense]));
  const keyWidth = heads.kvHeads * heads.headDim;
  return (queries, own) =>
    graph.choose(
      inBlocks,
      'float32',
      () => {
        const near = { keys: spans(own.keys, keyWidth), values: spans(own.values, keyWidth) };
        const blocks = cut(pad(queries, 0, missing), heads.heads * heads.headDim);
        const { attended } = attend(context, heads, blocks, near, mask);
        return slice(graph.op('Reshape', [attended, joined]), 0, rows);
      },
      () => attend(context, heads, queries, own, dense).attended,
    );
}

const AXIS_0 = { axis: { int: 0 } };
