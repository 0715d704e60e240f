import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Executor } from '../../src/engine/executor.js';
import { startWorkerEngine } from '../../src/engine/worker-engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { engineConformance } from '../conformance/engine.js';
import { referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-engine-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));
const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
const model = await compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });

engineConformance(
  'executor in this thread',
  async (options) => new Executor(model, { device: 'cpu', ...options }),
  false,
);
engineConformance('worker thread', (options) => startWorkerEngine(model, { device: 'cpu', ...options }), true);

describe('worker thread', () => {
  it('rejects what waits when it is closed, and ends', async () => {
    const engine = await startWorkerEngine(model, { device: 'cpu', batchTokens: 1 });
    const item = { tokenIds: Int32Array.from({ length: 60 }, (_, i) => 3 + i) };
    const waiting = [1, 2, 3].map(() => engine.encode(Array.from({ length: 200 }, () => item)));
    const outcomes = Promise.allSettled(waiting);
    await engine.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_CLOSED' } });
    }
  });

  it('shares the memory of states instead of copying it', async () => {
    const engine = await startWorkerEngine(model, { device: 'cpu' });
    const [states] = await engine.encode([{ tokenIds: Int32Array.of(2, 5, 7) }]);
    expect(states!.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    await engine.close();
  });
});
