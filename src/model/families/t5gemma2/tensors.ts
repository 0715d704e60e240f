/**
 * The tensors of T5Gemma 2's text model: canonical names and shapes, the names under which files hold them, and which channels 8-bit forms smooth.
 * Vision parts have no place here.
 */
import type { Side } from '../../graph/context.js';
import type { SmoothedChannels, Spread } from '../family.js';
import type { StackConfig, T5Gemma2Config } from './config.js';

/** The tied table: encoder embedding, decoder embedding and output head. */
export const EMBEDDING = 'embed_tokens.weight';
export const END_OF_IMAGE_EMBEDDING = 'embed_tokens.eoi_embedding';

/** The norm whose output the decoder's keys and values read as states. */
export const STATES_NORM = 'encoder.norm.weight';

/** A layer's weight by its part, such as `self_attn.q_proj`. */
export function layerTensor(side: Side, layer: number, part: string): string {
  return `${side}.layers.${layer}.${part}.weight`;
}

/** Canonical name and shape of every tensor of the text model. Linear weights are [out, in]. */
export function t5gemma2Tensors(config: T5Gemma2Config): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([
    [EMBEDDING, [config.vocabularySize, config.hiddenSize]],
    [END_OF_IMAGE_EMBEDDING, [config.hiddenSize]],
  ]);
  for (const side of ['encoder', 'decoder'] as const) {
    const stack: StackConfig = config[side];
    const { hiddenSize } = config;
    const queries = stack.heads * stack.headDim;
    const keys = stack.kvHeads * stack.headDim;
    for (const layer of stack.layerTypes.keys()) {
      const add = (part: string, shape: readonly number[]) => shapes.set(layerTensor(side, layer, part), shape);
      add('self_attn.q_proj', [queries, hiddenSize]);
      add('self_attn.k_proj', [keys, hiddenSize]);
      add('self_attn.v_proj', [keys, hiddenSize]);
      add('self_attn.o_proj', [hiddenSize, queries]);
      add('self_attn.q_norm', [stack.headDim]);
      add('self_attn.k_norm', [stack.headDim]);
      add('mlp.gate_proj', [stack.intermediateSize, hiddenSize]);
      add('mlp.up_proj', [stack.intermediateSize, hiddenSize]);
      add('mlp.down_proj', [hiddenSize, stack.intermediateSize]);
      add('pre_self_attn_layernorm', [hiddenSize]);
      add('post_self_attn_layernorm', [hiddenSize]);
      add('pre_feedforward_layernorm', [hiddenSize]);
      add('post_feedforward_layernorm', [hiddenSize]);
    }
    shapes.set(`${side}.norm.weight`, [hiddenSize]);
  }
  return shapes;
}

/** Tells whether a stored tensor belongs to the text model. The others are vision parts, which nothing here reads. */
export function isTextTensor(storedName: string): boolean {
  return !/\.(vision_tower|multi_modal_projector)\./.test(storedName);
}

/** Names under which files may hold a canonical tensor. */
export function storedNames(canonical: string): string[] {
  if (canonical.startsWith('embed_tokens.')) {
    const names = ['model.encoder.text_model.', 'model.encoder.', 'model.decoder.'].map((prefix) => prefix + canonical);
    return canonical === EMBEDDING ? [...names, 'lm_head.out_proj.weight'] : names;
  }
  if (canonical.startsWith('encoder.')) {
    const rest = canonical.slice('encoder.'.length);
    return [`model.encoder.text_model.${rest}`, `model.encoder.${rest}`];
  }
  return [`model.${canonical}`];
}

/** The name that a tensor has in files that this program writes. */
export function writtenName(canonical: string): string {
  return canonical.startsWith('embed_tokens') ? `model.encoder.${canonical}` : `model.${canonical}`;
}

/** All channels that are smoothed. */
export function smoothedChannels(config: T5Gemma2Config): SmoothedChannels[] {
  const all: SmoothedChannels[] = [];
  for (const side of ['encoder', 'decoder'] as const) {
    const stack = config[side];
    for (const layer of stack.layerTypes.keys()) {
      const name = (part: string) => layerTensor(side, layer, part);
      const add = (producer: string, readers: readonly string[], more: Partial<SmoothedChannels> = {}) =>
        all.push({ producer: name(producer), readers: readers.map(name), read: 'rows', ...more });
      const [attention, feedForward] = ['pre_self_attn_layernorm', 'pre_feedforward_layernorm'] as const;
      add(attention, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
      add(feedForward, ['mlp.gate_proj', 'mlp.up_proj']);
      add('self_attn.v_proj', ['self_attn.o_proj'], { norm: name(attention), channelOf: groupOf(stack) });
      add('mlp.up_proj', ['mlp.down_proj'], { norm: name(feedForward) });
    }
  }
  const readers = [...config.decoder.layerTypes.keys()].flatMap((layer) =>
    ['k_proj', 'v_proj'].map((part) => layerTensor('decoder', layer, `self_attn.${part}`)),
  );
  all.push({ producer: STATES_NORM, readers, read: 'states' });
  return all;
}

/** The channel of a value that a column reads. Heads that share values read the same channels. */
function groupOf({ heads, kvHeads, headDim }: StackConfig): (column: number) => number {
  return (column) => Math.floor(column / headDim / (heads / kvHeads)) * headDim + (column % headDim);
}

/** How random weights are drawn: norms, which multiply by 1 + weight, near 0. */
export function spreadOf(name: string, shape: readonly number[], { hiddenSize }: T5Gemma2Config): Spread {
  if (name === EMBEDDING || name === END_OF_IMAGE_EMBEDDING) return { mean: 0, deviation: hiddenSize ** -0.5 };
  return { mean: 0, deviation: shape.length === 2 ? shape[1]! ** -0.5 : 0.1 };
}
