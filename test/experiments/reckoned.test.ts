import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../src/datasets/open.js';
import { EXPERIMENTS } from '../../src/experiments/catalogue/registry.js';
import { estimateRun } from '../../src/experiments/run/estimate.js';
import { shapeOf } from '../../src/model/families/families.js';
import { weightCount } from '../../src/model/memory.js';
import { productOperations } from '../../src/model/operations.js';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';
import { stateModel } from '../../src/scoring/stated-model.js';
import { dkv } from '../support/dkv.js';
import { LARGE } from '../support/published.js';

const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-reckoned-'));
const before = process.env.HF_HOME;
beforeAll(() => {
  process.env.HF_HOME = folder;
});
afterAll(async () => {
  if (before === undefined) delete process.env.HF_HOME;
  else process.env.HF_HOME = before;
  await rm(folder, { recursive: true, force: true });
});

const NOTHING = { rows: 0, decoderRows: 0, readRows: 0, scoredTokens: 0 };

describe('a model that is not here', () => {
  it('is known by its published config, with the tokens of the built-in model', async () => {
    const { config, tokenizer, isHere } = await stateModel('google/t5gemma-2-4b-4b');
    await tokenizer.close();
    expect(isHere).toBe(false);
    expect(shapeOf(config)).toMatchObject({ vocabularySize: 262_144, encoder: { layers: 34, width: 2560 } });
    expect(weightCount(config)).toBe(weightCount(LARGE));
  });

  it('is refused where nothing is known of it', async () => {
    await expect(stateModel('nobody/nothing')).rejects.toMatchObject({ code: 'HUB_OFFLINE' });
  });

  it('is another matter than one that is', async () => {
    const { isHere, tokenizer } = await stateModel(BUILT_IN_MODEL);
    await tokenizer.close();
    expect(isHere).toBe(true);
  });
});

describe('operations', () => {
  it('are two for each weight that a row meets', () => {
    expect(productOperations(LARGE, { ...NOTHING, rows: 3 })).toBe(3 * 2 * weightCount(LARGE, 'encoder.'));
    expect(productOperations(LARGE, { ...NOTHING, decoderRows: 3 })).toBe(3 * 2 * weightCount(LARGE, 'decoder.'));
    expect(productOperations(LARGE, { ...NOTHING, scoredTokens: 3 })).toBe(3 * 2 * 262_144 * 2560);
    // Keys and values of 4 heads with 256 numbers in each of 34 layers.
    expect(productOperations(LARGE, { ...NOTHING, readRows: 3 })).toBe(3 * 2 * 34 * 2 * 4 * 256 * 2560);
  });
});

describe('an estimate', () => {
  it('follows from the config and a speed, with data of the built-in model', async () => {
    const { config, tokenizer } = await stateModel('google/t5gemma-2-4b-4b');
    const experiment = EXPERIMENTS.exp02!;
    const data = await openDataset('adworld', { seed: experiment.seed, count: 2 });
    const counts = await estimateRun(experiment, data, { tokenizer, shape: shapeOf(config) });
    await tokenizer.close();
    const { samples } = experiment.protocol;
    expect(counts.decoder).toBe(samples * experiment.conditions.length);
    expect(counts.scoredTokens).toBeGreaterThanOrEqual(counts.decoder);
    expect(counts.decoderRows).toBeGreaterThanOrEqual(counts.scoredTokens);
    // Conditions share encodes: the decoder reads more rows than the encoder makes.
    expect(counts.readRows).toBeGreaterThan(counts.rows);
    const encoding = 2 * counts.rows * weightCount(config, 'encoder.');
    expect(productOperations(config, counts)).toBeGreaterThan(encoding);
    expect(productOperations(config, counts)).toBeLessThan(10 * encoding);
  });

  it.each([
    ['--tflops', '0', /number above 0/],
    ['--device', 'webgpu', /bfloat16 runs on "cpu" and "cuda" only/],
    ['--device-memory', '8', /about 1\d\.\d GB of the device's memory; 8\.0 GB are available/],
  ])('is refused before anything is planned: %s %s', async (option, value, message) => {
    const model = ['--model', 'google/t5gemma-2-4b-4b', '--device', 'cuda', '--precision', 'bfloat16'];
    const { exitCode, stderr } = await dkv(
      ['list', 'experiments', ...model, ...(option === '--tflops' ? [] : ['--tflops', '100']), option, value],
      { env: { HF_HOME: folder } },
    );
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
