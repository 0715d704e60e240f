/** The tensors of T5: canonical names, which are those of its files, and shapes; and which channels 8-bit forms smooth. */
import type { Side } from '../../graph/context.js';
import { NORM_SPREAD, type SmoothedChannels, type Spread } from '../family.js';
import type { T5Config } from './config.js';

/** The name of the table of tokens' rows on both sides. In a tied model it is also the head's. */
export const EMBEDDING = 'shared.weight';
export const HEAD = 'lm_head.weight';

export const STATES_NORM = 'encoder.final_layer_norm.weight';

/** The name of the table of positions for a side's attention to itself, [buckets, heads]. It is stored with the first layer and read by all. */
export function biasTable(side: Side): string {
  return `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
}

/** The names of one layer's tensors. */
export function layerNames(side: Side, layer: number, { isGated }: Pick<T5Config, 'isGated'>) {
  const name = (sublayer: number, part: string) => `${side}.block.${layer}.layer.${sublayer}.${part}.weight`;
  const attention = (sublayer: number, kind: 'SelfAttention' | 'EncDecAttention') => ({
    norm: name(sublayer, 'layer_norm'),
    q: name(sublayer, `${kind}.q`),
    k: name(sublayer, `${kind}.k`),
    v: name(sublayer, `${kind}.v`),
    o: name(sublayer, `${kind}.o`),
  });
  const last = side === 'encoder' ? 1 : 2;
  const dense = (part: string) => name(last, `DenseReluDense.${part}`);
  return {
    self: attention(0, 'SelfAttention'),
    cross: attention(1, 'EncDecAttention'),
    feedForward: {
      norm: name(last, 'layer_norm'),
      gate: dense(isGated ? 'wi_0' : 'wi'),
      up: isGated ? dense('wi_1') : undefined,
      down: dense('wo'),
    },
  };
}

function layersOf(config: T5Config, side: Side): number {
  return side === 'encoder' ? config.encoderLayers : config.decoderLayers;
}

/** Canonical name and shape of every tensor. Linear weights are [out, in]. */
export function t5Tensors(config: T5Config): Map<string, readonly number[]> {
  const { width, heads, headDim, intermediateSize } = config;
  const inner = heads * headDim;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [config.vocabularySize, width]]]);
  for (const side of ['encoder', 'decoder'] as const) {
    shapes.set(biasTable(side), [config.buckets, heads]);
    for (let layer = 0; layer < layersOf(config, side); layer++) {
      const { self, cross, feedForward } = layerNames(side, layer, config);
      for (const attention of side === 'encoder' ? [self] : [self, cross]) {
        shapes.set(attention.norm, [width]);
        for (const part of ['q', 'k', 'v'] as const) shapes.set(attention[part], [inner, width]);
        shapes.set(attention.o, [width, inner]);
      }
      shapes.set(feedForward.norm, [width]);
      shapes.set(feedForward.gate, [intermediateSize, width]);
      if (feedForward.up) shapes.set(feedForward.up, [intermediateSize, width]);
      shapes.set(feedForward.down, [width, intermediateSize]);
    }
    shapes.set(`${side}.final_layer_norm.weight`, [width]);
  }
  if (!config.isTied) shapes.set(HEAD, [config.vocabularySize, width]);
  return shapes;
}

/** Names under which files may hold a tensor. */
export function storedNames(canonical: string): string[] {
  if (canonical !== EMBEDDING) return [canonical];
  return [EMBEDDING, 'encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
}

/**
 * The config with what the stored tensors tell. A stored table of the head is the head's, whatever the config says: transformers 5 saves
 * `tie_word_embeddings: true` for models that have one of their own, and reads them as they were.
 */
export function withTensors(config: T5Config, stored: { has(name: string): boolean }): T5Config {
  return stored.has(HEAD) ? { ...config, isTied: false } : config;
}

/** Tells whether a stored tensor is read. Old files hold a table of positions for the decoder's attention to the encoder, which nothing reads. */
export function isRead(storedName: string): boolean {
  return !storedName.includes('.EncDecAttention.relative_attention_bias.');
}

/** All channels that are smoothed. */
export function smoothedChannels(config: T5Config): SmoothedChannels[] {
  const all: SmoothedChannels[] = [];
  const add = (producer: string, readers: readonly string[], more: Partial<SmoothedChannels> = {}) =>
    all.push({ producer, readers, read: 'rows', ...more });
  for (const side of ['encoder', 'decoder'] as const) {
    for (let layer = 0; layer < layersOf(config, side); layer++) {
      const { self, cross, feedForward } = layerNames(side, layer, config);
      add(self.norm, [self.q, self.k, self.v]);
      add(self.v, [self.o], { norm: self.norm });
      if (side === 'decoder') {
        add(cross.norm, [cross.q]);
        add(cross.v, [cross.o], { norm: STATES_NORM });
      }
      const { norm, gate, up, down } = feedForward;
      add(norm, up ? [gate, up] : [gate]);
      // A channel of the gate cannot be divided: an activation is not proportional to what it reads.
      if (up) add(up, [down], { norm });
    }
  }
  const readers = Array.from(
    { length: config.decoderLayers },
    (_, layer) => layerNames('decoder', layer, config).cross,
  );
  all.push({ producer: STATES_NORM, readers: readers.flatMap(({ k, v }) => [k, v]), read: 'states' });
  return all;
}

/** How random weights are drawn. */
export function spreadOf(name: string, shape: readonly number[], config: T5Config): Spread {
  return shape.length === 1 ? NORM_SPREAD : { mean: 0, deviation: deviationOf(name, shape, config) };
}

/**
 * The standard deviation of a tensor's random weights. Scores are not divided, so queries must be small; nor are the logits of a tied head that is
 * not scaled.
 */
function deviationOf(name: string, shape: readonly number[], { headDim, isTied, scalesHead, width }: T5Config): number {
  if (name === EMBEDDING) return isTied && !scalesHead ? width ** -0.5 : 1;
  const spread = name.endsWith('.relative_attention_bias.weight') ? 1 : shape[1]! ** -0.5;
  return /Attention\.q\.weight$/.test(name) ? spread * headDim ** -0.5 : spread;
}
