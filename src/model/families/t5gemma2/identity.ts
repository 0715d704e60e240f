/** What decides the numbers of a T5Gemma 2, by name. */
import type { Facts } from '../family.js';
import type { StackConfig, T5Gemma2Config } from './config.js';

export function arithmeticOf(config: T5Gemma2Config): Facts {
  const { finalLogitSoftcap } = config;
  return {
    vocabulary_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    encoder: stackFacts(config.encoder),
    decoder: stackFacts(config.decoder),
    ...(finalLogitSoftcap !== null && { final_logit_softcap: finalLogitSoftcap }),
    decoder_start_token: config.decoderStartTokenId,
    end_of_image_token: config.endOfImageTokenId,
  };
}

function stackFacts(stack: StackConfig): Facts {
  const { full_attention: full, sliding_attention: sliding } = stack.rope;
  const rope = ({ theta, factor }: typeof full): Facts => ({ theta, ...(factor !== 1 && { factor }) });
  return {
    layer_types: [...stack.layerTypes],
    intermediate_size: stack.intermediateSize,
    heads: stack.heads,
    key_value_heads: stack.kvHeads,
    head_size: stack.headDim,
    sliding_window: stack.slidingWindow,
    rope: { full_attention: rope(full), sliding_attention: rope(sliding) },
    query_pre_attention_scalar: stack.queryPreAttentionScalar,
    rms_norm_epsilon: stack.rmsNormEpsilon,
  };
}

/** The object whose JSON release 0.1.0 hashed: its members, and their order, are part of every store that was made with it. */
export function release010Of(config: T5Gemma2Config): unknown {
  const stack = (side: StackConfig) => ({
    layerTypes: side.layerTypes,
    intermediateSize: side.intermediateSize,
    heads: side.heads,
    kvHeads: side.kvHeads,
    headDim: side.headDim,
    slidingWindow: side.slidingWindow,
    rope: {
      full_attention: { theta: side.rope.full_attention.theta, factor: side.rope.full_attention.factor },
      sliding_attention: { theta: side.rope.sliding_attention.theta, factor: side.rope.sliding_attention.factor },
    },
    queryPreAttentionScalar: side.queryPreAttentionScalar,
    rmsNormEpsilon: side.rmsNormEpsilon,
  });
  return {
    vocabularySize: config.vocabularySize,
    hiddenSize: config.hiddenSize,
    encoder: stack(config.encoder),
    decoder: stack(config.decoder),
    finalLogitSoftcap: config.finalLogitSoftcap,
    bosTokenId: config.decoderStartTokenId,
    eosTokenIds: config.eosTokenIds,
    padTokenId: config.padTokenId,
    endOfImageTokenId: config.endOfImageTokenId,
  };
}
