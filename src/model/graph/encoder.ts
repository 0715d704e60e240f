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
  layerBlock,
  projectRows,
  rmsNorm,
  rotary,
  rowShape,
  type StackContext,
  stackContext,
} from './layers.js';

/** Layers whose output and attention become outputs of the graph. */
export interface EncoderProbe {
  readonly hiddenLayers: readonly number[];
  readonly attentionLayers: readonly number[];
}

export function buildEncoder(
  model: GraphContext,
  probe: EncoderProbe = { hiddenLayers: [], attentionLayers: [] },
): void {
  const { graph, config } = model;
  const context = stackContext(model, 'encoder');
  const tokenIds = graph.input('token_ids', 'int64', ['batch', 'rows']);
  const positions = graph.input('positions', 'int64', ['batch', 'rows']);
  const mask = encoderMasks(context, tokenIds);
  const shape = rowShape(graph, tokenIds);
  const rotate = rotary(context, positions);

  let hidden = embedTokens(context, tokenIds);
  for (const [layer, type] of context.stack.layerTypes.entries()) {
    graph.scope(`encoder.${layer}`, () => {
      hidden = layerBlock(context, hidden, layer, (x) => {
        const { queries, ...own } = projectRows(context, x, layer, shape, rotate);
        const wanted = probe.attentionLayers.includes(layer);
        const { output, probabilities } = attend(context, layer, queries, own, mask(type), wanted);
        if (wanted) {
          graph.output(`attention.${layer}`, probabilities, 'float32', ['batch', context.stack.heads, 'rows', 'rows']);
        }
        return output;
      });
    });
    if (probe.hiddenLayers.includes(layer)) {
      const rows = graph.op('Reshape', [hidden, shape]);
      graph.output(`hidden.${layer}`, rows, 'float32', ['batch', 'rows', config.hiddenSize]);
    }
  }
  const states = graph.op('Reshape', [rmsNorm(context, hidden, 'encoder.norm.weight'), shape]);
  graph.output('states', states, 'float32', ['batch', 'rows', config.hiddenSize]);
}

/** The mask of each layer type, [batch, 1, rows, rows] bool; made once, shared by the layers of the type. */
function encoderMasks({ graph, stack }: StackContext, tokenIds: Value): (type: LayerType) => Value {
  const rowMask = graph.input('row_mask', 'bool', ['batch', 'rows']);
  const pairMask = graph.input('pair_mask', 'bool', ['pair_batch', 'pair_queries', 'pair_keys']);
  const visible = graph.op('And', [
    graph.op('Unsqueeze', [rowMask, graph.ints([1, 2])]),
    graph.op('Unsqueeze', [pairMask, graph.ints([1])]),
  ]);
  const index = axisIndex(graph, tokenIds, 1);
  const query = graph.op('Unsqueeze', [index, graph.ints([1])]);
  const key = graph.op('Unsqueeze', [index, graph.ints([0])]);
  const masks = new Map<LayerType, Value>();
  return (type) => {
    let mask = masks.get(type);
    if (!mask) {
      // Bidirectional window w by row index: 0 <= q-k < ceil(w/2), or 0 < k-q < floor(w/2) + 1. Full attention is the same
      // with bounds that no row reaches; the comparison also widens the mask to one row per query.
      const sliding = type === 'sliding_attention';
      const left = sliding ? Math.ceil(stack.slidingWindow / 2) : FAR;
      const right = sliding ? Math.floor(stack.slidingWindow / 2) + 1 : FAR;
      const near = graph.op('And', [
        graph.op('Greater', [key, graph.op('Sub', [query, graph.floats([left])])]),
        graph.op('Less', [key, graph.op('Add', [query, graph.floats([right])])]),
      ]);
      mask = graph.op('And', [near, visible]);
      masks.set(type, mask);
    }
    return mask;
  };
}

/** Beyond any row index, and exact in float32. */
const FAR = 2 ** 24;
