import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { allRows, type EncodeItem, type Engine } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { engineConformance } from '../conformance/engine.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-webgpu-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

async function compiled(fixture: string, precision: Precision = 'float32') {
  const checkpoint = await openCheckpoint(referenceFixture(fixture));
  return compileModel(checkpoint, { precision, embeddingScale: 'exact', cacheDirectory });
}

const model = await compiled('one-kv-head');
const device = 'webgpu';

/** Whether there is an adapter, one in software too: Debian's mesa-vulkan-drivers 25 is one. */
async function found(): Promise<boolean> {
  const engine = engineHere(model, { device });
  try {
    await engine.encode([{ tokenIds: Int32Array.of(2, 5) }]);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    return false;
  } finally {
    await engine.close();
  }
}

describe.runIf(await found())('WebGPU', () => {
  engineConformance(device, async (options) => engineHere(model, { device, ...options }), false, { device });

  it.each([
    ['one-kv-head', 'float32'],
    ['several-kv-heads', 'float32'],
    ['several-kv-heads', 'float16'],
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
});
