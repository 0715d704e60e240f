/**
 * `config.json` of a T5Gemma 2 checkpoint, of any size and of both published forms, as one validated type.
 * Everything the graphs depend on is read from here; nothing about a size is assumed. A value means what it means to the reference
 * (transformers' `configuration_t5gemma2.py`), or is refused by its name.
 */
import { z } from 'zod';
import { DkvError } from '../../../base/errors.js';
import { isEmpty, listed, parsedBy, tokenId, tokenIds } from '../config-json.js';

export type LayerType = 'full_attention' | 'sliding_attention';

/** Rotary embedding of one layer type: angle = position * theta^(-2i/head_dim) / factor. */
export interface RopeConfig {
  readonly theta: number;
  readonly factor: number;
}

/** One side of the model, encoder or decoder. */
export interface StackConfig {
  readonly layerTypes: readonly LayerType[];
  readonly intermediateSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** The window w of the sliding layers, in rows. */
  readonly slidingWindow: number;
  readonly rope: Readonly<Record<LayerType, RopeConfig>>;
  /** Attention scores are multiplied by queryPreAttentionScalar^-0.5. */
  readonly queryPreAttentionScalar: number;
  readonly rmsNormEpsilon: number;
}

export interface T5Gemma2Config {
  readonly family: 't5gemma2';
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly encoder: StackConfig;
  readonly decoder: StackConfig;
  /** The softcap: logits = cap * tanh(logits / cap); null for none. */
  readonly finalLogitSoftcap: number | null;
  /** The token that the decoder reads first: its `bos_token_id`, behind which the reference scores and generates. */
  readonly decoderStartTokenId: number;
  /** The decoder's `eos_token_id`. The ids that end a text are `stopTokenIds`. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number;
  /** The token whose embedding is a row of its own, used unscaled. */
  readonly endOfImageTokenId: number;
  /**
   * The token ids of which any one ends a generated text: `eos_token_id` of generation_config.json, or else of config.json, or else of its decoder.
   */
  readonly stopTokenIds: readonly number[];
  /**
   * The number of tokens that the encoder was trained for (`max_position_embeddings`). It reads longer inputs too, and nothing is known about how
   * well.
   */
  readonly maxPositions: number;
}

const positive = z.number().int().positive();

const ropeSchema = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: z.number().positive().optional(),
    factor: z.number().positive().optional(),
    partial_rotary_factor: z.number().nullish(),
  })
  .nullish();

const stackSchema = z.object({
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive.max(10_000),
  num_attention_heads: positive,
  num_key_value_heads: positive,
  head_dim: positive,
  hidden_activation: z.string().default('gelu_pytorch_tanh'),
  rms_norm_eps: z.number().positive().default(1e-6),
  query_pre_attn_scalar: positive,
  sliding_window: positive.nullable().default(4096),
  max_position_embeddings: positive.default(131_072),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  sliding_window_pattern: positive.nullish(),
  rope_parameters: z.object({ full_attention: ropeSchema, sliding_attention: ropeSchema }).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  rope_scaling: ropeSchema,
  partial_rotary_factor: z.number().nullish(),
  attention_bias: z.boolean().default(false),
  final_logit_softcapping: z.number().positive().nullish(),
  bos_token_id: tokenId.default(2),
  eos_token_id: tokenIds.nullish(),
  pad_token_id: tokenId.default(0),
  is_causal: z.boolean().nullish(),
  quantization_config: z.unknown().optional(),
  per_layer_config: z.unknown().optional(),
});

const configSchema = z.object({
  model_type: z.literal('t5gemma2'),
  encoder: z.object({
    text_config: stackSchema,
    eoi_token_index: tokenId.default(256_000),
    eoi_token_id: tokenId.nullish(),
  }),
  decoder: stackSchema,
  tie_word_embeddings: z.boolean().default(true),
  is_encoder_decoder: z.boolean().default(true),
  eos_token_id: tokenIds.nullish(),
  bos_token_id: tokenId.nullish(),
  decoder_start_token_id: tokenId.nullish(),
  quantization_config: z.unknown().optional(),
  per_layer_config: z.unknown().optional(),
});

const generationSchema = z.object({
  eos_token_id: tokenIds.nullish(),
  bos_token_id: tokenId.nullish(),
  decoder_start_token_id: tokenId.nullish(),
});

type RawStack = z.infer<typeof stackSchema>;

