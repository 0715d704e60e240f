/**
 * `config.json` of a T5Gemma 2 checkpoint, of any size and of both published forms, as one validated type.
 * Everything the graphs depend on is read from here; nothing about a size is assumed.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError, messageOf } from '../errors.js';

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
  /** Window w of the sliding layers, in rows. */
  readonly slidingWindow: number;
  readonly rope: Readonly<Record<LayerType, RopeConfig>>;
  /** Attention scores are multiplied by queryPreAttentionScalar^-0.5. */
  readonly queryPreAttentionScalar: number;
  readonly rmsNormEpsilon: number;
}

export interface ModelConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly encoder: StackConfig;
  readonly decoder: StackConfig;
  /** logits = cap * tanh(logits / cap), or null for none. */
  readonly finalLogitSoftcap: number | null;
  readonly bosTokenId: number;
  /** Any of these ends a generated text. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number;
  /** The token whose embedding is a row of its own, used unscaled. */
  readonly endOfImageTokenId: number;
}

const positive = z.number().int().positive();

const ropeSchema = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: z.number().positive().optional(),
    factor: z.number().positive().optional(),
  })
  .nullish();

const stackSchema = z.object({
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive,
  head_dim: positive,
  hidden_activation: z.string().default('gelu_pytorch_tanh'),
  rms_norm_eps: z.number().positive().default(1e-6),
  query_pre_attn_scalar: z.number().positive(),
  sliding_window: positive.nullish(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
  sliding_window_pattern: positive.nullish(),
  rope_parameters: z.object({ full_attention: ropeSchema, sliding_attention: ropeSchema }).nullish(),
  rope_theta: z.number().positive().nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  rope_scaling: ropeSchema,
  attention_bias: z.boolean().default(false),
  final_logit_softcapping: z.number().positive().nullish(),
  bos_token_id: z.number().int().nonnegative().nullish(),
  eos_token_id: z.union([z.number().int().nonnegative(), z.array(z.number().int().nonnegative())]).nullish(),
  pad_token_id: z.number().int().nonnegative().nullish(),
  tie_word_embeddings: z.boolean().default(true),
});

const configSchema = z.object({
  model_type: z.literal('t5gemma2'),
  encoder: z.object({
    text_config: stackSchema,
    eoi_token_index: z.number().int().nonnegative().default(256_000),
  }),
  decoder: stackSchema,
  tie_word_embeddings: z.boolean().default(true),
});

type RawStack = z.infer<typeof stackSchema>;

/**
 * Reads and validates `config.json` in a checkpoint folder.
 * @throws DkvError CHECKPOINT_INVALID (missing, not JSON, a field of the wrong kind, sizes that contradict each other) or
 *   MODEL_UNSUPPORTED (another architecture, or a variant of this one that is not implemented)
 */
export async function readConfig(directory: string): Promise<ModelConfig> {
  const file = path.join(directory, 'config.json');
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : messageOf(error);
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${file}: ${reason}. Expected the config.json of a Hugging Face checkpoint folder.`,
    );
  }
  return parseConfig(json, file);
}

/** Validates the content of `config.json`; `file` is named in errors. */
export function parseConfig(json: unknown, file: string): ModelConfig {
  const modelType = (json as { model_type?: unknown } | null)?.model_type;
  if (modelType !== 't5gemma2') {
    throw new DkvError(
      'MODEL_UNSUPPORTED',
      `${file}: model_type is ${JSON.stringify(modelType)}; only "t5gemma2" (T5Gemma 2) is supported.`,
    );
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    throw new DkvError('CHECKPOINT_INVALID', `${file}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  }
  const { encoder, decoder } = parsed.data;
  const text = encoder.text_config;
  const sameOnBothSides = (name: 'vocab_size' | 'hidden_size') => {
    if (text[name] === decoder[name]) return;
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${file}: ${name} is ${text[name]} in encoder.text_config and ${decoder[name]} in decoder; T5Gemma 2 ties them.`,
    );
  };
  sameOnBothSides('vocab_size');
  sameOnBothSides('hidden_size');
  if (!parsed.data.tie_word_embeddings || !decoder.tie_word_embeddings) {
    throw new DkvError(
      'MODEL_UNSUPPORTED',
      `${file}: tie_word_embeddings is false; only tied embeddings are supported.`,
    );
  }
  const eos = decoder.eos_token_id ?? 1;
  return {
    vocabularySize: decoder.vocab_size,
    hiddenSize: decoder.hidden_size,
    encoder: stackConfig(text, 'encoder.text_config', file),
    decoder: stackConfig(decoder, 'decoder', file),
    finalLogitSoftcap: decoder.final_logit_softcapping ?? null,
    bosTokenId: decoder.bos_token_id ?? 2,
    eosTokenIds: Array.isArray(eos) ? eos : [eos],
    padTokenId: decoder.pad_token_id ?? 0,
    endOfImageTokenId: encoder.eoi_token_index,
  };
}

function stackConfig(raw: RawStack, where: string, file: string): StackConfig {
  const unsupported = (message: string) => new DkvError('MODEL_UNSUPPORTED', `${file}: ${where}.${message}`);
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${where}.${message}`);
  if (raw.hidden_activation !== 'gelu_pytorch_tanh') {
    throw unsupported(`hidden_activation is "${raw.hidden_activation}"; only "gelu_pytorch_tanh" is supported.`);
  }
  if (raw.attention_bias) throw unsupported('attention_bias is true; only layers without bias are supported.');
  if (raw.num_attention_heads % raw.num_key_value_heads !== 0) {
    throw invalid(
      `num_attention_heads (${raw.num_attention_heads}) is not a multiple of num_key_value_heads (${raw.num_key_value_heads}).`,
    );
  }
  if (raw.head_dim % 2 !== 0) throw invalid(`head_dim is ${raw.head_dim}; rotary embeddings need an even number.`);
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
    slidingWindow: raw.sliding_window ?? 4096,
    rope: {
      full_attention: ropeOf(raw, 'full_attention', unsupported),
      sliding_attention: ropeOf(raw, 'sliding_attention', unsupported),
    },
    queryPreAttentionScalar: raw.query_pre_attn_scalar,
    rmsNormEpsilon: raw.rms_norm_eps,
  };
}

/** Newer configs list every layer; older ones say that every n-th layer has full attention. */
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
  const given = { ...raw.rope_parameters?.[type], ...(full ? raw.rope_scaling : undefined) };
  const kind = given.rope_type ?? given.type ?? 'default';
  if (kind !== 'default' && kind !== 'linear') {
    throw unsupported(`rope_parameters.${type}.rope_type is "${kind}"; only "default" and "linear" are supported.`);
  }
  if (kind === 'linear' && given.factor === undefined) {
    throw unsupported(`rope_parameters.${type} is linear without a factor.`);
  }
  const fallback = full ? (raw.rope_theta ?? 1_000_000) : (raw.rope_local_base_freq ?? 10_000);
  return { theta: given.rope_theta ?? fallback, factor: kind === 'linear' ? given.factor! : 1 };
}
