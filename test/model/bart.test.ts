/** BART is the reference's BART: every fixture of tools/reference/make_bart_fixtures.py within the stated tolerances, and a model that is a little wrong fails. */
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/base/canonical.js';
import { measureDrift } from '../../src/engine/drift.js';
import { allRows, type Engine, type States } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { BartConfig } from '../../src/model/families/bart/config.js';
import { smoothedChannels } from '../../src/model/families/bart/tensors.js';
import { familyOf, parseConfig } from '../../src/model/families/families.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { writeRandomCheckpoint } from '../../src/model/random-checkpoint.js';
import { smoothingOf } from '../../src/model/smoothing.js';
import { mean } from '../../src/stats/describe.js';
import { engineHere } from '../support/engine-here.js';
import { FAMILY_FIXTURES, temporaryFolder } from '../support/fixtures.js';
import { compareWithReference, type Quantity, TOLERANCES } from '../support/reference.js';
import { readTensors, type StoredTensors, writeTensors } from '../support/safetensors.js';

const FIXTURES = FAMILY_FIXTURES.BartForConditionalGeneration!;
const NAMES = readdirSync(FIXTURES);
const fixture = (name: string) => path.join(FIXTURES, name);
/** Rows that each side of a fixture has positions for. */
const MOST_ROWS = 64;

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(path.join(os.tmpdir(), 'dkv-bart-'));
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

/** A copy of a fixture with further tensors. */
async function extended(name: string, more: (tensors: StoredTensors) => void): Promise<string> {
  const folder = await edited(name, {});
  const file = path.join(folder, 'model.safetensors');
  const tensors = await readTensors(file);
  more(tensors);
  await writeTensors(file, tensors);
  return folder;
}

async function opened(name: string, precision: Precision = 'float32'): Promise<Engine> {
  const options = { precision, embeddingScale: 'exact', cacheDirectory: cache } as const;
  return engineHere(await compileModel(await openCheckpoint(fixture(name)), options), { device: 'cpu' });
}

const idsOf = (rows: number) => Int32Array.from({ length: rows }, (_, row) => 6 + ((row * 7) % 90));

async function statesOf(engine: Engine, tokenIds: Int32Array): Promise<States> {
  const [states] = await engine.encode([{ tokenIds }]);
  return states!;
}

describe.each(NAMES)('%s', (name) => {
  it('equals transformers within the stated tolerances', async () => {
    const differences = await compareWithReference(fixture(name), cache);
    const measured = new Set(differences.map(({ quantity }) => quantity));
    expect(measured).toEqual(new Set(Object.keys(TOLERANCES)));
    expect(differences.filter(({ quantity, difference }) => !(difference <= TOLERANCES[quantity]))).toEqual([]);
  });
});

const MUTATIONS: Record<string, (config: BartConfig) => Partial<BartConfig>> = {
  'embeddings as they are': () => ({ scalesEmbedding: false }),
  'tanh gelu': () => ({ activation: 'gelu_tanh' }),
  'logits without their bias': () => ({ hasLogitsBias: false }),
  "the encoder's heads are the decoder's": ({ encoder, decoder }) => ({
    encoder: { ...encoder, heads: decoder.heads },
  }),
  "the decoder's heads are the encoder's": ({ encoder, decoder }) => ({
    decoder: { ...decoder, heads: encoder.heads },
  }),
  'another start token': () => ({ decoderStartTokenId: 7 }),
};

describe('a BART that is a little wrong', () => {
  it.each(Object.keys(MUTATIONS))('fails: %s', async (name) => {
    const checkpoint = await openCheckpoint(fixture('scaled'));
    const sound = checkpoint.config as BartConfig;
    const differences = await compareWithReference(fixture('scaled'), cache, {
      checkpoint: { ...checkpoint, config: { ...sound, ...MUTATIONS[name]!(sound) } },
    });
    expect(differences.filter(({ quantity, difference }) => difference > TOLERANCES[quantity])).not.toEqual([]);
  });
});

