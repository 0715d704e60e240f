/**
 * The parts that encoder and decoder of T5Gemma 2 are made of. Arithmetic after the reference,
 * `transformers/models/t5gemma2/modeling_t5gemma2.py`.
 *
 * Hidden states run through a graph as [n, hidden] with n = batch * rows, so that every projection is one matrix product;
 * around attention they are [batch, rows, heads * head_dim].
 */
import { END_OF_IMAGE_EMBEDDING } from '../checkpoint.js';
import type { LayerType, ModelConfig, StackConfig } from '../config.js';
import type { Layout } from '../layout.js';
import type { GraphBuilder, Value } from './builder.js';

/** What a part of a graph needs to build itself. */
export interface GraphContext {
  readonly graph: GraphBuilder;
  readonly layout: Layout;
  readonly config: ModelConfig;
  /** The factor of the embedding rows, sqrt(hidden size) or its bfloat16 rounding. */
  readonly embeddingScale: number;
}

/** The same for the layers of one side. */
export interface StackContext extends GraphContext {
  readonly side: 'encoder' | 'decoder';
  readonly stack: StackConfig;
}

export function stackContext(context: GraphContext, side: 'encoder' | 'decoder'): StackContext {
  return { ...context, side, stack: context.config[side] };
}

/** Keys and values, each [batch, rows, kv_heads * head_dim]. */
export interface KeysValues {
  readonly keys: Value;
  readonly values: Value;
}

/** RMSNorm over the last axis: x / sqrt(mean(x^2) + eps) * (1 + weight). */
export function rmsNorm({ graph, layout, stack }: StackContext, x: Value, name: string): Value {
  const epsilon = { float: stack.rmsNormEpsilon };
  return graph.op('RMSNormalization', [x, layout.normScale(graph, name)], { axis: { int: -1 }, epsilon });
}

/**
 * Embedding rows times the embedding scale; the end-of-image token has an embedding of its own, unscaled.
 * @param tokenIds [batch, rows] int64
 * @returns [batch * rows, hidden]
 */
export function embedTokens({ graph, layout, config, embeddingScale }: GraphContext, tokenIds: Value): Value {
  const ids = graph.op('Reshape', [tokenIds, graph.ints([-1])]);
  const scaled = layout.embed(graph, ids, embeddingScale);
  const isEndOfImage = graph.op('Equal', [ids, graph.ints([config.endOfImageTokenId])]);
  const column = graph.op('Unsqueeze', [isEndOfImage, graph.ints([-1])]);
  return graph.op('Where', [column, layout.vector(graph, END_OF_IMAGE_EMBEDDING), scaled]);
}

/** theta^(-2i/d) / factor for i < d/2, each step rounded to float32 as the reference does. */
function inverseFrequencies(stack: StackConfig, type: LayerType): Float32Array {
  const { theta, factor } = stack.rope[type];
  return Float32Array.from({ length: stack.headDim / 2 }, (_, i) => {
    const power = Math.fround(theta ** Math.fround((2 * i) / stack.headDim));
    return Math.fround(Math.fround(1 / power) / factor);
  });
}

/** Rotates [batch, rows, heads * head_dim] by position. */
export type Rotate = (x: Value, heads: number, type: LayerType) => Value;

/**
 * Rotary position embedding (rotate-half). Angles are float32(position) * float32(inverse frequency), as in the reference: in
 * float64 the cosines would differ by up to 3e-4 at position 8191.
 * @param positions [batch, rows] int64
 */
export function rotary({ graph, stack }: StackContext, positions: Value): Rotate {
  const column = graph.op('Unsqueeze', [graph.op('Cast', [positions], { to: { int: 1 } }), graph.ints([-1])]);
  const made = new Map<LayerType, { cos: Value; sin: Value }>();
  return (x, heads, type) => {
    let angles = made.get(type);
    if (!angles) {
      const radians = graph.op('Mul', [column, graph.floats(inverseFrequencies(stack, type))]);
      angles = { cos: graph.op('Cos', [radians]), sin: graph.op('Sin', [radians]) };
      made.set(type, angles);
    }
    return graph.op('RotaryEmbedding', [x, angles.cos, angles.sin], { num_heads: { int: heads } });
  };
}

/**
 * Queries, keys and values of the rows that a layer works on.
 * @param x [n, hidden], normalised
 * @param shape int64 [3]: batch, rows, -1
 */
