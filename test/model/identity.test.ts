/** What a model is known by. The digests are pinned: one that changes makes every store and run unreadable that was made before. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/base/canonical.js';
import { familyOf, type ModelConfig, parseConfig, readConfig } from '../../src/model/families/families.js';
import type { T5Gemma2Config } from '../../src/model/families/t5gemma2/config.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { DEVICES, type Device, type Target, targetOf } from '../../src/model/graph/target.js';
import { fingerprintOf, formerIdentities, type ModelFacts } from '../../src/model/identity.js';
import { referenceFixture } from '../support/fixtures.js';

const WEIGHTS = '11'.repeat(32);
const TOKENIZER = '22'.repeat(32);

const T5 = {
  model_type: 't5',
  vocab_size: 32_128,
  d_model: 512,
  d_kv: 64,
  d_ff: 1024,
  num_layers: 8,
  num_heads: 6,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
  decoder_start_token_id: 0,
  eos_token_id: 1,
  pad_token_id: 0,
};

const BART = {
  model_type: 'bart',
  vocab_size: 50_265,
  d_model: 768,
  encoder_layers: 6,
  decoder_layers: 6,
  encoder_attention_heads: 12,
  decoder_attention_heads: 12,
  encoder_ffn_dim: 3072,
  decoder_ffn_dim: 3072,
  max_position_embeddings: 1024,
  activation_function: 'gelu',
  decoder_start_token_id: 2,
  eos_token_id: 2,
  bos_token_id: 0,
  pad_token_id: 1,
};

async function facts(change: Partial<ModelFacts> = {}): Promise<ModelFacts> {
  const config = await readConfig(referenceFixture('one-kv-head'));
  return { config, weightsDigest: WEIGHTS, precision: 'float32', embeddingScale: 'exact', ...change };
}

describe('a fingerprint', () => {
  it.each<[string, Partial<ModelFacts>, string]>([
    ['T5Gemma 2 as float32', {}, '1bbb938bf36b9476727e70a56fc49fc6f574b83f5838fc8f5d993b3bc0f1d318'],
    ['as tf32', { precision: 'tf32' }, 'ee62613a08fbe9ffc90519119e1f297b7c10d7eb37624c62166e7cea974ab259'],
    ['as int8', { precision: 'int8' }, '609941cc202ef6e2cb7bdf5ad0fa5675384a7c5ba2dc8636766ca5793a5b60f8'],
    [
      'as bfloat16, with the embedding scale of a bfloat16 load',
      { precision: 'bfloat16', embeddingScale: 'bfloat16' },
      '785a41d4c6e8068638e6a2e2ee93f32789cd6b06ccb9712e0e735f72c8d223b0',
    ],
    [
      'T5',
      { config: parseConfig(T5, 'config.json') },
      '327fcf7a69102494578e5941d3812af0a3db47f21d1e66a1dc10b831798c9ce5',
    ],
    [
      'BART',
      { config: parseConfig(BART, 'config.json') },
      '6f97a018d955a3b790fb1c848e6869c89d3b34736bb62b728ee6e8dff1e9a686',
    ],
  ])('of %s stays what it is', async (_, change, expected) => {
    expect(fingerprintOf(await facts(change), TOKENIZER)).toBe(expected);
  });

  it('changes with what computes in 16 bits, and with no device that widens', async () => {
    const half = await facts({ precision: 'float16' });
    const target = (device: Device) => targetOf('float16', device);
    const on = (own: Target, precision: Precision = 'float16') =>
      fingerprintOf({ ...half, precision, target: own }, TOKENIZER);
    const before = fingerprintOf(half, TOKENIZER);
    expect(on(target('cpu'))).toBe(before);
    const float32 = fingerprintOf(await facts(), TOKENIZER);
    for (const device of DEVICES) expect(on(targetOf('float32', device), 'float32')).toBe(float32);
    const computing = ['cuda', 'webgpu', 'dml', 'coreml'] as const;
    expect(new Set([before, ...computing.map((device) => on(target(device)))]).size).toBe(computing.length + 1);
    expect(on(targetOf('bfloat16', 'cuda'), 'bfloat16')).not.toBe(on(target('cuda')));
  });

  it('of 0.1.0 stood for products in float32, on every device', async () => {
    const half = await facts({ precision: 'float16' });
    const [onCpu] = formerIdentities({ ...half, target: targetOf('float16', 'cpu') }, TOKENIZER);
    const [onGpu] = formerIdentities({ ...half, target: targetOf('float16', 'cuda') }, TOKENIZER);
    expect(onGpu!.fingerprint).toBe(onCpu!.fingerprint);
    expect(onCpu!.changed).toBeUndefined();
    expect(onGpu!.changed).toContain('products in float16');
  });

  it('does not depend on the order in which a config was written', async () => {
    const json = JSON.parse(await readFile(path.join(referenceFixture('one-kv-head'), 'config.json'), 'utf8'));
    const reversed = Object.fromEntries(Object.entries(json).reverse());
    const config = parseConfig(reversed, 'config.json');
    expect(fingerprintOf(await facts({ config }), TOKENIZER)).toBe(fingerprintOf(await facts(), TOKENIZER));
  });

  it('changes with every number that the config gives the arithmetic, and with nothing else', async () => {
    const before = fingerprintOf(await facts(), TOKENIZER);
    const { config } = await facts();
    const changed = (key: string, value: unknown) => ({ ...config, [key]: value }) as ModelConfig;
    for (const key of ['stopTokenIds', 'eosTokenIds', 'padTokenId', 'maxPositions']) {
      const other = changed(key, key.endsWith('s') && key !== 'maxPositions' ? [7] : 7);
      expect(fingerprintOf(await facts({ config: other }), TOKENIZER), key).toBe(before);
    }
    for (const [key, value] of Object.entries({
      vocabularySize: 321,
      hiddenSize: 33,
      finalLogitSoftcap: 30,
      decoderStartTokenId: 3,
      endOfImageTokenId: 301,
    })) {
      expect(fingerprintOf(await facts({ config: changed(key, value) }), TOKENIZER), key).not.toBe(before);
    }
    const stack = (config as T5Gemma2Config).encoder;
    for (const side of ['encoder', 'decoder']) {
      for (const key of Object.keys(stack)) {
        const value = key === 'layerTypes' ? ['full_attention'] : key === 'rope' ? ROPE : 5;
        const other = changed(side, { ...(config as never as Record<string, object>)[side], [key]: value });
        expect(fingerprintOf(await facts({ config: other }), TOKENIZER), `${side}.${key}`).not.toBe(before);
      }
    }
    expect(fingerprintOf(await facts(), '33'.repeat(32))).not.toBe(before);
    expect(fingerprintOf(await facts({ weightsDigest: '44'.repeat(32) }), TOKENIZER)).not.toBe(before);
  });

  it('of T5 changes with every number of its config', () => {
    const config = parseConfig(T5, 'config.json');
    const known = canonicalJson(familyOf(config).arithmetic(config));
    const silent = Object.keys(config).filter((key) => {
      const value = (config as never as Record<string, unknown>)[key];
      const other = typeof value === 'boolean' ? !value : typeof value === 'string' ? 'relu' : 5;
      const changed = { ...config, [key]: other, family: 't5' } as ModelConfig;
      return canonicalJson(familyOf(changed).arithmetic(changed)) === known;
    });
    expect(silent).toEqual(['family', 'padTokenId', 'stopTokenIds']);
  });
});

const ROPE = { full_attention: { theta: 5, factor: 1 }, sliding_attention: { theta: 5, factor: 1 } };

describe('an earlier release', () => {
  it('knew T5Gemma 2 by the JSON of a list, and T5 not at all', async () => {
    expect(formerIdentities(await facts(), TOKENIZER)).toEqual([
      { release: '0.1.0', fingerprint: '8ec4dd01844d53700e3d7c52e36969c469bf14564ce981faebe51e7db196fc82' },
    ]);
    expect(formerIdentities(await facts({ precision: 'int8' }), TOKENIZER)).toEqual([
      {
        release: '0.1.0',
        fingerprint: 'e582e683cb9445fe21aefe96ecd9c98e9ce4a6ba742470ca64400927f5967272',
        changed: expect.stringContaining('8 bits'),
      },
    ]);
    expect(formerIdentities(await facts({ config: parseConfig(T5, 'config.json') }), TOKENIZER)).toEqual([]);
  });
});

it('canonical JSON has one form for one content', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'é"' }], a: 1e-6, A: true })).toBe(
    '{"A":true,"a":0.000001,"b":[1,{"c":"é\\"","d":null}]}',
  );
});