describe('positions', () => {
  it('are as many as the config says, for the encoder and the decoder', async () => {
    const engine = await opened('plain');
    const tooMany = expect.objectContaining({
      code: 'INPUT_TOO_LONG',
      message: expect.stringContaining(`${MOST_ROWS + 1} rows; this model has positions for ${MOST_ROWS}`),
    });
    const states = await statesOf(engine, idsOf(MOST_ROWS));
    expect(states.rows).toBe(MOST_ROWS);
    await expect(engine.encode([{ tokenIds: idsOf(MOST_ROWS + 1) }])).rejects.toEqual(tooMany);
    const item = (rows: number) => ({ memory: [allRows(states)], prompt: idsOf(rows - 5), target: idsOf(5) });
    expect((await engine.score([item(MOST_ROWS)]))[0]).toHaveLength(5);
    await expect(engine.score([item(MOST_ROWS + 1)])).rejects.toEqual(tooMany);
    const speaking = (rows: number) => ({ memory: [allRows(states)], prompt: idsOf(rows - 5), maxTokens: 5 });
    expect(await engine.generate([speaking(MOST_ROWS)])).toHaveLength(1);
    await expect(engine.generate([speaking(MOST_ROWS + 1)])).rejects.toEqual(tooMany);
    await engine.close();
  });

  it('that are given have to be some that there are', async () => {
    const engine = await opened('plain');
    const encode = (...positions: number[]) =>
      engine.encode([{ tokenIds: idsOf(positions.length), positions: Int32Array.from(positions) }]);
    expect(await encode(0, MOST_ROWS - 1)).toHaveLength(1);
    for (const wrong of [MOST_ROWS, -1]) {
      await expect(encode(0, wrong)).rejects.toMatchObject({
        code: 'INPUT_TOO_LONG',
        message: `encode item 0: position ${wrong}; this model has positions 0 to ${MOST_ROWS - 1}.`,
      });
    }
    await engine.close();
  });

  it('may end where padding does not', async () => {
    const most = MOST_ROWS - 3;
    const folder = await extended('plain', (tensors) => {
      for (const side of ['encoder', 'decoder']) {
        const name = `model.${side}.embed_positions.weight`;
        const { dtype, shape, bytes } = tensors.get(name)!;
        const rows = most + 2;
        tensors.set(name, { dtype, shape: [rows, shape[1]!], bytes: bytes.subarray(0, rows * shape[1]! * 4) });
      }
    });
    const config = JSON.stringify({ ...(await configOf('plain')), max_position_embeddings: most });
    await writeFile(path.join(folder, 'config.json'), config);
    const options = { precision: 'float32', embeddingScale: 'exact', cacheDirectory: cache } as const;
    const shorter = engineHere(await compileModel(await openCheckpoint(folder), options), { device: 'cpu' });
    const longer = await opened('plain');
    const scores = await Promise.all(
      [shorter, longer].map(async (engine) => {
        const memory = [allRows(await statesOf(engine, idsOf(most)))];
        return [...(await engine.score([{ memory, prompt: idsOf(most - 5), target: idsOf(5) }]))[0]!];
      }),
    );
    expect(scores[0]).toEqual(scores[1]);
    await shorter.close();
    await longer.close();
  });

  it('end for one text of a batch while another goes on', async () => {
    const engine = await opened('plain');
    const states = await statesOf(engine, idsOf(9));
    const item = (prompt: Int32Array, maxTokens: number) => ({ memory: [allRows(states)], prompt, maxTokens });
    const items = [item(idsOf(MOST_ROWS - 1), 1), item(idsOf(3), 20)];
    const together = await engine.generate(items);
    const alone = await Promise.all(items.map(async (one) => (await engine.generate([one]))[0]!));
    expect(together.map(({ tokenIds }) => [...tokenIds])).toEqual(alone.map(({ tokenIds }) => [...tokenIds]));
    await engine.close();
  });
});

