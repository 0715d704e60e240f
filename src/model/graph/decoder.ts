/**
 * The decoder's graphs. Its attention is one softmax over [own keys ; keys of encoder states]; encoder keys carry no position and
 * no window, so a hidden encoder row may as well not be there.
 *
 * `score`  one pass over known tokens. Inputs `token_ids` [batch, rows] int64, right-padded; `states` [batch, state_rows, hidden];
 *          `visible` [batch, state_rows] bool; `scored` [n] int64, flat indices into batch * rows; `targets` [n] int64. Output
 *          `nll` [n].
 * `cross`  keys and values of encoder states, once per document. Input `states`; outputs `cross_keys.<layer>` and
 *          `cross_values.<layer>` [batch, state_rows, kv_heads * head_dim].
 * `step`   generation: some tokens after others already seen. Inputs `token_ids`, `positions` [batch, rows] int64 (-1 for padding);
 *          `past_positions` [batch, past] int64 (-1 for padding); `last` [batch] int64, flat indices of the rows that speak;
 *          `visible`; `cross_*`; `past_keys.<layer>`, `past_values.<layer>` [batch, past, kv_heads * head_dim]. Outputs `logits`
 *          [batch, vocabulary]; `log_sum` (their logsumexp), `best` int64 (the token of the largest) and `best_logit` [batch];
 *          `keys.<layer>`, `values.<layer>` [batch, past + rows, ...], past and new.
 */
import type { LayerType } from '../config.js';
import type { Value } from './builder.js';
import { nextToken, tokenNlls } from './head.js';
import {
  attend,
  axisIndex,
  embedTokens,
  type GraphContext,
  type KeysValues,
  layerBlock,
  projectAttended,
  projectRows,
  projectStates,
  rmsNorm,
  rotary,
  rowShape,
  type StackContext,
  stackContext,
} from './layers.js';

export function buildScore(model: GraphContext): void {
  const { graph, config } = model;
  const context = stackContext(model, 'decoder');
  const tokenIds = graph.input('token_ids', 'int64', ['batch', 'rows']);
  const states = graph.input('states', 'float32', ['batch', 'state_rows', config.hiddenSize]);
  const visible = graph.input('visible', 'bool', ['batch', 'state_rows']);
  const scored = graph.input('scored', 'int64', ['n']);
  const targets = graph.input('targets', 'int64', ['n']);

  const index = graph.op('Unsqueeze', [axisIndex(graph, tokenIds, 1), graph.ints([0])]);
  const stateShape = rowShape(graph, states);
  const flatStates = graph.op('Reshape', [states, graph.ints([-1, config.hiddenSize])]);
  const hidden = decoderLayers(context, {
    tokenIds,
    positions: graph.op('Cast', [index], { to: { int: 7 } }),
    mask: mergedMasks(context, index, index, visible),
    keysAndValues: (layer, own) => join(context, own, projectStates(context, flatStates, layer, stateShape)),
  });
  const rows = graph.op('Gather', [hidden, scored]);
  graph.output('nll', tokenNlls(context, rows, targets), 'float32', ['n']);
}

export function buildCross(model: GraphContext): void {
  const { graph, config } = model;
  const context = stackContext(model, 'decoder');
  const states = graph.input('states', 'float32', ['batch', 'state_rows', config.hiddenSize]);
  const shape = rowShape(graph, states);
  const flatStates = graph.op('Reshape', [states, graph.ints([-1, config.hiddenSize])]);
  const dimensions = ['batch', 'state_rows', keyWidth(context)];
  for (const layer of context.stack.layerTypes.keys()) {
    const { keys, values } = projectStates(context, flatStates, layer, shape);
    graph.output(`cross_keys.${layer}`, keys, 'float32', dimensions);
    graph.output(`cross_values.${layer}`, values, 'float32', dimensions);
  }
}