/** The config with what `generation_config.json` beside it says of the end of a text. */
export function withGeneration(config: T5Gemma2Config, json: unknown, file: string): T5Gemma2Config {
  const raw = parsedBy(generationSchema, json, file);
  expectStart(raw, config.decoderStartTokenId, file);
  return { ...config, stopTokenIds: listed(raw.eos_token_id) ?? config.stopTokenIds };
}

/** Refuses another start: the reference scores behind the decoder's BOS, and generates behind what these keys say. */
function expectStart(raw: z.infer<typeof generationSchema>, bosTokenId: number, file: string): void {
  const start = raw.decoder_start_token_id ?? raw.bos_token_id ?? bosTokenId;
  if (start === bosTokenId) return;
  const name = raw.decoder_start_token_id == null ? 'bos_token_id' : 'decoder_start_token_id';
  throw new DkvError(
    'MODEL_UNSUPPORTED',
    `${file}: ${name} is ${start}; only the decoder's bos_token_id, ${bosTokenId}, is supported as the start of a text.`,
  );
}

/** Validates the content of `config.json`; `file` is named in errors. */
export function parseT5Gemma2(json: unknown, file: string): T5Gemma2Config {
  const raw = parsedBy(configSchema, json, file);
  const { encoder, decoder } = raw;
  const text = encoder.text_config;
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  const unsupported = (message: string) => new DkvError('MODEL_UNSUPPORTED', `${file}: ${message}`);
  for (const name of ['vocab_size', 'hidden_size'] as const) {
    if (text[name] === decoder[name]) continue;
    throw invalid(
      `${name} is ${text[name]} in encoder.text_config and ${decoder[name]} in decoder; T5Gemma 2 ties them.`,
    );
  }
  // That of encoder and decoder means nothing to the reference: the tied tensors belong to the whole.
  if (!raw.tie_word_embeddings) {
    throw unsupported('tie_word_embeddings is false; only tied embeddings are supported.');
  }
  if (!raw.is_encoder_decoder) throw invalid('is_encoder_decoder is false; T5Gemma 2 has an encoder and a decoder.');
  for (const part of [raw, text, decoder]) {
    if (!isEmpty(part.quantization_config)) {
      throw unsupported('has a quantization_config; expected a checkpoint of plain F32, F16 or BF16 weights.');
    }
    if (!isEmpty(part.per_layer_config)) throw unsupported('has a per_layer_config; layers of a side are alike here.');
  }
  if (encoder.eoi_token_id != null && encoder.eoi_token_id !== encoder.eoi_token_index) {
    throw invalid(
      `encoder.eoi_token_id is ${encoder.eoi_token_id}, its other name eoi_token_index ${encoder.eoi_token_index}. Give the second alone.`,
    );
  }
  for (const name of ['bos_token_id', 'pad_token_id'] as const) {
    const id = Math.max(text[name], decoder[name]);
    if (id >= decoder.vocab_size) throw invalid(`${name} is ${id}, beyond a vocabulary of ${decoder.vocab_size}.`);
  }
  expectStart(raw, decoder.bos_token_id, file);
  const own = listed(decoder.eos_token_id);
  return {
    family: 't5gemma2',
    vocabularySize: decoder.vocab_size,
    hiddenSize: decoder.hidden_size,
    encoder: stackConfig(text, 'encoder.text_config', file),
    decoder: stackConfig(decoder, 'decoder', file),
    finalLogitSoftcap: decoder.final_logit_softcapping ?? null,
    decoderStartTokenId: decoder.bos_token_id,
    eosTokenIds: own ?? [1],
    padTokenId: decoder.pad_token_id,
    endOfImageTokenId: encoder.eoi_token_index,
    stopTokenIds: listed(raw.eos_token_id) ?? own ?? [1],
    maxPositions: text.max_position_embeddings,
  };
}

