/** Checkpoints of further families, made in a moment: random weights, and a tokenizer with the family's frame. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeRandomCheckpoint } from '../../src/model/random-checkpoint.js';
import { type Family, tokenizerFixture, unigramFixture } from './tokenizers.js';

export interface Kind {
  readonly config: object;
  /** The content of tokenizer.json and tokenizer_config.json. */
  readonly tokenizer: () => { readonly tokenizer: object; readonly settings: object };
  readonly hasBos: boolean;
  readonly end: number;
}

/** A Unigram tokenizer as T5's files have it. */
function t5Tokenizer() {
  const { tokenizer } = unigramFixture<Family>('t5');
  return { tokenizer, settings: { tokenizer_class: 'T5Tokenizer' } };
}

/** A byte-level tokenizer of BART's form. */
function bartTokenizer() {
  const { tokenizer, pipelines } = tokenizerFixture<Family>('byte-level');
  const { changes } = pipelines.find(({ name }) => name === 'BART Roberta space False trim False')!;
  return { tokenizer: { ...tokenizer, ...changes }, settings: { tokenizer_class: 'BartTokenizerFast' } };
}

export const KINDS: Record<'t5' | 'bart', Kind> = {
  t5: {
    config: {
      model_type: 't5',
      vocab_size: 1300,
      d_model: 48,
      d_kv: 8,
      d_ff: 96,
      num_layers: 2,
      num_heads: 4,
      feed_forward_proj: 'gated-gelu',
      tie_word_embeddings: false,
      decoder_start_token_id: 0,
      eos_token_id: 1,
    },
    tokenizer: t5Tokenizer,
    hasBos: false,
    end: 1,
  },
  bart: {
    config: {
      model_type: 'bart',
      vocab_size: 640,
      d_model: 48,
      encoder_layers: 2,
      decoder_layers: 2,
      encoder_attention_heads: 4,
      decoder_attention_heads: 4,
      encoder_ffn_dim: 96,
      decoder_ffn_dim: 96,
      max_position_embeddings: 512,
      activation_function: 'gelu',
      decoder_start_token_id: 2,
      eos_token_id: 2,
      bos_token_id: 0,
      pad_token_id: 1,
    },
    tokenizer: bartTokenizer,
    hasBos: true,
    end: 2,
  },
};

/**
 * Random weights of a kind, with its tokenizer: the same ones every time.
 * @returns the folder
 */
export async function writeSmallCheckpoint({ config, tokenizer }: Kind, folder: string): Promise<string> {
  const source = path.join(folder, 'source');
  await mkdir(source, { recursive: true });
  const made = tokenizer();
  const files = { 'config.json': config, 'tokenizer.json': made.tokenizer, 'tokenizer_config.json': made.settings };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(source, name), JSON.stringify(content));
  }
  await writeRandomCheckpoint(source, folder, 7);
  await rm(source, { recursive: true });
  return folder;
}
