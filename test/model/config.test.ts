import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { arithmeticOf, parseConfig, readConfig } from '../../src/model/config.js';
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
    expect(arithmeticOf(read)).toEqual(arithmeticOf(parseConfig(others, 'config.json')));
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
