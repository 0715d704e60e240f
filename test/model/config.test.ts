import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { familyOf, type ModelConfig, parseConfig, readConfig } from '../../src/model/families/families.js';
import { parseT5Gemma2 } from '../../src/model/families/t5gemma2/config.js';
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
    const { encoder, decoder, ...rest } = parseT5Gemma2(read('one-kv-head'), 'config.json');
    expect(encoder.layerTypes.map((type) => type[0])).toEqual(['s', 's', 'f', 's', 's', 'f']);
    expect(encoder.rope).toEqual({
      full_attention: { theta: 1_000_000, factor: 8 },
      sliding_attention: { theta: 10_000, factor: 1 },
    });
    expect([encoder.slidingWindow, decoder.slidingWindow]).toEqual([8, 4]);
    expect(rest).toEqual({
      family: 't5gemma2',
      vocabularySize: 320,
      hiddenSize: 32,
      finalLogitSoftcap: null,
      decoderStartTokenId: 2,
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
    const { encoder } = parseT5Gemma2(older, 'config.json');
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
    [
      'CHECKPOINT_INVALID',
      'encoder.text_config.sliding_window is null',
      (c) => (c.encoder.text_config.sliding_window = null),
    ],
    [
      'CHECKPOINT_INVALID',
      'sliding_window_pattern is null',
      (c) => Object.assign(c.decoder, { layer_types: null, sliding_window_pattern: null }),
    ],
    [
      'CHECKPOINT_INVALID',
      'not a multiple of num_attention_heads',
      (c) => Object.assign(c.decoder, { num_attention_heads: 3, num_key_value_heads: 1 }),
    ],
    ['CHECKPOINT_INVALID', 'query_pre_attn_scalar', (c) => (c.decoder.query_pre_attn_scalar = 16.5)],
    ['CHECKPOINT_INVALID', 'num_hidden_layers', (c) => (c.decoder.num_hidden_layers = 1e9)],
    ['CHECKPOINT_INVALID', 'is_encoder_decoder is false', (c) => (c.is_encoder_decoder = false)],
    ['CHECKPOINT_INVALID', 'pad_token_id is 400', (c) => (c.decoder.pad_token_id = 400)],
    ['CHECKPOINT_INVALID', 'decoder.bos_token_id', (c) => (c.decoder.bos_token_id = null)],
    ['CHECKPOINT_INVALID', 'eoi_token_id is 7', (c) => (c.encoder.eoi_token_id = 7)],
    ['MODEL_UNSUPPORTED', 'partial_rotary_factor is 0.5', (c) => (c.decoder.partial_rotary_factor = 0.5)],
    [
      'MODEL_UNSUPPORTED',
      'partial_rotary_factor is 0.25',
      (c) => (c.decoder.rope_parameters.full_attention.partial_rotary_factor = 0.25),
    ],
    [
      'MODEL_UNSUPPORTED',
      'Give rope_type instead',
      (c) => Object.assign(c.decoder, { rope_parameters: null, rope_scaling: { type: 'linear', factor: 4 } }),
    ],
    ['MODEL_UNSUPPORTED', 'Give rope_type instead', (c) => (c.decoder.rope_parameters.full_attention.type = 'yarn')],
    [
      'MODEL_UNSUPPORTED',
      'rope_scaling stands beside',
      (c) =>
        Object.assign(c.decoder, {
          rope_parameters: { sliding_attention: {} },
          rope_scaling: { rope_type: 'linear', factor: 4 },
        }),
    ],
    [
      'MODEL_UNSUPPORTED',
      'rope_theta is null',
      (c) => Object.assign(c.decoder, { rope_parameters: null, rope_theta: null }),
    ],
    ['MODEL_UNSUPPORTED', 'decoder.is_causal is false', (c) => (c.decoder.is_causal = false)],
    ['MODEL_UNSUPPORTED', 'quantization_config', (c) => (c.quantization_config = { quant_method: 'bitsandbytes' })],
    ['MODEL_UNSUPPORTED', 'quantization_config', (c) => (c.decoder.quantization_config = { bits: 8 })],
    ['MODEL_UNSUPPORTED', 'per_layer_config', (c) => (c.encoder.text_config.per_layer_config = { 0: { head_dim: 8 } })],
    ['MODEL_UNSUPPORTED', 'decoder_start_token_id is 7', (c) => (c.decoder_start_token_id = 7)],
  ])('says %s: %s', (code, message, edit) => {
    expect(() => parseConfig(edited(edit), 'some/config.json')).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(() => parseConfig(edited(edit), 'some/config.json')).toThrow('some/config.json');
  });

  // What the reference passes over: its numbers are those of the config without it (transformers 5.23).
  it.each<[string, (config: Json) => void]>([
    ['an untied decoder', (c) => (c.decoder.tie_word_embeddings = false)],
    ['an untied encoder', (c) => (c.encoder.tie_word_embeddings = false)],
    ['a softcap of attention', (c) => (c.decoder.attn_logit_softcapping = 5)],
    ['a softcap of the encoder', (c) => (c.encoder.text_config.final_logit_softcapping = 5)],
    ['a bidirectional attention', (c) => (c.decoder.use_bidirectional_attention = true)],
    ['rotation of whole heads', (c) => (c.decoder.partial_rotary_factor = 1)],
    ['an older theta beside newer parameters', (c) => Object.assign(c.decoder, { rope_theta: null, rope_scaling: {} })],
    ['a pattern beside layer types', (c) => (c.decoder.sliding_window_pattern = 2)],
    [
      'an index at the top',
      (c) => Object.assign(c, { eoi_token_index: 5, vocab_size: 9, sliding_window: 2, is_causal: false }),
    ],
    ['types of layers where factors are', (c) => (c.decoder.rope_parameters.factor = 2)],
  ])('means nothing: %s', (_, edit) => {
    expect(parseConfig(edited(edit), 'config.json')).toEqual(parseConfig(read('one-kv-head'), 'config.json'));
  });

  // What transformers 5.23 takes: generation_config.json, else the top of config.json, else its decoder.
  it.each<[unknown, unknown, unknown, readonly number[]]>([
    [undefined, undefined, 1, [1]],
    [undefined, undefined, [1, 2], [1, 2]],
    [undefined, null, 1, [1]],
    [undefined, 5, undefined, [5]],
    [undefined, [5, 6], 1, [5, 6]],
    [7, [5, 6], 1, [7]],
    [[7, 8], undefined, 1, [7, 8]],
    // Without one it would go on to the limit where the file is there, and where it is not.
    [null, 5, 1, [5]],
    [undefined, undefined, undefined, [1]],
  ])('ends texts as generation_config.json (%j), config.json (%j) and its decoder (%j) say', async (...row) => {
    const [generation, top, decoder, expected] = row;
    const folder = await temporaryFolder();
    const config = edited((c) => {
      c.eos_token_id = top;
      c.decoder.eos_token_id = decoder;
    });
    await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
    if (generation !== undefined) {
      await writeFile(path.join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: generation }));
    }
    const read = await readConfig(folder);
    expect(read.stopTokenIds).toEqual(expected);
    // What a model is known by stays what it was.
    const others = edited((c) => {
      c.decoder.eos_token_id = decoder;
    });
    const facts = (config: ModelConfig) => [familyOf(config).arithmetic(config), familyOf(config).release010?.(config)];
    expect(facts(read)).toEqual(facts(parseConfig(others, 'config.json')));
  });

  it("refuses texts that begin with something else than the decoder's BOS, and broken ids", async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'config.json'), JSON.stringify(read('one-kv-head')));
    const expectRefused = async (json: unknown, code: string, message: string) => {
      await writeFile(path.join(folder, 'generation_config.json'), JSON.stringify(json));
      await expect(readConfig(folder)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    };
    await expectRefused({ bos_token_id: 7 }, 'MODEL_UNSUPPORTED', 'bos_token_id is 7');
    await expectRefused(
      { bos_token_id: 2, decoder_start_token_id: 0 },
      'MODEL_UNSUPPORTED',
      'decoder_start_token_id is 0',
    );
    await expectRefused({ eos_token_id: 'end' }, 'CHECKPOINT_INVALID', 'generation_config.json');
    await expectRefused({ eos_token_id: [] }, 'CHECKPOINT_INVALID', 'eos_token_id');
    await expectRefused([], 'CHECKPOINT_INVALID', 'generation_config.json');
  });

  it('says what is missing from a folder without a config', async () => {
    const folder = await temporaryFolder();
    await expect(readConfig(folder)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
    await expect(readConfig(folder)).rejects.toThrow(path.join(folder, 'config.json'));
  });
});
