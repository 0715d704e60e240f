/** T5 is the reference's T5: every fixture of tools/reference/make_t5_fixtures.py within the stated tolerances, and a model that is a little wrong fails. */
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRows } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { parseConfig } from '../../src/model/families/families.js';
import type { T5Config } from '../../src/model/families/t5/config.js';
import { bucketOf } from '../../src/model/graph/relative-bias.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { engineHere } from '../support/engine-here.js';
import { FAMILY_FIXTURES, temporaryFolder } from '../support/fixtures.js';
import { compareWithReference, type Quantity, TOLERANCES } from '../support/reference.js';

const FIXTURES = FAMILY_FIXTURES.T5ForConditionalGeneration!;
/** What the fixture of texts is there to measure. */
const OF_TEXTS: Quantity[] = ['states', 'nll', 'batched = single', 'dropped = masked'];
const fixture = (name: string) => path.join(FIXTURES, name);

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(path.join(os.tmpdir(), 'dkv-t5-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

type Json = Record<string, unknown>;

const configOf = async (name: string): Promise<Json> =>
  JSON.parse(await readFile(path.join(fixture(name), 'config.json'), 'utf8'));

/** A copy of a fixture with another config. */
async function edited(name: string, change: Json): Promise<string> {
  const folder = path.join(await temporaryFolder(), name);
  await cp(fixture(name), folder, { recursive: true });
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...(await configOf(name)), ...change }));
  return folder;
}

describe.each(readdirSync(FIXTURES))('%s', (name) => {
  it('equals transformers within the stated tolerances', async () => {
    const differences = await compareWithReference(fixture(name), cache);
    const measured = new Set(differences.map(({ quantity }) => quantity));
    expect(measured).toEqual(new Set(name === 'text' ? OF_TEXTS : Object.keys(TOLERANCES)));
    expect(differences.filter(({ quantity, difference }) => !(difference <= TOLERANCES[quantity]))).toEqual([]);
  });
});

const MUTATIONS: Record<string, Partial<T5Config>> = {
  'far distances share a bucket earlier': { maxDistance: 100 },
  'an epsilon of 1e-3': { epsilon: 1e-3 },
  'gelu without tanh': { activation: 'gelu' },
  'a scaled head': { scalesHead: true },
  'another start token': { decoderStartTokenId: 5 },
};

describe('a T5 that is a little wrong', () => {
  it.each(Object.keys(MUTATIONS))('fails: %s', async (name) => {
    const checkpoint = await openCheckpoint(fixture('gated-untied'));
    const config = { ...(checkpoint.config as T5Config), ...MUTATIONS[name] };
    const differences = await compareWithReference(fixture('gated-untied'), cache, {
      checkpoint: { ...checkpoint, config },
    });
    expect(differences.filter(({ quantity, difference }) => difference > TOLERANCES[quantity])).not.toEqual([]);
  });
});

describe('at 8 bits', () => {
  it.each(readdirSync(FIXTURES))('%s gives an item the same in any batch', async (name) => {
    const differences = await compareWithReference(fixture(name), cache, { precision: 'int8' });
    const of = (wanted: Quantity) =>
      differences.filter(({ quantity }) => quantity === wanted).map(({ difference }) => difference);
    expect(Math.max(...of('batched = single'))).toBeLessThanOrEqual(TOLERANCES['batched = single']);
    expect(Math.max(...of('dropped = masked'))).toBeLessThanOrEqual(TOLERANCES['dropped = masked']);
  });

  it('does not depend on what stands beside an item that is out of the ordinary', async () => {
    const checkpoint = await openCheckpoint(fixture('relu-tied'));
    const options = { precision: 'int8', embeddingScale: 'exact', cacheDirectory: cache } as const;
    const executor = engineHere(await compileModel(checkpoint, options), { device: 'cpu' });
    const ids = Int32Array.of(5, 9, 40, 33, 1);
    const [alone] = await executor.encode([{ tokenIds: ids }]);
    const [together] = await executor.encode([{ tokenIds: ids }, { tokenIds: Int32Array.of(2, 2, 2, 95, 1) }]);
    expect([...together!.data]).toEqual([...alone!.data]);
    const score = { memory: [allRows(alone!)], prompt: Int32Array.of(), target: Int32Array.of(7, 8, 1) };
    expect([...(await executor.score([score]))[0]!].every(Number.isFinite)).toBe(true);
    await executor.close();
  });
});

