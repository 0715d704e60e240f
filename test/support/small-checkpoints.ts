/** Checkpoints of further families, made in a moment: random weights, and a tokenizer with the family's frame. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeRandomCheckpoint } from '../../src/model/random-checkpoint.js';
import { referenceFixture, temporaryFolder } from './fixtures.js';
import { type Family, tokenizerFixture } from './tokenizers.js';

export interface Kind {
  readonly config: object;
  /** The content of tokenizer.json and tokenizer_config.json. */
  readonly tokenizer: () => Promise<{ readonly tokenizer: object; readonly settings: object }>;
  readonly hasBos: boolean;
  readonly end: number;
}

/** The words of the fixture `text` in T5's frame. */
async function t5Tokenizer() {
  const read = async (name: string) => JSON.parse(await readFile(path.join(referenceFixture('text'), name), 'utf8'));
  const tokenizer = await read('tokenizer.json');
  tokenizer.post_processor.single = [
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '<eos>', type_id: 0 } },
  ];
  tokenizer.post_processor.special_tokens = { '<eos>': { id: '<eos>', ids: [1], tokens: ['<eos>'] } };
  return { tokenizer, settings: await read('tokenizer_config.json') };
}

/** A byte-level tokenizer of BART's form. */
async function bartTokenizer() {
  const { tokenizer, pipelines } = tokenizerFixture<Family>('byte-level');
  const { changes } = pipelines.find(({ name }) => name === 'BART Roberta space False trim False')!;
  return { tokenizer: { ...tokenizer, ...changes }, settings: { tokenizer_class: 'BartTokenizerFast' } };
}

export const KINDS: Record<'t5' | 'bart', Kind> = {
  t5: {
    config: {
      model_type: 't5',
      vocab_size: 512,
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

/** Random weights of a kind, with its tokenizer. */
export async function checkpoint({ config, tokenizer }: Kind): Promise<string> {
  const [source, folder] = [await temporaryFolder(), await temporaryFolder()];
  const made = await tokenizer();
  const files = { 'config.json': config, 'tokenizer.json': made.tokenizer, 'tokenizer_config.json': made.settings };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(source, name), JSON.stringify(content));
  }
  await writeRandomCheckpoint(source, folder, 7);
  return folder;
}
