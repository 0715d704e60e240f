/** Checkpoints of the published shapes with random weights: for speed and memory, never for results. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeRandomCheckpoint } from '../src/model/random-checkpoint.js';
import { T5GEMMA2_SHAPES as SHAPES, t5gemma2Config } from '../src/scoring/published-config.js';
import { gemma3Folder } from '../test/support/gemma3.js';

export { T5GEMMA2_SHAPES as SHAPES } from '../src/scoring/published-config.js';

/** Benchmarks leave what is expensive to make here; not in git. */
export const WORK = path.resolve(import.meta.dirname, '../.work/bench');

/**
 * The folder of a checkpoint; made if it is not there.
 * @param layers fewer than the shape has, to measure what a layer costs
 */
export function benchCheckpoint(name: keyof typeof SHAPES, layers: number = SHAPES[name].layers): Promise<string> {
  return made(`${name}-${layers}`, t5gemma2Config({ ...SHAPES[name], layers }));
}

/** The folder of a checkpoint with the tokenizer of the model that it has the shape of. */
export async function tokenizedCheckpoint(name: keyof typeof SHAPES): Promise<string> {
  const directory = await benchCheckpoint(name);
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    const copy = path.join(directory, file);
    if (!existsSync(copy)) await copyFile(path.join(gemma3Folder(), file), copy);
  }
  return directory;
}

/** A checkpoint of google/flan-t5-base's shape. */
export function flanT5Checkpoint(): Promise<string> {
  return made('flan-t5-base', FLAN_T5_BASE);
}

/** A checkpoint of no size, for trying the benchmarks themselves. */
export function tinyCheckpoint(): Promise<string> {
  const small = {
    vocab_size: 1200,
    d_model: 64,
    d_kv: 16,
    d_ff: 128,
    num_layers: 2,
    num_decoder_layers: 2,
    num_heads: 4,
  };
  return made('tiny', { ...FLAN_T5_BASE, ...small });
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
