/**
 * What encoder and decoder of T5Gemma 2 compute. Arithmetic after the reference, `transformers/models/t5gemma2/modeling_t5gemma2.py`.
 *
 * A layer: h += post_norm(attention(pre_norm(h))); h += post_ffn_norm(mlp(pre_ffn_norm(h))), the feed-forward network gated with a tanh GELU. Layers
 * alternate between full attention and a sliding window. The decoder attends to its own rows and to the encoder's in one softmax; its own k and v
 * projections and k norm read encoder states, without a rotation, so that an encoder row has no position for the decoder.
 */
import { attend, attentionMask } from '../../graph/attention.js';
import type { Blocks, DecoderInputs, EncoderInputs, LayerStep, Stack } from '../../graph/blocks.js';
import type { Value } from '../../graph/builder.js';
import {
  byHead,
  eachOf,
  flatIds,
  type GraphContext,
  type Heads,
  indexConstant,
  type KeysValues,
  rowShape,
  type Side,
} from '../../graph/context.js';
import { rowIndices, visiblePairs, visibleToEach } from '../../graph/encoder.js';
import { ACTIVATIONS } from '../../graph/feed-forward.js';
import { localAttention } from '../../graph/local-attention.js';
import { attendMerged, mergedMask } from '../../graph/merged-attention.js';
import { rmsNorm } from '../../graph/norms.js';
import { inverseFrequencies, type Rotate, rotary } from '../../graph/rotary.js';
import { tokenRows } from '../../graph/token-rows.js';
import { inWindow } from '../../graph/window.js';
import type { LayerType, StackConfig, T5Gemma2Config } from './config.js';
import { EMBEDDING, END_OF_IMAGE_EMBEDDING, layerTensor } from './tensors.js';

/** The layers of one side, in a graph. */
interface Context extends GraphContext {
  readonly side: Side;
  readonly stack: StackConfig;
}

/** @param embeddingScale the factor of the embedding rows */
export function t5gemma2Blocks(model: GraphContext, config: T5Gemma2Config, embeddingScale: number): Blocks {
  const encoder: Context = { ...model, side: 'encoder', stack: config.encoder };
  const decoder: Context = { ...model, side: 'decoder', stack: config.decoder };
  const embed = (tokenIds: Value) => embedTokens(model, config, tokenIds, embeddingScale);
  return {
    encoderShape: { ...headsOf(config.encoder), layers: config.encoder.layerTypes.length, width: config.hiddenSize },
    decoderShape: { ...headsOf(config.decoder), layers: config.decoder.layerTypes.length, width: config.hiddenSize },
    head: { table: EMBEDDING, scale: 1, cap: config.finalLogitSoftcap },
    encoder: (inputs) => encoderStack(encoder, inputs, embed),
    decoder: (inputs) => decoderStack(decoder, inputs, embed),
    decoderEnd: (hidden) => finalNorm(decoder, hidden),
    embed,
    cross: (states, layer, shape) => projectStates(decoder, states, layer, shape),
  };
}

function encoderStack(context: Context, inputs: EncoderInputs, embed: (tokenIds: Value) => Value): Stack {
  return {
    embed: () => embed(inputs.tokenIds),
    start: () => encoderLayers(context, inputs),
    end: (hidden) => finalNorm(context, hidden),
  };
}

function encoderLayers(context: Context, inputs: EncoderInputs): LayerStep {
  const { stack } = context;
  const heads = headsOf(stack);
  const masks = encoderMasks(context, heads, inputs);
  // Who looks at attention wants all of it.
  const local =
    inputs.probed.length > 0
      ? undefined
      : localAttention(context, heads, stack.slidingWindow, inputs, masks.sliding_attention);
  const rotate = rotation(context, inputs.positions);
  return (hidden, layer) =>
    layerBlock(context, hidden, layer, (x) => {
      const type = stack.layerTypes[layer]!;
      const { queries, ...own } = projectRows(context, x, layer, inputs.shape, rotate);
      const wanted = inputs.probed.includes(layer);
      if (local && type === 'sliding_attention') return projectAttended(context, layer, local(queries, own));
      const { attended, probabilities } = attend(context, heads, queries, own, masks[type], wanted);
      if (wanted) inputs.see(layer, probabilities);
      return projectAttended(context, layer, attended);
    });
}

/** The mask of each layer type, as `attend` takes it; made once, shared by the layers of the type. */
function encoderMasks(context: Context, heads: Heads, inputs: EncoderInputs) {
  const { graph, stack } = context;
  const visible = visiblePairs(context, inputs);
  const indices = rowIndices(context, inputs);
  const { query, key } = indices;
  return {
    sliding_attention: attentionMask(
      context,
      heads,
      graph.both(inWindow(graph, stack.slidingWindow, query, key), visible),
    ),
    full_attention: attentionMask(context, heads, visibleToEach(context, indices, visible)),
  } satisfies Record<LayerType, Value>;
}

function decoderStack(context: Context, inputs: DecoderInputs, embed: (tokenIds: Value) => Value): Stack {
  const { graph, stack } = context;
  const heads = headsOf(stack);
  const mask = mergedMask(context, heads, inputs.rowPositions, inputs.keyPositions, inputs.visible);
  return {
    embed: () => embed(inputs.tokenIds),
    start() {
      const shape = rowShape(graph, inputs.tokenIds);
      const everyRow = graph.op('Expand', [inputs.positions, graph.op('Shape', [inputs.tokenIds])]);
      const rotate = rotation(context, everyRow);
      return (hidden, layer) =>
        layerBlock(context, hidden, layer, (x) => {
          const { queries, ...rows } = projectRows(context, x, layer, shape, rotate);
          const { own, cross } = inputs.keysAndValues(
            layer,
            eachOf(rows, (of) => byHead(context, heads, of)),
          );
          const window = stack.layerTypes[layer] === 'sliding_attention' ? stack.slidingWindow : null;
          const attended = attendMerged(context, heads, queries, own, cross, mask.of(window), mask.lengths);
          return projectAttended(context, layer, attended);
        });
    },
    end: (hidden) => finalNorm(context, hidden),
  };
}

