/** Configs of T5Gemma 2 as Google publishes it: for what can be reckoned of a model before its files are here, and for random checkpoints of its shapes. */

interface Shape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly window: number;
}

/** The shapes by the size of each side; encoder and decoder are alike. */
export const T5GEMMA2_SHAPES = {
  '270m': { hidden: 640, intermediate: 2048, layers: 18, heads: 4, keyValueHeads: 1, window: 512 },
  '1b': { hidden: 1152, intermediate: 6912, layers: 26, heads: 4, keyValueHeads: 1, window: 512 },
  '4b': { hidden: 2560, intermediate: 10_240, layers: 34, heads: 8, keyValueHeads: 4, window: 1024 },
} as const satisfies Record<string, Shape>;

/** The content of the config.json of a published checkpoint; undefined for other names. @param name as `--model` takes it, a revision included */
export function publishedConfig(name: string): object | undefined {
  const [, size] = /^google\/t5gemma-2-(270m|1b|4b)-\1(?:@.*)?$/.exec(name) ?? [];
  return size === undefined ? undefined : t5gemma2Config(T5GEMMA2_SHAPES[size as keyof typeof T5GEMMA2_SHAPES]);
}

/** The content of a config.json. */
export function t5gemma2Config(shape: Shape): object {
  const stack = {
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    head_dim: 256,
    query_pre_attn_scalar: 256,
    sliding_window: shape.window,
    layer_types: Array.from({ length: shape.layers }, (_, layer) =>
      layer % 6 === 5 ? 'full_attention' : 'sliding_attention',
    ),
    rope_parameters: {
      full_attention: { rope_type: 'linear', factor: 8, rope_theta: 1e6 },
      sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
    },
    rms_norm_eps: 1e-6,
    hidden_activation: 'gelu_pytorch_tanh',
    attention_bias: false,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    max_position_embeddings: 131_072,
    vocab_size: 262_144,
    bos_token_id: 2,
    eos_token_id: 1,
    pad_token_id: 0,
    tie_word_embeddings: true,
  };
  return {
    architectures: ['T5Gemma2ForConditionalGeneration'],
    model_type: 't5gemma2',
    dtype: 'bfloat16',
    encoder: {
      model_type: 't5gemma2_encoder',
      eoi_token_index: 256_000,
      image_token_index: 256_001,
      text_config: { ...stack, model_type: 't5gemma2_text' },
      // transformers builds a vision part in any case: the smallest.
      vision_config: {
        model_type: 'siglip_vision_model',
        hidden_size: 16,
        intermediate_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 1,
        image_size: 16,
        patch_size: 16,
        vision_use_head: false,
      },
      mm_tokens_per_image: 1,
    },
    decoder: { ...stack, model_type: 't5gemma2_decoder' },
    is_encoder_decoder: true,
    bos_token_id: 2,
    eos_token_id: 1,
    pad_token_id: 0,
    eoi_token_index: 256_000,
    image_token_index: 256_001,
    vocab_size: 262_144,
    tie_word_embeddings: true,
  };
}