describe('long inputs', () => {
  // Rows that are looked at attend to all keys at once, which the reference's cases hold to the reference.
  it.each([256, 257, 300, 520, 1000])('of %i rows attend in blocks as they would at once', async (rows) => {
    const checkpoint = await openCheckpoint(fixture('unequal'));
    const options = { precision: 'float32', embeddingScale: 'exact', cacheDirectory: cache } as const;
    const engine = engineHere(await compileModel(checkpoint, options), { device: 'cpu' });
    const numbers = (of: (at: number) => number, count = rows) => Int32Array.from({ length: count }, (_, at) => of(at));
    const tokenIds = numbers((at) => 6 + ((at * 37) % 90));
    const items = [
      { tokenIds },
      { tokenIds: tokenIds.map((id) => 101 - id), positions: numbers((at) => (at * 7919) % 2000) },
      {
        tokenIds,
        pairMask: Uint8Array.from({ length: rows * rows }, (_, at) => Number(at % 3 > 0 || at % (rows + 1) === 0)),
      },
    ];
    const layers = { hidden: [], attention: [0, 1, 2] };
    const [together, atOnce] = [await engine.encode(items), await engine.probe(items, layers)];
    for (const [i, { data }] of together.entries()) {
      const [alone] = await engine.encode([items[i]!]);
      expect([...data]).toEqual([...alone!.data]);
      const difference = data.reduce((most, x, at) => Math.max(most, Math.abs(x - atOnce[i]!.states.data[at]!)), 0);
      expect(difference).toBeLessThanOrEqual(TOLERANCES['batched = single']);
      expect(data.every(Number.isFinite)).toBe(true);
    }
    await engine.close();
  });
});

