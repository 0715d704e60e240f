/** int8 against float32: what is measured while a model is compiled, what is told, what is refused, and the outlier channels that it withstands. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { allRows } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { CompiledModel } from '../../src/model/compiled.js';
import type { Precision } from '../../src/model/graph/layout.js';
import type { Drift } from '../../src/model/manifest.js';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { DRIFT_NOTICE, DRIFT_REFUSAL, driftNotice, driftSamples, measureTextDrift } from '../../src/scoring/drift.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { dkv } from '../support/dkv.js';
import { type Edit, editCheckpoint } from '../support/edited-checkpoint.js';
import { engineHere } from '../support/engine-here.js';
import { temporaryFolder } from '../support/fixtures.js';

const OUTLIERS = [3, 77, 200];
const FACTOR = 64;

/** Larger channels behind a norm, whose scale is 1 + weight. */
const largerNorm: Edit = (values) => {
  for (const channel of OUTLIERS) values[channel] = FACTOR * (1 + values[channel]!) - 1;
};
const largerRows: Edit = (values, [, width]) => {
  for (const row of OUTLIERS) for (let i = 0; i < width!; i++) values[row * width! + i]! *= FACTOR;
};
const smallerColumns: Edit = (values, [rows, width]) => {
  for (let row = 0; row < rows!; row++) for (const column of OUTLIERS) values[row * width! + column]! /= FACTOR;
};

/** What gives the channels and what reads them, so that the products stay what they were. */
function outliers(
  layer: string,
  [giver, edit]: readonly [string, Edit],
  readers: readonly string[],
): Record<string, Edit> {
  const name = (part: string) => `model.${layer}.${part}.weight`;
  return { [name(giver)]: edit, ...Object.fromEntries(readers.map((reader) => [name(reader), smallerColumns])) };
}
const ATTENTION = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
const inAttention = (layer: string) => outliers(layer, ['pre_self_attn_layernorm', largerNorm], ATTENTION);
const inFeedForward = (layer: string) =>
  outliers(layer, ['pre_feedforward_layernorm', largerNorm], ['mlp.gate_proj', 'mlp.up_proj']);

const compiled = async (folder: string, precision: Precision, cacheDirectory: string): Promise<CompiledModel> => {
  const checkpoint = await openCheckpoint(folder);
  const tokenizer = await loadTokenizer(folder, checkpoint.config);
  return compileModel(checkpoint, {
    precision,
    embeddingScale: 'exact',
    cacheDirectory,
    measureDrift: (form) => measureTextDrift(checkpoint, form, tokenizer),
  });
};

/** NLLs of the drift's text by the whole graphs. */
async function nlls(model: CompiledModel, folder: string): Promise<number[]> {
  const engine = engineHere(model, { device: 'cpu' });
  const samples = driftSamples(await loadTokenizer(folder, model.config));
  const states = await engine.encode(samples);
  const prompt = new Int32Array(0);
  const items = samples.flatMap(({ targets }, i) =>
    targets.map((target) => ({ memory: [allRows(states[i]!)], prompt, target })),
  );
  const found = await engine.score(items);
  await engine.close();
  return found.flatMap((of) => [...of]);
}

let cache: string;
let whole: CompiledModel;
let exact: readonly number[];
beforeAll(async () => {
  cache = await mkdtemp(path.join(os.tmpdir(), 'dkv-drift-'));
  whole = await compiled(BUILT_IN_MODEL, 'int8', cache);
  exact = await nlls(await compiled(BUILT_IN_MODEL, 'float32', process.env.DKV_CACHE!), BUILT_IN_MODEL);
  return () => rm(cache, { recursive: true });
});