export function buildStep(model: GraphContext): void {
  const { graph, config } = model;
  const context = stackContext(model, 'decoder');
  const tokenIds = graph.input('token_ids', 'int64', ['batch', 'rows']);
  const positions = graph.input('positions', 'int64', ['batch', 'rows']);
  const pastPositions = graph.input('past_positions', 'int64', ['batch', 'past']);
  const visible = graph.input('visible', 'bool', ['batch', 'state_rows']);
  const last = graph.input('last', 'int64', ['batch']);
  const width = keyWidth(context);

  const asFloat = (x: Value) => graph.op('Cast', [x], { to: { int: 1 } });
  const keyPositions = asFloat(graph.op('Concat', [pastPositions, positions], { axis: { int: 1 } }));
  const hidden = decoderLayers(context, {
    tokenIds,
    positions,
    mask: mergedMasks(context, asFloat(positions), keyPositions, visible),
    keysAndValues: (layer, own) => {
      const pair = (kind: string, rows: string): KeysValues => ({
        keys: graph.input(`${kind}_keys.${layer}`, 'float32', ['batch', rows, width]),
        values: graph.input(`${kind}_values.${layer}`, 'float32', ['batch', rows, width]),
      });
      const seen = join(context, pair('past', 'past'), own);
      graph.output(`keys.${layer}`, seen.keys, 'float32', ['batch', 'seen', width]);
      graph.output(`values.${layer}`, seen.values, 'float32', ['batch', 'seen', width]);
      return join(context, seen, pair('cross', 'state_rows'));
    },
  });
  const speaking = graph.op('Gather', [hidden, last]);
  const { logits, logSum, best, bestLogit } = nextToken(context, speaking);
  graph.output('logits', logits, 'float32', ['batch', config.vocabularySize]);
  graph.output('log_sum', logSum, 'float32', ['batch']);
  graph.output('best', best, 'int64', ['batch']);
  graph.output('best_logit', bestLogit, 'float32', ['batch']);
}

interface DecoderInputs {
  readonly tokenIds: Value;
  /** [batch | 1, rows] int64 */
  readonly positions: Value;
  readonly mask: (type: LayerType) => Value;
  /** All keys and values a layer attends to, given those of its own rows. */
  readonly keysAndValues: (layer: number, own: KeysValues) => KeysValues;
}

/** @returns [batch * rows, hidden], after the final norm */
function decoderLayers(context: StackContext, { tokenIds, positions, mask, keysAndValues }: DecoderInputs): Value {
  const { graph } = context;
  const shape = rowShape(graph, tokenIds);
  const everyRow = graph.op('Expand', [positions, graph.op('Shape', [tokenIds])]);
  const rotate = rotary(context, everyRow);
  let hidden = embedTokens(context, tokenIds);
  for (const [layer, type] of context.stack.layerTypes.entries()) {
    graph.scope(`decoder.${layer}`, () => {
      hidden = layerBlock(context, hidden, layer, (x) => {
        const { queries, ...own } = projectRows(context, x, layer, shape, rotate);
        const { attended } = attend(context, queries, keysAndValues(layer, own), mask(type));
        return projectAttended(context, layer, attended);
      });
    });
  }
  return rmsNorm(context, hidden, 'decoder.norm.weight');
}

/**
 * Which own key and which encoder row a decoder row may see: [batch, 1, rows, keys + state_rows] bool.
 * Own keys: not padding, not later than the row, and in sliding layers less than the window before it.
 * @param rowPositions [batch | 1, rows] float32
 * @param keyPositions [batch | 1, keys] float32, negative for padding
 */
function mergedMasks(
  { graph, stack }: StackContext,
  rowPositions: Value,
  keyPositions: Value,
  visible: Value,
): (type: LayerType) => Value {
  const row = graph.op('Unsqueeze', [rowPositions, graph.ints([1, 3])]);
  const key = graph.op('Unsqueeze', [keyPositions, graph.ints([1, 2])]);
  const causal = graph.op('And', [
    graph.op('LessOrEqual', [key, row]),
    graph.op('GreaterOrEqual', [key, graph.floats([0])]),
  ]);
  const cross = graph.op('Unsqueeze', [visible, graph.ints([1, 2])]);
  const size = (x: Value, axis: number) => graph.op('Shape', [x], { start: { int: axis }, end: { int: axis + 1 } });
  const batch = size(visible, 0);
  const rows = size(rowPositions, 1);
  const widen = (x: Value, columns: Value) =>
    graph.op('Expand', [x, graph.op('Concat', [batch, graph.ints([1]), rows, columns], { axis: { int: 0 } })]);
  const masks = new Map<LayerType, Value>();
  return (type) => {
    let mask = masks.get(type);
    if (!mask) {
      let own = causal;
      if (type === 'sliding_attention') {
        const reach = graph.op('Sub', [row, graph.floats([stack.slidingWindow])]);
        own = graph.op('And', [causal, graph.op('Greater', [key, reach])]);
      }
      const parts = [widen(own, size(keyPositions, 1)), widen(cross, size(visible, 1))];
      mask = graph.op('Concat', parts, { axis: { int: 3 } });
      masks.set(type, mask);
    }
    return mask;
  };
}

function join({ graph }: StackContext, first: KeysValues, second: KeysValues): KeysValues {
  const concat = (a: Value, b: Value) => graph.op('Concat', [a, b], { axis: { int: 1 } });
  return { keys: concat(first.keys, second.keys), values: concat(first.values, second.values) };
}

function keyWidth({ stack }: StackContext): number {
  return stack.kvHeads * stack.headDim;
}
