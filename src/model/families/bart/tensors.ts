/** The tensors of BART: canonical names and shapes, the names under which files hold them, and which channels 8-bit forms smooth. */
import type { Side } from '../../graph/context.js';
import type { LinearNames } from '../../graph/linear.js';
import type { LayerNormNames } from '../../graph/norms.js';
import { NORM_SPREAD, type SmoothedChannels, type Spread } from '../family.js';
import type { BartConfig } from './config.js';

/** The name of the table of tokens' rows on both sides, which is also the head's. */
export const EMBEDDING = 'shared.weight';
/** The name of the logits' bias, [1, vocabulary]. */
export const LOGITS_BIAS = 'final_logits_bias';

/** The number of rows in a table of positions before that of position 0. The reference keeps them for the sake of old files. */
export const POSITION_OFFSET = 2;

/** The name of a side's table of positions, [positions + POSITION_OFFSET, width]. */
export function positionTable(side: Side): string {
  return `${side}.embed_positions.weight`;
}

/** The names of a tensor and the bias beside it. */
function pair(name: string): LinearNames & LayerNormNames {
  return { weight: `${name}.weight`, bias: `${name}.bias` };
}

/** The norm of a side's first rows, before its layers. */
export function embeddingNorm(side: Side): LayerNormNames {
  return pair(`${side}.layernorm_embedding`);
}

/** The names of one layer's tensors. Each norm stands behind its sublayer. */
export function layerNames(side: Side, layer: number) {
  const of = (part: string) => pair(`${side}.layers.${layer}.${part}`);
  const attention = (kind: 'self_attn' | 'encoder_attn') => ({
    q: of(`${kind}.q_proj`),
    k: of(`${kind}.k_proj`),
    v: of(`${kind}.v_proj`),
    o: of(`${kind}.out_proj`),
    norm: of(`${kind}_layer_norm`),
  });
  return {
    self: attention('self_attn'),
    cross: attention('encoder_attn'),
    feedForward: { up: of('fc1'), down: of('fc2'), norm: of('final_layer_norm') },
  };
}

/** Canonical name and shape of every tensor. Linear weights are [out, in]. */
export function bartTensors(config: BartConfig): Map<string, readonly number[]> {
  const { vocabularySize, width, maxPositions } = config;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabularySize, width]]]);
  const add = ({ weight, bias }: LinearNames, shape: readonly number[]) => {
    shapes.set(weight, shape);
    shapes.set(bias, shape.slice(0, 1));
  };
  for (const side of ['encoder', 'decoder'] as const) {
    const { layers, intermediateSize } = config[side];
    shapes.set(positionTable(side), [maxPositions + POSITION_OFFSET, width]);
    add(embeddingNorm(side), [width]);
    for (let layer = 0; layer < layers; layer++) {
      const { self, cross, feedForward } = layerNames(side, layer);
      for (const { norm, ...projections } of side === 'encoder' ? [self] : [self, cross]) {
        for (const projection of Object.values(projections)) add(projection, [width, width]);
        add(norm, [width]);
      }
      add(feedForward.up, [intermediateSize, width]);
      add(feedForward.down, [width, intermediateSize]);
      add(feedForward.norm, [width]);
    }
  }
  if (config.hasLogitsBias) shapes.set(LOGITS_BIAS, [1, vocabularySize]);
  return shapes;
}

/** Names under which files may hold a tensor: a model that was saved without its head has no prefix. */
export function storedNames(canonical: string): string[] {
  if (canonical === LOGITS_BIAS) return [LOGITS_BIAS];
  const names = [`model.${canonical}`, canonical];
  if (canonical !== EMBEDDING) return names;
  const tables = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
  return [...names, ...tables.flatMap((table) => [`model.${table}`, table]), 'lm_head.weight'];
}

export function writtenName(canonical: string): string {
  return storedNames(canonical)[0]!;
}

/** The config with what the stored tensors tell: a model that was saved without its head has no bias of logits. */
export function withTensors(config: BartConfig, stored: { has(name: string): boolean }): BartConfig {
  return { ...config, hasLogitsBias: stored.has(LOGITS_BIAS) };
}

/** Tells whether a stored tensor is read. Old files hold the version of a side, which the reference ignores. */
export function isRead(storedName: string): boolean {
  return !/(?:^|\.)(?:en|de)coder\.version$/.test(storedName);
}

/** The norm whose output are the states: that of the encoder's last layer, since no norm follows the layers. */
export function statesNorm({ encoder }: BartConfig): string {
  return layerNames('encoder', encoder.layers - 1).feedForward.norm.weight;
}

/**
 * All channels that are smoothed. What a norm gives cannot be divided, since it is also what the next sublayer's output is added to; states can be
 * where the decoder reads them.
 */
export function smoothedChannels(config: BartConfig): SmoothedChannels[] {
  const all: SmoothedChannels[] = [];
  for (const side of ['encoder', 'decoder'] as const) {
    let norm = embeddingNorm(side).weight;
    for (let layer = 0; layer < config[side].layers; layer++) {
      const { self, cross, feedForward } = layerNames(side, layer);
      const add = ({ v, o }: typeof self, read: string) =>
        all.push({ producer: v.weight, bias: v.bias, readers: [o.weight], read: 'rows', norm: read });
      add(self, norm);
      if (side === 'decoder') add(cross, statesNorm(config));
      norm = feedForward.norm.weight;
    }
  }
  const readers = Array.from({ length: config.decoder.layers }, (_, layer) => layerNames('decoder', layer).cross);
  all.push({
    producer: statesNorm(config),
    readers: readers.flatMap(({ k, v }) => [k.weight, v.weight]),
    read: 'states',
  });
  return all;
}

/** How random weights are drawn. */
export function spreadOf(name: string, shape: readonly number[], config: BartConfig): Spread {
  if (/(layer_norm|layernorm_embedding)\.weight$/.test(name)) return NORM_SPREAD;
  return { mean: 0, deviation: deviationOf(name, shape, config) };
}

/**
 * The standard deviation of a tensor's random weights. The table of tokens is also the head's, whose logits would grow with the width otherwise;
 * positions are of the size of what they are added to.
 */
function deviationOf(name: string, shape: readonly number[], { width, scalesEmbedding }: BartConfig): number {
  if (name === EMBEDDING) return width ** -0.5;
  if (name.endsWith('embed_positions.weight')) return scalesEmbedding ? 1 : width ** -0.5;
  return shape.length === 2 && name !== LOGITS_BIAS ? shape[1]! ** -0.5 : 0.1;
}
