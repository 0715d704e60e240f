/** T5 as a family of models: T5 1.0 and 1.1, FLAN-T5, mT5. */
import type { Facts, ModelFamily } from '../family.js';
import { t5Blocks } from './blocks.js';
import { parseT5, type T5Config, withGeneration } from './config.js';
import {
  EMBEDDING,
  isRead,
  STATES_NORM,
  smoothedChannels,
  spreadOf,
  storedNames,
  t5Tensors,
  withTensors,
} from './tensors.js';

export const t5: ModelFamily<T5Config> = {
  name: 't5',
  title: 'T5',
  modelTypes: ['t5', 'mt5'],
  parse: parseT5,
  withGeneration,
  withTensors,
  shape(config) {
    const heads = { heads: config.heads, kvHeads: config.heads, headDim: config.headDim };
    const side = { ...heads, width: config.width, mostRows: null };
    return {
      vocabularySize: config.vocabularySize,
      encoder: { ...side, layers: config.encoderLayers },
      decoder: { ...side, layers: config.decoderLayers },
      decoderStartTokenId: config.decoderStartTokenId,
      padTokenId: config.padTokenId,
      stopTokenIds: config.stopTokenIds,
      narrowestWindow: null,
      trainedTokens: null,
    };
  },
  arithmetic: (config): Facts => ({
    vocabulary_size: config.vocabularySize,
    width: config.width,
    heads: config.heads,
    head_size: config.headDim,
    intermediate_size: config.intermediateSize,
    encoder_layers: config.encoderLayers,
    decoder_layers: config.decoderLayers,
    buckets: config.buckets,
    max_distance: config.maxDistance,
    activation: config.activation,
    is_gated: config.isGated,
    epsilon: config.epsilon,
    is_tied: config.isTied,
    scales_head: config.scalesHead,
    decoder_start_token: config.decoderStartTokenId,
  }),
  table: EMBEDDING,
  tensors: t5Tensors,
  storedNames,
  isRead,
  writtenName: (canonical) => canonical,
  blocks: (context, config) => t5Blocks(context, config),
  embeddingScales: ['exact'],
  normForm: 'copy',
  statesNorm: () => STATES_NORM,
  smoothed: smoothedChannels,
  spreadOf,
};