function headsOf({ heads, kvHeads, headDim, queryPreAttentionScalar }: StackConfig) {
  return { heads, kvHeads, headDim, scale: queryPreAttentionScalar ** -0.5 };
}

function norm(context: Context, x: Value, name: string): Value {
  return rmsNorm(context, { epsilon: context.stack.rmsNormEpsilon, form: 'add-one' }, x, name);
}

function finalNorm(context: Context, hidden: Value): Value {
  return norm(context, hidden, `${context.side}.norm.weight`);
}

/**
 * Embedding rows times the embedding scale; the end-of-image token has an embedding of its own, unscaled.
 * @param tokenIds [batch, rows] integers
 * @returns [batch * rows, hidden]
 */
function embedTokens(context: GraphContext, config: T5Gemma2Config, tokenIds: Value, scale: number): Value {
  const { graph, layout } = context;
  const ids = flatIds(graph, tokenIds);
  const scaled = tokenRows(context, { table: EMBEDDING, width: config.hiddenSize, scale }, tokenIds);
  const isEndOfImage = graph.op('Equal', [ids, indexConstant(context, [config.endOfImageTokenId])]);
  const column = graph.op('Unsqueeze', [isEndOfImage, graph.ints([-1])]);
  return graph.op('Where', [column, layout.plain(graph, END_OF_IMAGE_EMBEDDING), scaled]);
}

/** @param positions [batch, rows] int64 */
function rotation(context: Context, positions: Value): Rotate<LayerType> {
  const { stack } = context;
  return rotary<LayerType>(context, positions, (type) => inverseFrequencies(stack.headDim, stack.rope[type]));
}

/**
 * Queries, keys and values of the rows that a layer works on.
 * @param x [n, hidden], normalised
 * @param shape int64 [3]: batch, rows, -1
 */
function projectRows(
  context: Context,
  x: Value,
  layer: number,
  shape: Value,
  rotate: Rotate<LayerType>,
): KeysValues & { readonly queries: Value } {
  const { graph, layout, stack, side } = context;
  const name = (part: string) => layerTensor(side, layer, `self_attn.${part}`);
  const type = stack.layerTypes[layer]!;
  const [q, k, v] = layout.project(graph, x, ['q_proj', 'k_proj', 'v_proj'].map(name)) as [Value, Value, Value];
  return {
    queries: rotate(normHeads(context, q, name('q_norm'), shape), stack.heads, type),
    keys: rotate(normHeads(context, k, name('k_norm'), shape), stack.kvHeads, type),
    values: graph.op('Reshape', [v, shape]),
  };
}

/** @param states [n, hidden] @param shape int64 [3]: batch, rows, -1 */
function projectStates(context: Context, states: Value, layer: number, shape: Value): KeysValues {
  const { graph, layout } = context;
  const name = (part: string) => layerTensor('decoder', layer, `self_attn.${part}`);
  const [k, v] = layout.projectStates(graph, states, ['k_proj', 'v_proj'].map(name)) as [Value, Value];
  return {
    keys: normHeads(context, k, name('k_norm'), shape),
    values: graph.op('Reshape', [v, shape]),
  };
}

/** RMSNorm over each head's head_dim: [n, heads * head_dim] -> [batch, rows, heads * head_dim]. */
function normHeads(context: Context, x: Value, weight: string, shape: Value): Value {
  const { graph, stack } = context;
  const perHead = graph.op('Reshape', [x, graph.ints([0, -1, stack.headDim])]);
  return graph.op('Reshape', [norm(context, perHead, weight), shape]);
}

/** The layer's output projection. @param attended [batch, rows, heads * head_dim] @returns [batch * rows, hidden] */
function projectAttended({ graph, layout, stack, side }: Context, layer: number, attended: Value): Value {
  const merged = graph.op('Reshape', [attended, graph.ints([-1, stack.heads * stack.headDim])]);
  return layout.project(graph, merged, [layerTensor(side, layer, 'self_attn.o_proj')])[0]!;
}

/**
 * @param hidden [n, hidden]
 * @param attention from normalised rows [n, hidden] to the attention's output [n, hidden]
 */
function layerBlock(context: Context, hidden: Value, layer: number, attention: (normalised: Value) => Value): Value {
  const { graph, layout, side } = context;
  const name = (part: string) => layerTensor(side, layer, part);
  const normed = (x: Value, part: string) => norm(context, x, name(part));
  const attended = normed(attention(normed(hidden, 'pre_self_attn_layernorm')), 'post_self_attn_layernorm');
  const middle = graph.op('Add', [hidden, attended]);
  const names = { gate: name('mlp.gate_proj'), up: name('mlp.up_proj'), down: name('mlp.down_proj') };
  const fed = layout.feedForward(graph, normed(middle, 'pre_feedforward_layernorm'), names, (gate) =>
    ACTIVATIONS.gelu_tanh(graph, gate),
  );
  return graph.op('Add', [middle, normed(fed, 'post_feedforward_layernorm')]);
}
