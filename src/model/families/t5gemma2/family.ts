/** T5Gemma 2 as a family of models. */
import { toBfloat16, toFloat32 } from '../../files/safetensors.js';
import { EMBEDDING_SCALES, type ModelFamily, type ModelShape, type SideShape } from '../family.js';
import { t5gemma2Blocks } from './blocks.js';
import { parseT5Gemma2, type StackConfig, type T5Gemma2Config, withGeneration } from './config.js';
import { arithmeticOf, release010Of } from './identity.js';
import {
  EMBEDDING,
  isTextTensor,
  STATES_NORM,
  smoothedChannels,
  spreadOf,
  storedNames,
  t5gemma2Tensors,
  writtenName,
} from './tensors.js';

export const t5gemma2: ModelFamily<T5Gemma2Config> = {
  name: 't5gemma2',
  title: 'T5Gemma 2',
  modelTypes: ['t5gemma2'],
  parse: parseT5Gemma2,
  withGeneration,
  shape: shapeOf,
  arithmetic: arithmeticOf,
  release010: release010Of,
  table: EMBEDDING,
  tensors: t5gemma2Tensors,
  storedNames,
  isRead: isTextTensor,
  writtenName,
  blocks(context, config, embeddingScale) {
    const root = Math.fround(Math.sqrt(config.hiddenSize));
    const rounded = () => toFloat32(toBfloat16(Float32Array.of(root)).buffer, 1, 'BF16')[0]!;
    return t5gemma2Blocks(context, config, embeddingScale === 'exact' ? root : rounded());
  },
  embeddingScales: EMBEDDING_SCALES,
  normForm: 'add-one',
  statesNorm: () => STATES_NORM,
  smoothed: smoothedChannels,
  frameProblem({ before, after }, { decoderStartTokenId }) {
    if (before.length === 1 && before[0] === decoderStartTokenId && after.length === 0) return undefined;
    return `expected BOS alone, [${decoderStartTokenId}]: its post_processor is not that of T5Gemma 2`;
  },
  spreadOf,
};

function shapeOf(config: T5Gemma2Config): ModelShape {
  const side = ({ layerTypes, heads, kvHeads, headDim }: StackConfig): SideShape => ({
    layers: layerTypes.length,
    width: config.hiddenSize,
    heads,
    kvHeads,
    headDim,
    mostRows: null,
  });
  const slides = config.encoder.layerTypes.includes('sliding_attention');
  return {
    vocabularySize: config.vocabularySize,
    encoder: side(config.encoder),
    decoder: side(config.decoder),
    decoderStartTokenId: config.decoderStartTokenId,
    padTokenId: config.padTokenId,
    stopTokenIds: config.stopTokenIds,
    narrowestWindow: slides ? config.encoder.slidingWindow : null,
    trainedTokens: config.maxPositions,
  };
}
