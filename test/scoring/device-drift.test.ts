/**
 * Devices that compute in 16 bits against float32: measured when a model is first loaded there. The device here is the CPU provider with what a device rounds
 * spelled out (test/support/half-graphs.ts).
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { allRows, type Engine } from '../../src/engine/engine.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { CompiledModel } from '../../src/model/compiled.js';
import type { Precision } from '../../src/model/graph/layout.js';
import type { Target } from '../../src/model/graph/target.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { driftFile, type MeasuringOptions, measuredOnDevice } from '../../src/scoring/device-drift.js';
import { DRIFT_NOTICE, DRIFT_REFUSAL, driftSamples } from '../../src/scoring/drift.js';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { engineHere } from '../support/engine-here.js';
import { spelledOutModel } from '../support/half-graphs.js';

const TARGET: Target = { device: 'cuda', arithmetic: 'float16' };

let cacheDirectory: string;
let checkpoint: Checkpoint;
let tokenizer: Tokenizer;
let compiled: CompiledModel;
let halves: CompiledModel;
beforeAll(async () => {
  cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-device-drift-'));
  checkpoint = await openCheckpoint(BUILT_IN_MODEL);
  tokenizer = await loadTokenizer(BUILT_IN_MODEL, checkpoint.config);
  compiled = await compiledAs('float16');
  halves = await spelledOutModel(compiled, path.join(cacheDirectory, 'halves'));
  return async () => {
    await tokenizer.close();
    await rm(cacheDirectory, { recursive: true });
  };
});

const compiledAs = (precision: Precision) =>
  compileModel(checkpoint, { precision, embeddingScale: 'exact', cacheDirectory });

/** @returns what is measured, and how often an engine was started for it */
async function measured(
  options: MeasuringOptions = {},
  engine: () => Engine = () => engineHere(halves, { device: 'cpu' }),
) {
  let started = 0;
  const start = async () => {
    started++;
    return engine();
  };
  const name = 'tiny';
  const model = await measuredOnDevice({ name, checkpoint, compiled, tokenizer, target: TARGET, start }, options);
  return { drift: model.drift, started };
}

async function nllsOf(model: CompiledModel): Promise<number[]> {
  const engine = engineHere(model, { device: 'cpu' });
  const samples = driftSamples(tokenizer);
  const states = await engine.encode(samples);
  const found = await engine.score(
    samples.flatMap(({ targets }, i) =>
      targets.map((target) => ({ memory: [allRows(states[i]!)], prompt: new Int32Array(0), target })),
    ),
  );
  await engine.close();
  return found.flatMap((own) => [...own]);
}

const file = () => driftFile(compiled, 'cuda');
/** Folders that a measurement was to remove. */
const left = async () =>
  (await readdir(path.dirname(compiled.directory))).filter((name) => name.startsWith('partial-'));

describe('the drift of a device', () => {
  it('is measured once, layers of float32 against what the engine gives, and kept beside the model', async () => {
    const steps: [number, number][] = [];
    const { drift, started } = await measured({ onMeasure: (...step) => steps.push(step) });
    expect(started).toBe(1);
    const [exact, found] = [await nllsOf(await compiledAs('float32')), await nllsOf(halves)];
    const differences = found.map((nll, i) => nll - exact[i]!);
    expect(drift!.tokens).toBe(differences.length);
    expect(drift!.meanAbsolute).toBeCloseTo(mean(differences.map(Math.abs)), 5);
    expect(drift!.mean).toBeCloseTo(mean(differences), 5);
    expect(drift!.meanAbsolute).toBeGreaterThan(0);
    expect(drift!.meanAbsolute).toBeLessThan(DRIFT_NOTICE);
    expect(steps.at(-1)![0]).toBe(steps.at(-1)![1]);
    expect(await left()).toEqual([]);
    expect(await measured()).toEqual({ drift, started: 0 });
    // The compiled model is what it was.
    expect((await compiledAs('float16')).drift).toBeUndefined();
  });

  it('is measured anew where what was kept is of another runtime, or no JSON', async () => {
    await measured();
    const kept = JSON.parse(await readFile(file(), 'utf8'));
    for (const content of [JSON.stringify({ ...kept, runtime: '1.29.0' }), '{"runtime"']) {
      await writeFile(file(), content);
      expect(await measured()).toEqual({ drift: kept.drift, started: 1 });
      expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(kept);
    }
  });

  it('is refused where it is large, told of where it is not small, and can be ignored', async () => {
    await measured();
    const text = await readFile(file(), 'utf8');
    const kept = JSON.parse(text);
    const keep = (meanAbsolute: number) =>
      writeFile(file(), JSON.stringify({ ...kept, drift: { ...kept.drift, meanAbsolute } }));
    await keep(DRIFT_REFUSAL + 0.01);
    await expect(measured()).rejects.toMatchObject({
      code: 'DRIFT_LARGE',
      message: expect.stringMatching(
        /^As float16 on cuda the NLLs of tiny are 0\.060 nats.*Use --precision float32, or/,
      ),
    });
    const notices: string[] = [];
    const onNotice = (notice: string) => notices.push(notice);
    expect((await measured({ ignoreDrift: true, onNotice })).drift!.meanAbsolute).toBe(DRIFT_REFUSAL + 0.01);
    await keep(DRIFT_NOTICE + 0.01);
    await measured({ onNotice });
    expect(notices).toEqual([expect.stringContaining('0.060 nats'), expect.stringContaining('0.030 nats')]);
    await rm(file());
    expect(await measured({ ignoreDrift: true })).toEqual({ drift: undefined, started: 0 });
    await writeFile(file(), text);
  });

  it('of an engine that fails is none, and leaves nothing behind', async () => {
    await rm(file(), { force: true });
    const closed = engineHere(halves, { device: 'cpu' });
    await closed.close();
    await expect(measured({}, () => closed)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    await expect(readFile(file())).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await left()).toEqual([]);
  });

  it('is none where the device computes in float32', async () => {
    const start = () => Promise.reject(new Error('an engine was started'));
    const target: Target = { device: 'webgpu', arithmetic: 'float32' };
    expect(await measuredOnDevice({ name: 'tiny', checkpoint, compiled, tokenizer, target, start }, {})).toBe(compiled);
  });
});
