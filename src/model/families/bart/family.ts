/** BART as a family of models. */
import type { Facts, ModelFamily, SideShape } from '../family.js';
import { bartBlocks } from './blocks.js';
import { type BartConfig, type BartStack, parseBart, withGeneration } from './config.js';
import {
  bartTensors,
  EMBEDDING,
  isRead,
  smoothedChannels,
  spreadOf,
  statesNorm,
  storedNames,
  withTensors,
  writtenName,
} from './tensors.js';

export const bart: ModelFamily<BartConfig> = {
  name: 'bart',
  title: 'BART',
  modelTypes: ['bart'],
  parse: parseBart,
  withGeneration,
  withTensors,
  shape(config) {
    const side = ({ layers, heads }: BartStack): SideShape => ({
      layers,
      width: config.width,
      heads,
      kvHeads: heads,
      headDim: config.width / heads,
      mostRows: config.maxPositions,
    });
    return {
      vocabularySize: config.vocabularySize,
      encoder: side(config.encoder),
      decoder: side(config.decoder),
      decoderStartTokenId: config.decoderStartTokenId,
      padTokenId: config.padTokenId,
      stopTokenIds: config.stopTokenIds,
      narrowestWindow: null,
      absolutePositions: true,
      trainedTokens: config.maxPositions,
    };
  },
  arithmetic: (config): Facts => ({
    vocabulary_size: config.vocabularySize,
    width: config.width,
    encoder: stackFacts(config.encoder),
    decoder: stackFacts(config.decoder),
    positions: config.maxPositions,
    activation: config.activation,
    scales_embedding: config.scalesEmbedding,
    has_logits_bias: config.hasLogitsBias,
    decoder_start_token: config.decoderStartTokenId,
  }),
  table: EMBEDDING,
  tensors: bartTensors,
  storedNames,
  isRead,
  writtenName,
  blocks: (context, config) => bartBlocks(context, config),
  embeddingScales: ['exact'],
  normForm: 'copy',
  statesNorm,
  smoothed: smoothedChannels,
  spreadOf,
};

function stackFacts({ layers, heads, intermediateSize }: BartStack): Facts {
  return { layers, heads, intermediate_size: intermediateSize };
}