describe('the drift of int8', () => {
  it('is in the manifest: what the whole graphs give, measured a layer at a time', async () => {
    const { drift } = JSON.parse(await readFile(path.join(whole.directory, 'manifest.json'), 'utf8')).content;
    expect(drift).toEqual(whole.drift);
    const rounded = await nlls(whole, BUILT_IN_MODEL);
    const differences = rounded.map((nll, i) => nll - exact[i]!);
    expect(drift).toMatchObject({ method: 'float32, a layer at a time', tokens: differences.length });
    expect(differences.length).toBeGreaterThan(150);
    const magnitudes = differences.map(Math.abs);
    // Texts are padded in the graphs and not in the layers: rarely a number on the edge between two steps turns over.
    expect(Math.abs(drift.meanAbsolute - mean(magnitudes))).toBeLessThan(2e-3);
    expect(Math.abs(drift.mean - mean(differences))).toBeLessThan(2e-3);
    expect(drift.meanAbsolute).toBeGreaterThan(0);
    expect(drift.largest).toBeGreaterThanOrEqual(drift.meanAbsolute);
    expect(Math.abs(drift.mean)).toBeLessThanOrEqual(drift.meanAbsolute);
  });

  it('of the built-in model is small enough for nothing to be told', () => {
    expect(whole.drift!.meanAbsolute).toBeLessThan(DRIFT_NOTICE);
    expect(driftNotice('built-in', whole.drift!)).toBeUndefined();
  });

  it('is not of other precisions', async () => {
    expect((await compiled(BUILT_IN_MODEL, 'bfloat16', cache)).drift).toBeUndefined();
  });

  it('leaves nothing behind, whether it is measured or stopped', async () => {
    const checkpoint = await openCheckpoint(BUILT_IN_MODEL);
    const tokenizer = await loadTokenizer(BUILT_IN_MODEL, checkpoint.config);
    const other = await temporaryFolder();
    const controller = new AbortController();
    const seen: number[] = [];
    const options = { precision: 'int8', embeddingScale: 'exact', cacheDirectory: other } as const;
    const stopped = compileModel(checkpoint, {
      ...options,
      measureDrift: (form) =>
        measureTextDrift(checkpoint, form, tokenizer, {
          signal: controller.signal,
          onProgress: (done, total) => {
            seen.push(total);
            if (done === 3) controller.abort();
          },
        }),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen).toEqual([16, 16, 16]);
    expect(await readdir(path.join(other, 'models'))).toEqual([]);
    // One that was compiled without measuring is measured when it is asked for.
    const unmeasured = await compileModel(checkpoint, options);
    expect(unmeasured.drift).toBeUndefined();
    const measured = await compiled(BUILT_IN_MODEL, 'int8', other);
    expect(measured.directory).toBe(unmeasured.directory);
    expect(measured.drift).toEqual(whole.drift);
    expect((await readdir(measured.directory)).sort()).toEqual((await readdir(unmeasured.directory)).sort());
  });
});

describe('outlier channels', () => {
  const cases: [string, Record<string, Edit>][] = [
    ['of two norms', { ...inAttention('encoder.layers.0'), ...inFeedForward('encoder.layers.1') }],
    ['of the decoder’s norms before feed-forward', inFeedForward('decoder.layers.1')],
    ['of a product', outliers('encoder.layers.0', ['mlp.up_proj', largerRows], ['mlp.down_proj'])],
  ];
  it.each(cases)('%s change nothing as float32, and next to nothing as int8', async (_, edits) => {
    const folder = path.join(await temporaryFolder(), 'outliers');
    await editCheckpoint(BUILT_IN_MODEL, folder, edits);
    const own = await temporaryFolder();
    const same = await nlls(await compiled(folder, 'float32', own), folder);
    for (const [i, nll] of same.entries()) expect(Math.abs(nll - exact[i]!)).toBeLessThan(1e-4);
    const { drift } = await compiled(folder, 'int8', own);
    expect(Math.abs(drift!.meanAbsolute - whole.drift!.meanAbsolute)).toBeLessThan(3e-3);
  });
});

describe('a drift that is large', () => {
  const drift = (meanAbsolute: number): Drift => ({
    method: 'float32',
    tokens: 9,
    meanAbsolute,
    mean: -0.01,
    largest: 1,
  });

  it('is told above 0.02 nats, and refused above 0.05 unless it is to be ignored', () => {
    expect([DRIFT_NOTICE, DRIFT_REFUSAL]).toEqual([0.02, 0.05]);
    expect(driftNotice('x', drift(0.02))).toBeUndefined();
    expect(driftNotice('x', drift(0.021))).toMatch(/NLLs of x are 0\.021 nats.*-0\.010 with signs, at most 1\.00/);
    expect(driftNotice('x', drift(0.05))).toBeDefined();
    expect(() => driftNotice('x', drift(0.051))).toThrow(/0\.051 nats a token.*--ignore-drift/);
    expect(driftNotice('x', drift(0.051), true)).toContain('0.051');
  });

  it('keeps a model from being loaded, and is shown wherever the model is', async () => {
    const folder = path.join(await temporaryFolder(), 'sharp');
    // Logits twenty times as far from each other, and so is what rounding moves them by.
    await editCheckpoint(BUILT_IN_MODEL, folder, {
      'model.decoder.norm.weight': (values) => {
        for (const [i, value] of values.entries()) values[i] = 20 * (1 + value) - 1;
      },
    });
    const cacheDirectory = await temporaryFolder();
    const parts: number[] = [];
    const options = { precision: 'int8', cacheDirectory, onMeasure: (done: number) => parts.push(done) } as const;
    await expect(loadModel(folder, options)).rejects.toMatchObject({
      code: 'DRIFT_LARGE',
      message: expect.stringMatching(/NLLs of sharp are 0\.\d+ nats a token from float32.*--ignore-drift/),
    });
    expect(parts).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    const notices: string[] = [];
    const model = await loadModel(folder, {
      ...options,
      ignoreDrift: true,
      onNotice: (notice) => notices.push(notice),
    });
    // It was measured once.
    expect(parts).toHaveLength(16);
    expect(notices).toEqual([expect.stringContaining('NLLs of sharp are')]);
    expect(model.engine.info.drift!.meanAbsolute).toBeGreaterThan(DRIFT_REFUSAL);
    await model.close();

    const env = { DKV_CACHE: cacheDirectory };
    const line = `${JSON.stringify({ document: 'The lamp costs 24 euros.', target: '24 euros' })}\n`;
    const score = ['score', '--model', folder, '--precision', 'int8'];
    const refused = await dkv(score, { input: line, env });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('DRIFT_LARGE') });
    const forced = await dkv([...score, '--ignore-drift'], { input: line, env });
    expect(forced).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('NLLs of sharp are') });
    const info = await dkv(['models', 'info', folder], { env });
    expect(info.stdout).toMatch(/drift of int8 +0\.\d+ nats a token/);
    const compile = await dkv(['models', 'compile', folder, '--precision', 'int8'], { env });
    expect(compile).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('DRIFT_LARGE') });
    const doctor = await dkv(['doctor', '--json'], { env });
    const checks: { name: string; state: string; message: string }[] = JSON.parse(doctor.stdout);
    expect(checks.find(({ name }) => name === 'drift')).toMatchObject({
      state: 'note',
      message: expect.stringMatching(/of 1 int8 models the largest: 0\.\d+ nats/),
    });
    const out = await temporaryFolder();
    const run = ['run', 'exp01', '--model', folder, '--precision', 'int8', '--ignore-drift', '--ignore-ceiling'];
    const finished = await dkv([...run, '--n', '8', '--out', path.join(out, 'run')], { env });
    expect(finished.exitCode).toBe(0);
    const record = JSON.parse(await readFile(path.join(out, 'run', 'run.json'), 'utf8'));
    expect(record.configuration.model.drift.mean_absolute).toBeGreaterThan(DRIFT_REFUSAL);
    const report = await readFile(path.join(out, 'run', 'report.md'), 'utf8');
    expect(report).toMatch(/Computed as int8, whose NLLs are 0\.\d+ nats a token from float32/);
  });
});

it('float32 has the numbers that release 0.1.0 knew it by, int8 has not since it is smoothed', async () => {
  const record = JSON.parse(await readFile('test/fixtures/runs/release-0.1.0/contrasts/run.json', 'utf8'));
  const model = await loadModel();
  expect(model.formerly).toEqual([{ release: '0.1.0', fingerprint: record.configuration.model.fingerprint }]);
  await model.close();
});