describe('at 8 bits', () => {
  it.each(NAMES)('%s gives an item the same in any batch', async (name) => {
    const differences = await compareWithReference(fixture(name), cache, { precision: 'int8' });
    const of = (wanted: Quantity) =>
      differences.filter(({ quantity }) => quantity === wanted).map(({ difference }) => difference);
    expect(Math.max(...of('batched = single'))).toBeLessThanOrEqual(TOLERANCES['batched = single']);
    expect(Math.max(...of('dropped = masked'))).toBeLessThanOrEqual(TOLERANCES['dropped = masked']);
  });

  it('divides the bias of values as their weights, and no norm', async () => {
    const checkpoint = await openCheckpoint(fixture('scaled'));
    const options = { precision: 'int8', embeddingScale: 'exact', cacheDirectory: cache } as const;
    const { tensors } = await compileModel(checkpoint, options);
    const divided = tensors.filter(({ smoothed, dimensions }) => smoothed && dimensions.length === 1);
    const isOf = (part: RegExp) => divided.some(({ source }) => part.test(source));
    expect([isOf(/self_attn\.v_proj\.bias$/), isOf(/encoder_attn\.v_proj\.bias$/)]).toEqual([true, true]);
    // States are divided where they are read, by a vector of their own.
    const norms = divided.filter(({ source, transform }) => /norm\./.test(source) && transform !== 'ones');
    expect(norms).toEqual([]);
    const smoothing = await smoothingOf(checkpoint);
    const scales = smoothedChannels(checkpoint.config as BartConfig).flatMap(({ producer, bias }) =>
      bias === undefined ? [] : [{ of: smoothing.of(producer, 'rows').divided!, bias }],
    );
    expect(scales.some(({ of }) => new Set(of).size > 1)).toBe(true);
    for (const { of, bias } of scales) expect(smoothing.of(bias, 'rows').divided).toEqual(of);
  });

  it('drifts a layer at a time as it does whole', async () => {
    const samples = [30, MOST_ROWS].map((rows) => ({ tokenIds: idsOf(rows), targets: [idsOf(20), idsOf(7)] }));
    const nlls = async (precision: Precision) => {
      const engine = await opened('scaled', precision);
      const found: number[] = [];
      for (const { tokenIds, targets } of samples) {
        const memory = [allRows(await statesOf(engine, tokenIds))];
        const items = targets.map((target) => ({ memory, prompt: Int32Array.of(), target }));
        for (const of of await engine.score(items)) found.push(...of);
      }
      await engine.close();
      return found;
    };
    const [exact, rounded] = [await nlls('float32'), await nlls('int8')];
    const options = { precision: 'int8', embeddingScale: 'exact', cacheDirectory: cache } as const;
    const checkpoint = await openCheckpoint(fixture('scaled'));
    const drift = await measureDrift(checkpoint, await compileModel(checkpoint, options), samples);
    expect(drift.tokens).toBe(exact.length);
    expect(drift.mean).toBeCloseTo(mean(exact.map((nll, token) => rounded[token]! - nll)), 4);
    expect(drift.largest).toBeCloseTo(Math.max(...exact.map((nll, token) => Math.abs(rounded[token]! - nll))), 4);
  });
});