export function projectRows(
  context: StackContext,
  x: Value,
  layer: number,
  shape: Value,
  rotate: Rotate,
): KeysValues & { readonly queries: Value } {
  const { graph, layout, stack, side } = context;
  const prefix = `${side}.layers.${layer}.self_attn`;
  const type = stack.layerTypes[layer]!;
  const names = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${prefix}.${name}.weight`);
  const [q, k, v] = layout.project(graph, x, names) as [Value, Value, Value];
  return {
    queries: rotate(normHeads(context, q, `${prefix}.q_norm.weight`, shape), stack.heads, type),
    keys: rotate(normHeads(context, k, `${prefix}.k_norm.weight`, shape), stack.kvHeads, type),
    values: graph.op('Reshape', [v, shape]),
  };
}

/**
 * The decoder's keys and values of encoder states: the decoder's own k and v projections and k norm, and no rotation, so that
 * an encoder row has no position for the decoder.
 * @param states [n, hidden]
 * @param shape int64 [3]: batch, rows, -1
 */
export function projectStates(context: StackContext, states: Value, layer: number, shape: Value): KeysValues {
  const { graph, layout } = context;
  const prefix = `decoder.layers.${layer}.self_attn`;
  const names = ['k_proj', 'v_proj'].map((name) => `${prefix}.${name}.weight`);
  const [k, v] = layout.projectStates(graph, states, names) as [Value, Value];
  return {
    keys: normHeads(context, k, `${prefix}.k_norm.weight`, shape),
    values: graph.op('Reshape', [v, shape]),
  };
}

/** RMSNorm over each head's head_dim: [n, heads * head_dim] -> [batch, rows, heads * head_dim]. */
function normHeads(context: StackContext, x: Value, norm: string, shape: Value): Value {
  const { graph, stack } = context;
  const perHead = graph.op('Reshape', [x, graph.ints([0, -1, stack.headDim])]);
  return graph.op('Reshape', [rmsNorm(context, perHead, norm), shape]);
}

/**
 * Grouped-query attention.
 * @param queries [n, rows, heads * head_dim]
 * @param mask [n, 1, rows, keys] bool, true where a row may see a key
 * @param wantProbabilities also return [n, heads, rows, keys]
 * @returns [n, rows, heads * head_dim]
 */
export function attend(
  { graph, stack }: StackContext,
  queries: Value,
  { keys, values }: KeysValues,
  mask: Value,
  wantProbabilities = false,
): { readonly attended: Value; readonly probabilities: Value } {
  const attributes = {
    q_num_heads: { int: stack.heads },
    kv_num_heads: { int: stack.kvHeads },
    scale: { float: stack.queryPreAttentionScalar ** -0.5 },
    qk_matmul_output_mode: { int: wantProbabilities ? AFTER_SOFTMAX : 0 },
  };
  const wanted = wantProbabilities ? [true, false, false, true] : [true];
  const outputs = graph.opWithOutputs('Attention', [queries, keys, values, mask], attributes, wanted);
  return { attended: outputs[0]!, probabilities: outputs[3] ?? '' };
}

/** `qk_matmul_output_mode` of the ONNX Attention operator: the fourth output holds the probabilities. */
const AFTER_SOFTMAX = 3;

/** The layer's output projection. @param attended [batch, rows, heads * head_dim] @returns [batch * rows, hidden] */
export function projectAttended({ graph, layout, stack, side }: StackContext, layer: number, attended: Value): Value {
  const merged = graph.op('Reshape', [attended, graph.ints([-1, stack.heads * stack.headDim])]);
  return layout.project(graph, merged, [`${side}.layers.${layer}.self_attn.o_proj.weight`])[0]!;
}

/**
 * One layer: h += post_norm(attention(pre_norm(h))); h += post_ffn_norm(mlp(pre_ffn_norm(h))).
 * @param hidden [n, hidden]
 * @param attention from normalised rows [n, hidden] to the attention's output [n, hidden]
 */
export function layerBlock(
  context: StackContext,
  hidden: Value,
  layer: number,
  attention: (normalised: Value) => Value,
): Value {
  const { graph, side } = context;
  const norm = (x: Value, name: string) => rmsNorm(context, x, `${side}.layers.${layer}.${name}.weight`);
  const attended = norm(attention(norm(hidden, 'pre_self_attn_layernorm')), 'post_self_attn_layernorm');
  const middle = graph.op('Add', [hidden, attended]);
  const fed = norm(
    feedForward(context, norm(middle, 'pre_feedforward_layernorm'), layer),
    'post_feedforward_layernorm',
  );
  return graph.op('Add', [middle, fed]);
}

/** down(gelu_tanh(gate(x)) * up(x)). */
function feedForward({ graph, layout, side }: StackContext, x: Value, layer: number): Value {
  const name = (of: string) => `${side}.layers.${layer}.mlp.${of}_proj.weight`;
  const names = { gate: name('gate'), up: name('up'), down: name('down') };
  return layout.feedForward(graph, x, names, (gate) => graph.op('Gelu', [gate], { approximate: { text: 'tanh' } }));
}

/** int64 [3] of (batch, rows, -1) for reshaping [n, x] to [batch, rows, x]; taken from a [batch, rows, ...] tensor. */
export function rowShape(graph: GraphBuilder, like: Value): Value {
  const batchAndRows = graph.op('Shape', [like], { start: { int: 0 }, end: { int: 2 } });
  return graph.op('Concat', [batchAndRows, graph.ints([-1])], { axis: { int: 0 } });
}

/** 0, 1, ... up to the size of an axis, as float32 [size] (exact below 2^24). */
export function axisIndex(graph: GraphBuilder, like: Value, axis: number): Value {
  const size = graph.op('Shape', [like], { start: { int: axis }, end: { int: axis + 1 } });
  const range = graph.op('Range', [graph.ints([0], []), graph.op('Squeeze', [size]), graph.ints([1], [])]);
  return graph.op('Cast', [range], { to: { int: 1 } });
}

/** Of a graph of one layer: what enters it, `hidden` [batch, rows, hidden]. @returns [batch * rows, hidden] */
export function hiddenInput({ graph, config }: GraphContext): Value {
  const hidden = graph.input('hidden', 'float32', ['batch', 'rows', config.hiddenSize]);
  return graph.op('Reshape', [hidden, graph.ints([-1, config.hiddenSize])]);
}

/** And what leaves it, `hidden_out` [batch, rows, hidden]. */
export function outputHidden({ graph, config }: GraphContext, hidden: Value, shape: Value): void {
  graph.output('hidden_out', graph.op('Reshape', [hidden, shape]), 'float32', ['batch', 'rows', config.hiddenSize]);
}

/** Embeddings by themselves. Input `token_ids` [batch, rows] int64; output `hidden_out` [batch, rows, hidden]. */
export function buildEmbedding(context: GraphContext): void {
  const { graph } = context;
  const tokenIds = graph.input('token_ids', 'int64', ['batch', 'rows']);
  outputHidden(context, embedTokens(context, tokenIds), rowShape(graph, tokenIds));
}
