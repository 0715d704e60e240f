import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfig } from '../../src/model/config.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

// biome-ignore lint/suspicious/noExplicitAny: configs are edited freely here
type Json = Record<string, any>;

const read = (name: string): Json => JSON.parse(readFileSync(path.join(referenceFixture(name), 'config.json'), 'utf8'));
const edited = (edit: (config: Json) => void): Json => {
  const config = read('one-kv-head');
  edit(config);
  return config;
};

describe('config', () => {
  it('reads the form with rope_parameters and layer_types', () => {
    const { encoder, decoder, ...rest } = parseConfig(read('one-kv-head'), 'config.json');
    expect(encoder.layerTypes.map((type) => type[0])).toEqual(['s', 's', 'f', 's', 's', 'f']);
    expect(encoder.rope).toEqual({
      full_attention: { theta: 1_000_000, factor: 8 },
      sliding_attention: { theta: 10_000, factor: 1 },
    });
    expect([encoder.slidingWindow, decoder.slidingWindow]).toEqual([8, 4]);
    expect(rest).toEqual({
      vocabularySize: 320,
      hiddenSize: 32,
      finalLogitSoftcap: null,
      bosTokenId: 2,
      eosTokenIds: [1],
      padTokenId: 0,
      endOfImageTokenId: 300,
      stopTokenIds: [1],
      maxPositions: 131_072,
    });
  });

  it('reads the older form the same', () => {
    const older = read('sharded-bf16');
    expect(older.decoder.rope_parameters).toBeUndefined();
    expect(older.decoder.layer_types).toBeUndefined();
    const { encoder } = parseConfig(older, 'config.json');
    expect(encoder.layerTypes.map((type) => type[0])).toEqual(['s', 's', 'f', 's', 's', 'f']);
    expect(encoder.rope.full_attention).toEqual({ theta: 1_000_000, factor: 8 });
    expect(encoder.rope.sliding_attention).toEqual({ theta: 10_000, factor: 1 });
  });

  it.each<[string, string, (config: Json) => void]>([
    ['MODEL_UNSUPPORTED', 'model_type is "gemma3"', (c) => (c.model_type = 'gemma3')],
    ['MODEL_UNSUPPORTED', 'hidden_activation is "relu"', (c) => (c.decoder.hidden_activation = 'relu')],
    ['MODEL_UNSUPPORTED', 'attention_bias', (c) => (c.encoder.text_config.attention_bias = true)],
    ['MODEL_UNSUPPORTED', '"yarn"', (c) => (c.decoder.rope_parameters.full_attention.rope_type = 'yarn')],
    ['MODEL_UNSUPPORTED', 'without a factor', (c) => delete c.decoder.rope_parameters.full_attention.factor],
    ['MODEL_UNSUPPORTED', 'tie_word_embeddings', (c) => (c.tie_word_embeddings = false)],
    [
      'CHECKPOINT_INVALID',
      'hidden_size is 64 in encoder.text_config and 32',
      (c) => (c.encoder.text_config.hidden_size = 64),
    ],
    [
      'CHECKPOINT_INVALID',
      'layer_types has 4 entries, num_hidden_layers is 5',
      (c) => (c.decoder.num_hidden_layers = 5),
    ],
    ['CHECKPOINT_INVALID', 'not a multiple', (c) => (c.decoder.num_key_value_heads = 3)],
    ['CHECKPOINT_INVALID', 'head_dim is 15', (c) => (c.decoder.head_dim = 15)],
    ['CHECKPOINT_INVALID', 'intermediate_size', (c) => (c.decoder.intermediate_size = 'many')],
    ['CHECKPOINT_INVALID', 'vocab_size', (c) => delete c.decoder.vocab_size],
  ])('says %s: %s', (code, message, edit) => {
    expect(() => parseConfig(edited(edit), 'some/config.json')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(() => parseConfig(edited(edit), 'some/config.json')).toThrow('some/config.json');
  });

  it('says what is missing from a folder without a config', async () => {
    const folder = await temporaryFolder();
    await expect(readConfig(folder)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
    await expect(readConfig(folder)).rejects.toThrow(path.join(folder, 'config.json'));
  });
});
