/**
 * The encoder's graph: token ids, positions and masks in, states out.
 *
 * Inputs  `token_ids` and `positions` [batch, rows], int64 on the CPU and int32 on other devices; `row_mask` [batch, rows] bool, false for padding;
 *         `pair_mask` [batch | 1, rows | 1, rows | 1] bool, which row (second axis) may see which (third), ANDed with padding and
 *         window inside.
 * Outputs `states` [batch, rows, hidden]; on CUDA `states_float16`, the same rounded to float16; for probed layers
 *         `hidden.<layer>` [batch, rows, hidden], the layer's output before the final norm, and `attention.<layer>`
 *         [batch, heads, rows, rows].
 */
import type { EncoderInputs, GraphModel, Stack } from './blocks.js';
import type { Value } from './builder.js';
import { axisIndex, type GraphContext, rowShape } from './context.js';
import { firstRows, hiddenInput, outputHidden } from './parts.js';
import { indexType } from './target.js';

/** Layers whose output and attention become outputs of the graph. */
export interface EncoderProbe {
  readonly hiddenLayers: readonly number[];
  readonly attentionLayers: readonly number[];
}

/** Output of states as they are stored in 16 bits: half of what has to leave the device. */
export const STATES_FLOAT16 = 'states_float16';

const NO_PROBE: EncoderProbe = { hiddenLayers: [], attentionLayers: [] };

export function buildEncoder(model: GraphModel, probe = NO_PROBE): void {
  const { graph, blocks } = model;
  const inputs = encoderInputs(model, probe.attentionLayers);
  const stack = blocks.encoder(inputs);
  const embedded = firstRows(stack, stack.embed());
  const step = stack.start();
  const { layers, width } = blocks.encoderShape;
  let hidden = embedded;
  for (let layer = 0; layer < layers; layer++) {
    graph.scope(`encoder.${layer}`, () => {
      hidden = step(hidden, layer);
    });
    if (probe.hiddenLayers.includes(layer)) {
      const rows = graph.op('Reshape', [hidden, inputs.shape]);
      graph.output(`hidden.${layer}`, rows, 'float32', ['batch', 'rows', width]);
    }
  }
  const states = outputStates(model, stack, hidden, inputs.shape);
  if (model.target.device !== 'cuda' || probe !== NO_PROBE) return;
  graph.output(STATES_FLOAT16, graph.cast(states, 'float16'), 'float16', ['batch', 'rows', width]);
}

/**
 * One layer by itself. Inputs as above and `hidden` [batch, rows, hidden], of the first layer the rows of tokens; output `hidden_out`, or of the last layer `states`, after what
 * follows the layers.
 */
export function buildEncoderLayer(model: GraphModel, layer: number): void {
  const { graph, blocks } = model;
  const inputs = encoderInputs(model, []);
  const stack = blocks.encoder(inputs);
  const rows = hiddenInput(graph, blocks.encoderShape.width);
  const before = layer === 0 ? firstRows(stack, rows) : rows;
  const step = stack.start();
  const hidden = graph.scope(`encoder.${layer}`, () => step(before, layer));
  if (layer < blocks.encoderShape.layers - 1) outputHidden(graph, hidden, inputs.shape, blocks.encoderShape.width);
  else outputStates(model, stack, hidden, inputs.shape);
}

function encoderInputs({ graph, blocks, target }: GraphModel, probed: readonly number[]): EncoderInputs {
  const { type } = indexType(target);
  const tokenIds = graph.input('token_ids', type, ['batch', 'rows']);
  const positions = graph.input('positions', type, ['batch', 'rows']);
  return {
    tokenIds,
    positions,
    rowMask: graph.input('row_mask', 'bool', ['batch', 'rows']),
    pairMask: graph.input('pair_mask', 'bool', ['pair_batch', 'pair_queries', 'pair_keys']),
    shape: rowShape(graph, tokenIds),
    probed,
    see: (layer, probabilities) => {
      const dimensions = ['batch', blocks.encoderShape.heads, 'rows', 'rows'];
      graph.output(`attention.${layer}`, probabilities, 'float32', dimensions);
    },
  };
}

/** @param hidden the last layer's output */
function outputStates({ graph, blocks }: GraphModel, stack: Stack, hidden: Value, shape: Value): Value {
  const states = graph.op('Reshape', [stack.end(hidden), shape]);
  graph.output('states', states, 'float32', ['batch', 'rows', blocks.encoderShape.width]);
  return states;
}

/** Who may see whom: rows that are no padding, of pairs that are not forbidden. @returns [batch, 1, rows | 1, rows] bool */
export function visiblePairs({ graph }: Pick<GraphModel, 'graph'>, { rowMask, pairMask }: EncoderInputs): Value {
  return graph.both(
    graph.op('Unsqueeze', [rowMask, graph.ints([1, 2])]),
    graph.op('Unsqueeze', [pairMask, graph.ints([1])]),
  );
}

/**
 * The same with a row for each that looks, though all may be alike: the runtime's attention wants it so.
 * @param indices of the rows
 * @returns [batch, 1, rows, rows] bool
 */
export function visibleToEach(
  { graph }: Pick<GraphModel, 'graph'>,
  { query, key }: ReturnType<typeof rowIndices>,
  visible: Value,
): Value {
  return graph.both(graph.op('GreaterOrEqual', [graph.op('Add', [query, key]), graph.floats([0])]), visible);
}

/** The place of each row, as one of those that look (`query`, [rows, 1]) and that are looked at (`key`, [1, rows]); float32. */
export function rowIndices(context: GraphContext, { tokenIds }: EncoderInputs) {
  const { graph } = context;
  const index = axisIndex(context, tokenIds, 1);
  const query = graph.op('Unsqueeze', [index, graph.ints([1])]);
  const key = graph.op('Unsqueeze', [index, graph.ints([0])]);
  return { query, key };
}