describe('a config of BART', () => {
  it.each<[string, Json, string]>([
    ['MODEL_UNSUPPORTED', { model_type: 'mbart' }, '"bart" (BART)'],
    ['MODEL_UNSUPPORTED', { activation_function: 'mish' }, 'activation_function is "mish"'],
    ['MODEL_UNSUPPORTED', { tie_word_embeddings: false }, 'tie_word_embeddings is false'],
    ['MODEL_UNSUPPORTED', { normalize_before: true }, 'normalize_before is true; expected false'],
    ['MODEL_UNSUPPORTED', { normalize_embedding: false }, 'normalize_embedding is false; expected true'],
    ['MODEL_UNSUPPORTED', { quantization_config: { bits: 8 } }, 'quantization_config'],
    ['CHECKPOINT_INVALID', { d_model: 0 }, 'd_model'],
    ['CHECKPOINT_INVALID', { decoder_attention_heads: 5 }, 'expected a multiple of decoder_attention_heads, 5'],
    ['CHECKPOINT_INVALID', { decoder_start_token_id: 96 }, 'beyond a vocabulary of 96'],
    ['CHECKPOINT_INVALID', { is_encoder_decoder: false }, 'is_encoder_decoder is false'],
  ])('is refused, %s: %j', async (code, change, message) => {
    const json = { ...(await configOf('scaled')), ...change };
    const read = () => parseConfig(json, 'config.json');
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it.each<[Json, Partial<BartConfig>]>([
    [{ scale_embedding: undefined }, { scalesEmbedding: false }],
    [{ activation_function: undefined }, { activation: 'gelu' }],
    [{ activation_function: 'gelu_new' }, { activation: 'gelu_tanh' }],
    [{ max_position_embeddings: undefined }, { maxPositions: 1024 }],
    [{ decoder_start_token_id: undefined }, { decoderStartTokenId: 2 }],
    [
      { pad_token_id: undefined, eos_token_id: undefined },
      { padTokenId: 1, stopTokenIds: [2] },
    ],
    [{ eos_token_id: [2, 4] }, { stopTokenIds: [2, 4] }],
    // As the files of 2020 have it.
    [{ normalize_before: false, add_final_layer_norm: false, normalize_embedding: true }, { family: 'bart' }],
  ])('reads %j', async (change, expected) => {
    const json = { ...(await configOf('scaled')), ...change };
    expect(parseConfig(json, 'config.json')).toMatchObject(expected);
  });

  it('has another fingerprint with every number that it gives the arithmetic', async () => {
    const config = parseConfig(await configOf('scaled'), 'config.json');
    const known = canonicalJson(familyOf(config).arithmetic(config));
    const otherOf = (value: unknown): unknown => {
      if (typeof value === 'boolean') return !value;
      if (typeof value === 'string') return 'relu';
      return typeof value === 'number' ? value + 1 : undefined;
    };
    const isSilent = (changed: object) => canonicalJson(familyOf(config).arithmetic(changed as BartConfig)) === known;
    const silent = Object.entries(config).flatMap(([key, value]) => {
      if (key === 'encoder' || key === 'decoder') {
        return Object.entries(value as object)
          .filter(([part, number]) => isSilent({ ...config, [key]: { ...value, [part]: otherOf(number) } }))
          .map(([part]) => `${key}.${part}`);
      }
      return isSilent({ ...config, [key]: otherOf(value) }) ? [key] : [];
    });
    expect(silent).toEqual(['family', 'padTokenId', 'stopTokenIds']);
  });
});

describe('a checkpoint of BART', () => {
  it('may hold copies of its table, of the same values, and what no model reads', async () => {
    const folder = await extended('base-model', (tensors) => {
      const table = tensors.get('shared.weight')!;
      for (const name of ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight', 'lm_head.weight']) {
        tensors.set(name, table);
      }
      tensors.set('encoder.version', { dtype: 'F32', shape: [1], bytes: Buffer.alloc(4) });
    });
    const { notices, copies } = await openCheckpoint(folder);
    expect(notices).toEqual([]);
    expect(copies.map(({ entry }) => entry.name)).toEqual([
      'encoder.embed_tokens.weight',
      'decoder.embed_tokens.weight',
      'lm_head.weight',
    ]);
  });

  it('is refused with a copy of its table that differs', async () => {
    const folder = await extended('scaled', (tensors) => {
      const table = tensors.get('model.shared.weight')!;
      const bytes = Buffer.from(table.bytes);
      bytes.writeFloatLE(9, 4 * (24 * 3 + 5));
      tensors.set('model.decoder.embed_tokens.weight', { ...table, bytes });
    });
    const options = { precision: 'float32', embeddingScale: 'exact', cacheDirectory: cache } as const;
    await expect(compileModel(await openCheckpoint(folder), options)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('are one tensor in BART, but differ first at [3,5]'),
    });
  });

  it('has positions for as many rows as its config says', async () => {
    await expect(openCheckpoint(await edited('scaled', { max_position_embeddings: 62 }))).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringContaining('shape [66,24], config.json implies [64,24]'),
    });
  });

  it('is as random as others where its weights are made up', async () => {
    const folder = await temporaryFolder();
    await writeRandomCheckpoint(fixture('scaled'), folder, 1);
    expect((await openCheckpoint(folder)).notices).toEqual([]);
  });
});
