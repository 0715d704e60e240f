/**
 * `config.json` of a BART checkpoint as one validated type. A value means what it means to the reference (transformers' `configuration_bart.py`), or is
 * refused by its name.
 */
import { z } from 'zod';
import { DkvError } from '../../../base/errors.js';
import type { Activation } from '../../graph/feed-forward.js';
import { ACTIVATION_OF, expectSameStart, isEmpty, listed, parsedBy, tokenId, tokenIds } from '../config-json.js';

/** One side of the model, encoder or decoder. */
export interface BartStack {
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
}

export interface BartConfig {
  readonly family: 'bart';
  readonly vocabularySize: number;
  /** The width of a row, on both sides. */
  readonly width: number;
  readonly encoder: BartStack;
  readonly decoder: BartStack;
  /** The number of rows that each side has positions for. */
  readonly maxPositions: number;
  readonly activation: Activation;
  /** Whether rows of tokens are multiplied by sqrt(width). */
  readonly scalesEmbedding: boolean;
  /** True where logits have a bias, which is where one is stored. */
  readonly hasLogitsBias: boolean;
  readonly decoderStartTokenId: number;
  readonly padTokenId: number;
  /** The token ids of which any one ends a generated text: `eos_token_id` of generation_config.json, or else of config.json. */
  readonly stopTokenIds: readonly number[];
}

const positive = z.number().int().positive();

const configSchema = z.object({
  model_type: z.literal('bart'),
  vocab_size: positive,
  d_model: positive,
  encoder_layers: positive.max(10_000),
  encoder_attention_heads: positive,
  encoder_ffn_dim: positive,
  decoder_layers: positive.max(10_000),
  decoder_attention_heads: positive,
  decoder_ffn_dim: positive,
  max_position_embeddings: positive.default(1024),
  activation_function: z.string().default('gelu'),
  scale_embedding: z.boolean().nullish(),
  decoder_start_token_id: tokenId.nullish(),
  pad_token_id: tokenId.nullish(),
  eos_token_id: tokenIds.nullish(),
  tie_word_embeddings: z.boolean().default(true),
  is_encoder_decoder: z.boolean().default(true),
  quantization_config: z.unknown().optional(),
  normalize_before: z.boolean().nullish(),
  add_final_layer_norm: z.boolean().nullish(),
  normalize_embedding: z.boolean().nullish(),
  static_position_embeddings: z.boolean().nullish(),
});

/** Keys of a config that early releases of transformers read, with the values that today's release assumes. */
const TAKEN_FOR_GRANTED = {
  normalize_before: false,
  add_final_layer_norm: false,
  normalize_embedding: true,
  static_position_embeddings: false,
} as const;

const generationSchema = z.object({
  eos_token_id: tokenIds.nullish(),
  decoder_start_token_id: tokenId.nullish(),
});

/** Validates the content of `config.json`; `file` is named in errors. */
export function parseBart(json: unknown, file: string): BartConfig {
  const raw = parsedBy(configSchema, json, file);
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  const unsupported = (message: string) => new DkvError('MODEL_UNSUPPORTED', `${file}: ${message}`);
  if (!raw.is_encoder_decoder) throw invalid('is_encoder_decoder is false; BART has an encoder and a decoder.');
  if (!isEmpty(raw.quantization_config)) {
    throw unsupported('has a quantization_config; expected a checkpoint of plain F32, F16 or BF16 weights.');
  }
  if (!raw.tie_word_embeddings) {
    throw unsupported(
      "tie_word_embeddings is false; expected a head that reads the embedding's table, as BART's does.",
    );
  }
  for (const [name, expected] of Object.entries(TAKEN_FOR_GRANTED)) {
    const found = raw[name as keyof typeof TAKEN_FOR_GRANTED] ?? expected;
    if (found !== expected)
      throw unsupported(`${name} is ${found}; expected ${expected}, as transformers computes BART.`);
  }
  const activation = ACTIVATION_OF[raw.activation_function];
  if (!activation) {
    throw unsupported(
      `activation_function is "${raw.activation_function}"; supported are ${Object.keys(ACTIVATION_OF).join(', ')}.`,
    );
  }
  const sides = {
    encoder: { layers: raw.encoder_layers, heads: raw.encoder_attention_heads, intermediateSize: raw.encoder_ffn_dim },
    decoder: { layers: raw.decoder_layers, heads: raw.decoder_attention_heads, intermediateSize: raw.decoder_ffn_dim },
  };
  for (const [side, { heads }] of Object.entries(sides)) {
    if (raw.d_model % heads === 0) continue;
    throw invalid(`d_model is ${raw.d_model}; expected a multiple of ${side}_attention_heads, ${heads}.`);
  }
  const pad = raw.pad_token_id ?? 1;
  const start = raw.decoder_start_token_id ?? 2;
  for (const [name, id] of Object.entries({ pad_token_id: pad, decoder_start_token_id: start })) {
    if (id >= raw.vocab_size) throw invalid(`${name} is ${id}, beyond a vocabulary of ${raw.vocab_size}.`);
  }
  return {
    family: 'bart',
    vocabularySize: raw.vocab_size,
    width: raw.d_model,
    ...sides,
    maxPositions: raw.max_position_embeddings,
    activation,
    scalesEmbedding: raw.scale_embedding ?? false,
    hasLogitsBias: true,
    decoderStartTokenId: start,
    padTokenId: pad,
    stopTokenIds: listed(raw.eos_token_id) ?? [2],
  };
}

/** The config with what `generation_config.json` says of the end of a text. */
export function withGeneration(config: BartConfig, json: unknown, file: string): BartConfig {
  const raw = parsedBy(generationSchema, json, file);
  expectSameStart(raw.decoder_start_token_id, config.decoderStartTokenId, file);
  return { ...config, stopTokenIds: listed(raw.eos_token_id) ?? config.stopTokenIds };
}
