/**
 * `config.json` of a T5 checkpoint (T5 1.0 and 1.1, FLAN-T5, mT5) as one validated type. A value means what it means to the reference (transformers'
 * `configuration_t5.py` and `configuration_mt5.py`), or is refused by its name.
 */
import { z } from 'zod';
import { DkvError } from '../../../base/errors.js';
import type { Activation } from '../../graph/feed-forward.js';
import { ACTIVATION_OF, expectSameStart, isEmpty, listed, parsedBy, tokenId, tokenIds } from '../config-json.js';

export interface T5Config {
  readonly family: 't5';
  readonly vocabularySize: number;
  /** The width of a row, on both sides. */
  readonly width: number;
  readonly heads: number;
  /** The width of a head. heads * headDim need not be the width. */
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly buckets: number;
  readonly maxDistance: number;
  readonly activation: Activation;
  /** True where the feed-forward network multiplies two products. */
  readonly isGated: boolean;
  readonly epsilon: number;
  /** True where the head's table is the embedding's, because none of its own is stored. */
  readonly isTied: boolean;
  /** True where the head reads rows times width^-0.5. */
  readonly scalesHead: boolean;
  readonly decoderStartTokenId: number;
  readonly padTokenId: number;
  /** The token ids of which any one ends a generated text: `eos_token_id` of generation_config.json, or else of config.json. */
  readonly stopTokenIds: readonly number[];
}

const positive = z.number().int().positive();
const flag = z
  .boolean()
  .nullable()
  .transform((value) => value ?? false);

const configSchema = z.object({
  model_type: z.enum(['t5', 'mt5']),
  vocab_size: positive,
  d_model: positive,
  d_kv: positive,
  d_ff: positive,
  num_layers: positive.max(10_000),
  num_decoder_layers: positive.max(10_000).nullish(),
  num_heads: positive,
  relative_attention_num_buckets: positive.default(32),
  relative_attention_max_distance: positive.default(128),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  // The reference cannot load a null of these two, and takes one of the flags for false.
  feed_forward_proj: z.string().optional(),
  dense_act_fn: z.string().optional(),
  is_gated_act: flag.optional(),
  tie_word_embeddings: z.boolean().nullish(),
  scale_decoder_outputs: flag.optional(),
  decoder_start_token_id: tokenId.nullish(),
  pad_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  is_encoder_decoder: z.boolean().default(true),
  quantization_config: z.unknown().optional(),
  hidden_size: z.unknown().optional(),
  num_attention_heads: z.unknown().optional(),
  num_hidden_layers: z.unknown().optional(),
  head_dim: z.unknown().optional(),
});

/** Names of one thing that the reference treats as equal. */
const OTHER_NAMES = {
  d_model: 'hidden_size',
  num_heads: 'num_attention_heads',
  num_layers: 'num_hidden_layers',
  d_kv: 'head_dim',
} as const;

const generationSchema = z.object({
  eos_token_id: tokenIds.nullish(),
  decoder_start_token_id: tokenId.nullish(),
});

/** Validates the content of `config.json`; `file` is named in errors. */
export function parseT5(json: unknown, file: string): T5Config {
  const raw = parsedBy(configSchema, json, file);
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  const unsupported = (message: string) => new DkvError('MODEL_UNSUPPORTED', `${file}: ${message}`);
  if (!raw.is_encoder_decoder) throw invalid('is_encoder_decoder is false; T5 has an encoder and a decoder.');
  if (!isEmpty(raw.quantization_config)) {
    throw unsupported('has a quantization_config; expected a checkpoint of plain F32, F16 or BF16 weights.');
  }
  if (raw.relative_attention_num_buckets % 4 !== 0) {
    throw unsupported(
      `relative_attention_num_buckets is ${raw.relative_attention_num_buckets}; expected a multiple of 4.`,
    );
  }
  // A quarter of the buckets is for single distances; the others grow up to the largest.
  if (raw.relative_attention_max_distance <= raw.relative_attention_num_buckets / 2) {
    throw invalid(
      `relative_attention_max_distance is ${raw.relative_attention_max_distance}, not beyond half of the ${raw.relative_attention_num_buckets} buckets.`,
    );
  }
  const isMultilingual = raw.model_type === 'mt5';
  const isTied = raw.tie_word_embeddings ?? !isMultilingual;
  const pad = raw.pad_token_id ?? 0;
  // T5 has no default, mT5 has.
  const start = raw.decoder_start_token_id ?? (isMultilingual && raw.decoder_start_token_id === undefined ? 0 : null);
  if (start === null) {
    throw invalid(
      'decoder_start_token_id is missing: the decoder has to read something first (0 in the checkpoints of T5).',
    );
  }
  const ends = listed(raw.eos_token_id);
  if (ends === undefined)
    throw invalid('eos_token_id is missing: nothing would end a text (1 in the checkpoints of T5).');
  for (const [name, other] of Object.entries(OTHER_NAMES)) {
    const [one, two] = [raw[name as keyof typeof raw], raw[other as keyof typeof raw]];
    if (two === undefined || two === one) continue;
    throw invalid(`${name} is ${one} and ${other}, its other name, ${two}. Give the first alone.`);
  }
  for (const [name, id] of Object.entries({ pad_token_id: pad, decoder_start_token_id: start })) {
    if (id >= raw.vocab_size) throw invalid(`${name} is ${id}, beyond a vocabulary of ${raw.vocab_size}.`);
  }
  return {
    family: 't5',
    vocabularySize: raw.vocab_size,
    width: raw.d_model,
    heads: raw.num_heads,
    headDim: raw.d_kv,
    intermediateSize: raw.d_ff,
    encoderLayers: raw.num_layers,
    decoderLayers: raw.num_decoder_layers ?? raw.num_layers,
    buckets: raw.relative_attention_num_buckets,
    maxDistance: raw.relative_attention_max_distance,
    ...feedForwardOf(raw, isMultilingual, unsupported),
    epsilon: raw.layer_norm_epsilon,
    isTied,
    scalesHead: !isMultilingual && (raw.scale_decoder_outputs ?? isTied),
    decoderStartTokenId: start,
    padTokenId: pad,
    stopTokenIds: ends,
  };
}

/**
 * `dense_act_fn` and `is_gated_act` go before `feed_forward_proj`, which names both at once. "gated-gelu" alone means the tanh form, as the reference
 * has it for the sake of T5 1.1.
 */
function feedForwardOf(
  raw: z.infer<typeof configSchema>,
  isMultilingual: boolean,
  unsupported: (message: string) => DkvError,
): Pick<T5Config, 'activation' | 'isGated'> {
  const projection = raw.feed_forward_proj ?? (isMultilingual ? 'gated-gelu' : 'relu');
  const [, gate, named = projection] = /^(gated-)?(.+)$/.exec(projection) ?? [];
  const name = raw.dense_act_fn ?? (projection === 'gated-gelu' ? 'gelu_new' : named);
  const activation = ACTIVATION_OF[name];
  if (!activation) {
    throw unsupported(
      `the activation of its feed-forward networks is "${name}"; supported are ${Object.keys(ACTIVATION_OF).join(', ')}.`,
    );
  }
  return { activation, isGated: raw.is_gated_act ?? gate !== undefined };
}

/** The config with what `generation_config.json` says of the end of a text. */
export function withGeneration(config: T5Config, json: unknown, file: string): T5Config {
  const raw = parsedBy(generationSchema, json, file);
  expectSameStart(raw.decoder_start_token_id, config.decoderStartTokenId, file);
  return { ...config, stopTokenIds: listed(raw.eos_token_id) ?? config.stopTokenIds };
}
