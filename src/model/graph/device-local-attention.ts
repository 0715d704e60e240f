/**
 * Attention of the encoder's sliding layers for devices that are no CPU: in blocks as local-attention.ts has it, but with no choice in the graph. A short
 * input, or one with a mask of pairs, is one block of all its rows with nothing on either side. The rows of a block, and those that it can see, are
 * gathered by numbers that follow from sizes alone.
 */
import type { Value } from './builder.js';
import { countTo, eachOf, type GraphContext, type Heads, type KeysValues, sizeOf } from './context.js';
import { attendOnDevice, deviceMask } from './device-attention.js';
import { blockRows, inWindow, type MaskedRows } from './window.js';

/**
 * @param window of the sliding layers, in rows
 * @returns from queries [batch, rows, heads * head_dim] and their own keys and values to what they attend to, of the queries' shape
 */
export function localAttentionOnDevice(
  context: GraphContext,
  heads: Heads,
  window: number,
  { tokenIds, rowMask, pairMask }: MaskedRows,
): (queries: Value, own: KeysValues) => Value {
  const { graph } = context;
  const longest = blockRows(window);
  const [one, zero] = [graph.ints([1]), graph.ints([0])];
  const add = (a: Value, b: Value) => graph.op('Add', [a, b]);
  const sub = (a: Value, b: Value) => graph.op('Sub', [a, b]);
  const mul = (a: Value, b: Value) => graph.op('Mul', [a, b]);
  const divided = (a: Value, b: Value) => graph.op('Div', [a, b]);
  const single = (x: Value) => graph.op('Squeeze', [x]);
  const upTo = (size: Value) => graph.op('Range', [graph.ints([0], []), single(size), graph.ints([1], [])]);
  const join = (...parts: readonly Value[]) => graph.op('Concat', parts, { axis: { int: 0 } });
  const within = (x: Value, last: Value) => graph.op('Max', [graph.op('Min', [x, last]), zero]);

  const [batch, rows] = [sizeOf(graph, tokenIds, 0), sizeOf(graph, tokenIds, 1)];
  const pairs = [0, 1, 2].map((axis) => sizeOf(graph, pairMask, axis)).reduce(mul);
  // 1 or 0: what is divided by more than itself leaves nothing.
  const isLong = graph.op('Min', [divided(rows, graph.ints([longest.span + 1])), one]);
  const inBlocks = mul(isLong, divided(one, pairs));
  const block = add(rows, mul(inBlocks, sub(graph.ints([longest.block]), rows)));
  const reach = mul(inBlocks, graph.ints([longest.reach]));
  const blocks = divided(add(rows, sub(block, one)), block);
  const span = add(block, add(reach, reach));
  const starts = graph.op('Unsqueeze', [sub(mul(upTo(blocks), block), reach), one]);
  const flat = graph.op('Reshape', [add(starts, upTo(span)), graph.ints([-1])]);
  const last = sub(rows, one);
  const ofBlocks = within(upTo(mul(blocks, block)), last);
  const ofSpans = within(flat, last);
  // One more on either side, which nobody sees.
  const ofMask = within(add(flat, one), add(rows, one));

  const ALONG_ROWS = { axis: { int: 1 } };
  const beyond = graph.op('Expand', [graph.floats([0], []), join(batch, one)]);
  const real = graph.op('Concat', [beyond, graph.op('Cast', [rowMask], { to: { int: 1 } }), beyond], ALONG_ROWS);
  const near = graph.op('Cast', [graph.op('Gather', [real, ofMask], ALONG_ROWS)], { to: { int: 9 } });
  const place = countTo(graph, span);
  const query = graph.op('Unsqueeze', [countTo(graph, block), one]);
  const key = graph.op('Unsqueeze', [graph.op('Sub', [place, graph.op('Gather', [place, reach])]), zero]);
  const allowed = graph.both(
    graph.op('Reshape', [near, join(graph.ints([-1, 1, 1]), span)]),
    graph.op('Unsqueeze', [pairMask, one]),
  );
  const mask = deviceMask(context, heads, graph.both(inWindow(graph, window, query, key), allowed));

  const pieces = (x: Value, numbers: Value, size: Value, width: number) =>
    graph.op('Reshape', [
      graph.op('Gather', [x, numbers], ALONG_ROWS),
      join(graph.ints([-1]), size, graph.ints([width])),
    ]);
  const width = heads.heads * heads.headDim;
  const whole = join(batch, graph.ints([-1, width]));
  return (queries, own) => {
    const seen = eachOf(own, (x) => pieces(x, ofSpans, span, heads.kvHeads * heads.headDim));
    const attended = attendOnDevice(context, heads, pieces(queries, ofBlocks, block, width), seen, mask);
    return graph.op('Slice', [graph.op('Reshape', [attended, whole]), zero, rows, one]);
  };
}