function stackConfig(raw: RawStack, where: string, file: string): StackConfig {
  const unsupported = (message: string) => new DkvError('MODEL_UNSUPPORTED', `${file}: ${where}.${message}`);
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${where}.${message}`);
  if (raw.hidden_activation !== 'gelu_pytorch_tanh') {
    throw unsupported(`hidden_activation is "${raw.hidden_activation}"; only "gelu_pytorch_tanh" is supported.`);
  }
  if (raw.attention_bias) throw unsupported('attention_bias is true; only layers without bias are supported.');
  if (raw.is_causal === false && where === 'decoder')
    throw unsupported('is_causal is false; a decoder looks back only.');
  if (!isEmpty(raw.per_layer_config))
    throw unsupported('per_layer_config is set; all layers of a side are alike here.');
  if (raw.sliding_window === null) throw invalid('sliding_window is null; expected the number of rows.');
  if (raw.hidden_size % raw.num_attention_heads !== 0) {
    throw invalid(
      `hidden_size (${raw.hidden_size}) is not a multiple of num_attention_heads (${raw.num_attention_heads}).`,
    );
  }
  if (raw.num_attention_heads % raw.num_key_value_heads !== 0) {
    throw invalid(
      `num_attention_heads (${raw.num_attention_heads}) is not a multiple of num_key_value_heads (${raw.num_key_value_heads}).`,
    );
  }
  if (raw.head_dim % 2 !== 0) throw invalid(`head_dim is ${raw.head_dim}; rotary embeddings need an even number.`);
  if (!raw.layer_types && raw.sliding_window_pattern === null) {
    throw invalid('sliding_window_pattern is null; expected a number, or layer_types.');
  }
  const layerTypes = layerTypesOf(raw);
  if (layerTypes.length !== raw.num_hidden_layers) {
    throw invalid(`layer_types has ${layerTypes.length} entries, num_hidden_layers is ${raw.num_hidden_layers}.`);
  }
  return {
    layerTypes,
    intermediateSize: raw.intermediate_size,
    heads: raw.num_attention_heads,
    kvHeads: raw.num_key_value_heads,
    headDim: raw.head_dim,
    slidingWindow: raw.sliding_window,
    rope: {
      full_attention: ropeOf(raw, 'full_attention', unsupported),
      sliding_attention: ropeOf(raw, 'sliding_attention', unsupported),
    },
    queryPreAttentionScalar: raw.query_pre_attn_scalar,
    rmsNormEpsilon: raw.rms_norm_eps,
  };
}

/** The type of every layer. Newer configs list every layer; older ones say that every n-th layer has full attention. */
function layerTypesOf(raw: RawStack): LayerType[] {
  if (raw.layer_types) return raw.layer_types;
  const pattern = raw.sliding_window_pattern ?? 6;
  return Array.from({ length: raw.num_hidden_layers }, (_, i) =>
    (i + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention',
  );
}

/**
 * Newer configs give `rope_parameters` per layer type. Older ones give `rope_theta` and `rope_scaling` for full attention and
 * `rope_local_base_freq` for sliding attention; where both forms stand, `rope_scaling` adds to the newer one, as in the
 * reference's `convert_rope_params_to_dict`.
 */
function ropeOf(raw: RawStack, type: LayerType, unsupported: (message: string) => DkvError): RopeConfig {
  const full = type === 'full_attention';
  const scaling = (full && raw.rope_scaling) || undefined;
  if (scaling && raw.rope_parameters && !raw.rope_parameters.full_attention) {
    throw unsupported('rope_scaling stands beside rope_parameters without full_attention, which it would add to.');
  }
  const given = { ...raw.rope_parameters?.[type], ...scaling };
  const kind = given.rope_type ?? given.type ?? 'default';
  // The reference takes `type` in some places and passes over it in others.
  if (given.type !== undefined && (given.type !== kind || (scaling?.type && !scaling.rope_type))) {
    throw unsupported(
      `rope_parameters.${type}: "type" is "${given.type}", which the reference does not read in every place. Give rope_type instead.`,
    );
  }
  if (kind !== 'default' && kind !== 'linear') {
    throw unsupported(`rope_parameters.${type}.rope_type is "${kind}"; only "default" and "linear" are supported.`);
  }
  const share = given.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (share !== 1) {
    throw unsupported(`rope_parameters.${type}: partial_rotary_factor is ${share}; whole heads are rotated here.`);
  }
  if (kind === 'linear' && given.factor === undefined) {
    throw unsupported(`rope_parameters.${type} is linear without a factor.`);
  }
  const older = full ? raw.rope_theta : raw.rope_local_base_freq;
  if (given.rope_theta === undefined && older === null) {
    throw unsupported(`${full ? 'rope_theta' : 'rope_local_base_freq'} is null; expected a number.`);
  }
  const fallback = older ?? (full ? 1_000_000 : 10_000);
  return { theta: given.rope_theta ?? fallback, factor: kind === 'linear' ? given.factor! : 1 };
}
