/**
 * The encoder's graph: token ids, positions and masks in, states out.
 *
 * Inputs  `token_ids` [batch, rows] int64; `positions` [batch, rows] int64; `row_mask` [batch, rows] bool, false for padding;
 *         `pair_mask` [batch | 1, rows | 1, rows | 1] bool, which row (second axis) may see which (third), ANDed with padding and
 *         window inside.
 * Outputs `states` [batch, rows, hidden]; for probed layers `hidden.<layer>` [batch, rows, hidden], the layer's output before
 *         the final norm, and `attention.<layer>` [batch, heads, rows, rows].
 */
import type { LayerType } from '../config.js';
import type { Value } from './builder.js';
import {
  attend,
  axisIndex,
  embedTokens,
  type GraphContext,
  hiddenInput,
  layerBlock,
  outputHidden,
  projectAttended,
  projectRows,
  rmsNorm,
  rotary,
  rowShape,
  type StackContext,
  stackContext,
} from './layers.js';
import { type EncoderInputs, inWindow, localAttention } from './local-attention.js';

/** Layers whose output and attention become outputs of the graph. */
export interface EncoderProbe {
  readonly hiddenLayers: readonly number[];
  readonly attentionLayers: readonly number[];
}

const NO_PROBE: EncoderProbe = { hiddenLayers: [], attentionLayers: [] };

export function buildEncoder(model: GraphContext, probe = NO_PROBE): void {
  const context = stackContext(model, 'encoder');
  const inputs = encoderInputs(context);
  const layers = [...context.stack.layerTypes.keys()];
  const hidden = encoderLayers(context, inputs, embedTokens(context, inputs.tokenIds), layers, probe);
  outputStates(context, hidden, inputs.shape);
}

/**
 * One layer by itself. Inputs as above and `hidden` [batch, rows, hidden]; output `hidden`, or of the last layer `states`, after the final
 * norm.
 */
export function buildEncoderLayer(model: GraphContext, layer: number): void {
  const context = stackContext(model, 'encoder');
  const inputs = encoderInputs(context);
  const hidden = encoderLayers(context, inputs, hiddenInput(context), [layer]);
  if (layer < context.stack.layerTypes.length - 1) outputHidden(context, hidden, inputs.shape);
  else outputStates(context, hidden, inputs.shape);
}

interface Inputs extends EncoderInputs {
  readonly positions: Value;
  /** int64 [3]: batch, rows, -1 */
  readonly shape: Value;
}

function encoderInputs({ graph }: StackContext): Inputs {
  const tokenIds = graph.input('token_ids', 'int64', ['batch', 'rows']);
  const positions = graph.input('positions', 'int64', ['batch', 'rows']);
  return {
    tokenIds,
    positions,
    rowMask: graph.input('row_mask', 'bool', ['batch', 'rows']),
    pairMask: graph.input('pair_mask', 'bool', ['pair_batch', 'pair_queries', 'pair_keys']),
    shape: rowShape(graph, tokenIds),
  };
}

/** @param hidden the last layer's output */
function outputStates(context: StackContext, hidden: Value, shape: Value): void {
  const { graph, config } = context;
  const states = graph.op('Reshape', [rmsNorm(context, hidden, 'encoder.norm.weight'), shape]);
  graph.output('states', states, 'float32', ['batch', 'rows', config.hiddenSize]);
}

/** @param hidden [n, hidden] @returns the same after the layers */
function encoderLayers(
  context: StackContext,
  inputs: Inputs,
  embedded: Value,
  layers: readonly number[],
  probe = NO_PROBE,
): Value {
  const { graph, config } = context;
  const { shape } = inputs;
  const masks = encoderMasks(context, inputs);
  // Who looks at attention wants all of it.
  const local = probe.attentionLayers.length > 0 ? undefined : localAttention(context, inputs, masks.sliding_attention);
  const rotate = rotary(context, inputs.positions);

  let hidden = embedded;
  for (const layer of layers) {
    const type = context.stack.layerTypes[layer]!;
    graph.scope(`encoder.${layer}`, () => {
      hidden = layerBlock(context, hidden, layer, (x) => {
        const { queries, ...own } = projectRows(context, x, layer, shape, rotate);
        const wanted = probe.attentionLayers.includes(layer);
        if (local && type === 'sliding_attention') return projectAttended(context, layer, local(queries, own));
        const { attended, probabilities } = attend(context, queries, own, masks[type], wanted);
        if (wanted) {
          graph.output(`attention.${layer}`, probabilities, 'float32', ['batch', context.stack.heads, 'rows', 'rows']);
        }
        return projectAttended(context, layer, attended);
      });
    });
    if (probe.hiddenLayers.includes(layer)) {
      const rows = graph.op('Reshape', [hidden, shape]);
      graph.output(`hidden.${layer}`, rows, 'float32', ['batch', 'rows', config.hiddenSize]);
    }
  }
  return hidden;
}

/** The mask of each layer type, [batch, 1, rows, rows] bool; made once, shared by the layers of the type. */
function encoderMasks(context: StackContext, { tokenIds, rowMask, pairMask }: EncoderInputs) {
  const { graph } = context;
  const visible = graph.both(
    graph.op('Unsqueeze', [rowMask, graph.ints([1, 2])]),
    graph.op('Unsqueeze', [pairMask, graph.ints([1])]),
  );
  const index = axisIndex(graph, tokenIds, 1);
  const query = graph.op('Unsqueeze', [index, graph.ints([1])]);
  const key = graph.op('Unsqueeze', [index, graph.ints([0])]);
  return {
    sliding_attention: graph.both(inWindow(context, query, key), visible),
    // One row of the mask for each query, though all are alike: the runtime wants it so.
    full_attention: graph.both(graph.op('GreaterOrEqual', [graph.op('Add', [query, key]), graph.floats([0])]), visible),
  } satisfies Record<LayerType, Value>;
}
