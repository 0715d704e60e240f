/** Checkpoints of the published shapes with random weights: for speed and memory, never for results. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeRandomCheckpoint } from '../src/model/random-checkpoint.js';

interface Shape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly window: number;
}

/** T5Gemma 2 as Google publishes it; encoder and decoder are alike. */
export const SHAPES = {
  '270m': { hidden: 640, intermediate: 2048, layers: 18, heads: 4, keyValueHeads: 1, window: 512 },
  '1b': { hidden: 1152, intermediate: 6912, layers: 26, heads: 4, keyValueHeads: 1, window: 512 },
  '4b': { hidden: 2560, intermediate: 10_240, layers: 34, heads: 8, keyValueHeads: 4, window: 1024 },
} as const satisfies Record<string, Shape>;

/** Benchmarks leave what is expensive to make here; not in git. */
export const WORK = path.resolve(import.meta.dirname, '../.work/bench');

/**
 * The folder of a checkpoint; made if it is not there.
 * @param layers fewer than the shape has, to measure what a layer costs
 */
export function benchCheckpoint(name: keyof typeof SHAPES, layers: number = SHAPES[name].layers): Promise<string> {
  return made(`${name}-${layers}`, configOf({ ...SHAPES[name], layers }));
}

/** A checkpoint of google/flan-t5-base's shape. */
export function flanT5Checkpoint(): Promise<string> {
  return made('flan-t5-base', FLAN_T5_BASE);
}

async function made(name: string, config: object): Promise<string> {
  const directory = path.join(WORK, 'checkpoints', name);
  if (existsSync(directory)) return directory;
  const partial = `${directory}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  const source = path.join(partial, 'source');
  await mkdir(source);
  await writeFile(path.join(source, 'config.json'), JSON.stringify(config));
  await writeRandomCheckpoint(source, partial, 1);
  await rm(source, { recursive: true });
  await rename(partial, directory);
  return directory;
}

const FLAN_T5_BASE = {
  architectures: ['T5ForConditionalGeneration'],
  model_type: 't5',
  is_encoder_decoder: true,
  vocab_size: 32_128,
  d_model: 768,
  d_kv: 64,
  d_ff: 2048,
  num_layers: 12,
  num_decoder_layers: 12,
  num_heads: 12,
  feed_forward_proj: 'gated-gelu',
  layer_norm_epsilon: 1e-6,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
  tie_word_embeddings: false,
};

function configOf(shape: Shape) {
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
