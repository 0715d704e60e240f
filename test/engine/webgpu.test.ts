import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fromFloat16 } from '../../src/base/float16.js';
import { measureEngineDrift } from '../../src/engine/drift.js';
import { allRows, type EncodeItem, type Engine } from '../../src/engine/engine.js';
import { startChildEngine } from '../../src/hosts/child-engine.js';
import type { HostOptions } from '../../src/hosts/options.js';
import { startWorkerEngine } from '../../src/hosts/worker-engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel, withScratch } from '../../src/model/compile.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { statesToFloat16 } from '../../src/store/records/quantise.js';
import { engineConformance } from '../conformance/engine.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture } from '../support/fixtures.js';
import { hasAdapter } from '../support/webgpu.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-webgpu-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

async function compiled(fixture: string, precision: Precision = 'float32') {
  const checkpoint = await openCheckpoint(referenceFixture(fixture));
  return compileModel(checkpoint, { precision, embeddingScale: 'exact', cacheDirectory });
}

const model = await compiled('one-kv-head');
const device = 'webgpu';

describe.runIf(await hasAdapter(model))('WebGPU', () => {
  engineConformance(device, async (options) => engineHere(model, { device, ...options }), false, { device });

  it('has one engine in a process at a time, of those in threads', async () => {
    const first = await startWorkerEngine(model, { device });
    await expect(startWorkerEngine(model, { device })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/leave host out/),
    });
    await first.close();
    const next = await startWorkerEngine(model, { device });
    await next.close();
  });

  it('computes the same where weights are held once, one graph at a time', async () => {
    const weights = await compiled('several-kv-heads', 'float16');
    const items = [{ tokenIds: Int32Array.of(2, 5, 9, 7, 5) }];
    const asked = { prompt: Int32Array.of(7, 9), target: Int32Array.of(11, 13) };
    const results = async (options: Partial<HostOptions>) => {
      const engine = engineHere(weights, { device, ...options });
      const [states] = await engine.encode(items);
      const memory = [allRows(states!)];
      const [written] = await engine.generate([{ memory, prompt: asked.prompt, maxTokens: 3 }]);
      const [nlls] = await engine.score([{ memory, ...asked }]);
      const [again] = await engine.encode(items);
      await engine.close();
      return { states, written, nlls, again };
    };
    expect(await results({ givenRows: true, weightBytes: 1 })).toEqual(await results({}));
  });

  it('sends states as float16 from a process of its own where they will be stored so', async () => {
    const engine = await startChildEngine(model, { device });
    const items = [1, 3, 20].map((length) => ({ tokenIds: Int32Array.from({ length }, (_, i) => 3 + i) }));
    const usual = await engine.encode(items);
    const rounded = await engine.encode(items, { statesAs: 'float16' });
    await engine.close();
    const expected = usual.map((own) => ({ ...own, data: fromFloat16(statesToFloat16(own.data)) }));
    expect(rounded).toEqual(expected);
  });

  it.each([
    ['one-kv-head', 'float32'],
    ['several-kv-heads', 'float32'],
  ] as const)('computes what the CPU computes: %s as %s', async (fixture, precision) => {
    const weights = await compiled(fixture, precision);
    const items: EncodeItem[] = [1, 3, 8, 20, 64, 300].map((length) => ({
      tokenIds: Int32Array.from({ length }, (_, i) => 3 + ((i * 31 + length) % 290)),
    }));
    const results = async (engine: Engine) => {
      const states = await engine.encode(items);
      const scores = await engine.score(
        states.map((of) => ({ memory: [allRows(of)], prompt: Int32Array.of(7, 9), target: Int32Array.of(11, 13) })),
      );
      const written = await engine.generate(
        states.map((of) => ({ memory: [allRows(of)], prompt: Int32Array.of(7, 9), maxTokens: 5 })),
      );
      await engine.close();
      return { states, scores, written };
    };
    const cpu = await results(engineHere(weights, { device: 'cpu' }));
    const gpu = await results(engineHere(weights, { device }));
    for (const i of items.keys()) {
      expect(gpu.written[i]!.tokenIds).toEqual(cpu.written[i]!.tokenIds);
      const pairs = [
        [cpu.states[i]!.data, gpu.states[i]!.data],
        [cpu.scores[i]!, gpu.scores[i]!],
        [cpu.written[i]!.logProbabilities, gpu.written[i]!.logProbabilities],
      ] as const;
      for (const [a, b] of pairs) expect(Math.max(...a.map((x, at) => Math.abs(x - b[at]!)))).toBeLessThan(1e-4);
    }
  });

  it('gives a text the same numbers alone and beside others', async () => {
    const engine = engineHere(model, { device });
    const states = await engine.encode(
      Array.from({ length: 12 }, (_, seed) => ({
        tokenIds: Int32Array.from({ length: 12 }, (_, i) => 3 + ((i * 31 + seed * 47) % 290)),
      })),
    );
    const items = states.map((of) => ({ memory: [allRows(of)], prompt: new Int32Array(0), maxTokens: 6 }));
    const alone = [];
    for (const item of items) alone.push((await engine.generate([item]))[0]);
    expect(await engine.generate(items)).toEqual(alone);
    const scored = items.map((item) => ({ ...item, target: Int32Array.of(11) }));
    const nlls = [];
    for (const item of scored) nlls.push((await engine.score([item]))[0]);
    expect(await engine.score(scored)).toEqual(nlls);
    await engine.close();
  });

  it('computes in float16, which is as near to float32 as 16-bit sums come', async () => {
    const folder = referenceFixture('several-kv-heads');
    const halves = await compiled('several-kv-heads', 'float16');
    const engine = engineHere(halves, { device });
    expect(engine.info).toMatchObject({ precision: 'float16', computedAs: 'float16 on webgpu' });
    const samples = [5, 16, 40].map((length) => ({
      tokenIds: Int32Array.from({ length }, (_, i) => 3 + ((i * 31 + length) % 290)),
      targets: [Int32Array.of(11, 13, 17)],
    }));
    const checkpoint = await openCheckpoint(folder);
    const drift = await withScratch(halves, (scratch) =>
      measureEngineDrift(checkpoint, halves, engine, scratch, samples),
    );
    await engine.close();
    const known = JSON.parse(await readFile(path.join(folder, '../../half.json'), 'utf8'));
    const { nlls } = known.fixtures['reference/several-kv-heads'].float16;
    expect(drift.meanAbsolute).toBeGreaterThan(nlls / 20);
    // Of transformers as float16, whose sums are float32.
    expect(drift.meanAbsolute).toBeLessThan(4 * nlls);
  });

  it('refuses bfloat16 by name', async () => {
    const bfloat16 = await compiled('one-kv-head', 'bfloat16');
    expect(() => engineHere(bfloat16, { device })).toThrow(
      /^bfloat16 runs on "cpu" and "cuda" only: .* "webgpu" has no such numbers. Use --precision float16/,
    );
  });
});