describe('a config of T5', () => {
  it.each<[string, Json, string]>([
    ['MODEL_UNSUPPORTED', { model_type: 'umt5' }, 'supported are "t5gemma2" (T5Gemma 2), "t5" (T5), "mt5" (T5)'],
    ['MODEL_UNSUPPORTED', { dense_act_fn: 'mish' }, 'the activation of its feed-forward networks is "mish"'],
    ['CHECKPOINT_INVALID', { dense_act_fn: null }, 'dense_act_fn'],
    ['CHECKPOINT_INVALID', { feed_forward_proj: null }, 'feed_forward_proj'],
    ['MODEL_UNSUPPORTED', { relative_attention_num_buckets: 30 }, 'expected a multiple of 4'],
    ['CHECKPOINT_INVALID', { relative_attention_max_distance: 16 }, 'not beyond half of the 32 buckets'],
    ['CHECKPOINT_INVALID', { d_model: 0 }, 'd_model'],
    ['CHECKPOINT_INVALID', { decoder_start_token_id: 96 }, 'beyond a vocabulary of 96'],
    ['CHECKPOINT_INVALID', { is_encoder_decoder: false }, 'is_encoder_decoder is false'],
    ['CHECKPOINT_INVALID', { decoder_start_token_id: undefined }, 'decoder_start_token_id is missing'],
    ['CHECKPOINT_INVALID', { model_type: 'mt5', decoder_start_token_id: null }, 'decoder_start_token_id is missing'],
    ['CHECKPOINT_INVALID', { eos_token_id: null }, 'eos_token_id is missing'],
    ['CHECKPOINT_INVALID', { num_hidden_layers: 5 }, 'num_layers is 2 and num_hidden_layers, its other name, 5'],
    ['MODEL_UNSUPPORTED', { quantization_config: { bits: 8 } }, 'quantization_config'],
  ])('is refused, %s: %j', async (code, change, message) => {
    const json = { ...(await configOf('relu-tied')), ...change };
    const read = () => parseConfig(json, 'config.json');
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it.each<[Json, Partial<T5Config>]>([
    [
      { feed_forward_proj: 'gated-gelu', dense_act_fn: undefined },
      { activation: 'gelu_tanh', isGated: true },
    ],
    [
      { feed_forward_proj: 'gelu', dense_act_fn: undefined },
      { activation: 'gelu', isGated: false },
    ],
    [
      { feed_forward_proj: 'gated-silu', dense_act_fn: undefined },
      { activation: 'silu', isGated: true },
    ],
    [
      { feed_forward_proj: 'relu', dense_act_fn: 'gelu_new' },
      { activation: 'gelu_tanh', isGated: false },
    ],
    [{ tie_word_embeddings: undefined }, { isTied: true, scalesHead: true }],
    [
      { tie_word_embeddings: false, scale_decoder_outputs: undefined },
      { isTied: false, scalesHead: false },
    ],
    [
      { tie_word_embeddings: true, scale_decoder_outputs: false },
      { isTied: true, scalesHead: false },
    ],
    [
      { tie_word_embeddings: true, scale_decoder_outputs: null },
      { isTied: true, scalesHead: false },
    ],
    [{ feed_forward_proj: 'gated-gelu', is_gated_act: null }, { isGated: false }],
    [{ num_decoder_layers: null }, { decoderLayers: 2 }],
    [{ eos_token_id: [1, 4] }, { stopTokenIds: [1, 4] }],
    [{ model_type: 'mt5', decoder_start_token_id: undefined, pad_token_id: 3 }, { decoderStartTokenId: 0 }],
  ])('reads %j', async (change, expected) => {
    const json = { ...(await configOf('relu-tied')), is_gated_act: undefined, num_layers: 2, ...change };
    expect(parseConfig(json, 'config.json')).toMatchObject(expected);
  });
});

it.each([
  // Where a distance is a power of the step between buckets, float64 would give another bucket than torch: its values.
  ['encoder', 40, 320, { 20: 32, 40: 34, 160: 38, '-20': 12 }],
  ['decoder', 20, 320, { '-20': 12, '-40': 14, '-160': 18 }],
  ['decoder', 48, 81, { '-36': 31, '-54': 39 }],
  ['encoder', 32, 128, { 7: 23, 8: 24, 90: 30, 91: 31, '-91': 15 }],
] as const)('buckets of the %s, %i over %i, are those of torch', (side, count, maxDistance, expected) => {
  for (const [distance, bucket] of Object.entries(expected)) {
    expect(bucketOf(Number(distance), { count, maxDistance, bothWays: side === 'encoder' }), distance).toBe(bucket);
  }
});

describe('a checkpoint of T5', () => {
  it('says which settings would steer what transformers writes', async () => {
    const folder = await edited('relu-tied', {});
    const steering = { num_beams: 4, no_repeat_ngram_size: 0, repetition_penalty: 1.2, forced_bos_token_id: null };
    await writeFile(path.join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: 1, ...steering }));
    const { notices } = await openCheckpoint(folder);
    expect(notices).toEqual([expect.stringContaining('num_beams, repetition_penalty would steer')]);
  });

  it('may hold aliases of its table, and what no model reads', async () => {
    const { notices, copies } = await openCheckpoint(fixture('aliases'));
    expect(notices).toEqual([]);
    expect(copies.map(({ entry }) => entry.name)).toEqual([
      'encoder.embed_tokens.weight',
      'decoder.embed_tokens.weight',
    ]);
  });

  it('has the table of its head that is stored, whatever its config says', async () => {
    // As transformers 5 saves FLAN: "tied", with a table of its own and an unscaled head.
    const resaved = await edited('gated-untied', { tie_word_embeddings: true, scale_decoder_outputs: false });
    const differences = await compareWithReference(resaved, cache);
    expect(differences.filter(({ quantity, difference }) => !(difference <= TOLERANCES[quantity]))).toEqual([]);
    await expect(openCheckpoint(await edited('relu-tied', { tie_word_embeddings: false }))).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('no tensor lm_head.weight'),
    });
  });

  it('needs a tokenizer to be loaded with texts', async () => {
    await expect(loadModel(fixture('relu-tied'), { cacheDirectory: cache })).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('tokenizer.json: no such file'),
    });
  });
});
