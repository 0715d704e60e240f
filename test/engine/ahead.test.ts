/** While a device computes one batch, the tensors of the next are made in another thread. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { BatchTensors } from '../../src/engine/batch-tensors.js';
import { allRows, type EncodeItem } from '../../src/engine/engine.js';
import { startWorkerEngine } from '../../src/hosts/worker-engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { engineConformance } from '../conformance/engine.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-ahead-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));
const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
const model = await compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });

/** Graphs for a device, which the CPU provider runs. */
const target = { device: 'cuda', arithmetic: 'float32' } as const;

const started = (options: { readonly batchMs?: number; readonly givenRows?: boolean } = {}) =>
  startWorkerEngine(model, { device: 'cpu', threads: 1, batchTokens: 64, ...options }, true);
const items = (count: number): EncodeItem[] =>
  Array.from({ length: count }, (_, i) => ({
    tokenIds: Int32Array.from({ length: 60 }, (_, j) => 3 + ((i * 31 + j * 7) % 290)),
  }));

engineConformance(
  'tensors made ahead',
  (options) => startWorkerEngine(model, { device: 'cpu', target, ...options }, true),
  true,
);

describe('an engine that makes tensors ahead', () => {
  afterEach(() => vi.restoreAllMocks());

  /** What is made for batches and read of them, in order. */
  function watched(): string[] {
    const events: string[] = [];
    const of = BatchTensors.prototype.of;
    vi.spyOn(BatchTensors.prototype, 'of').mockImplementation(function (this: BatchTensors, work) {
      const made = of.call(this, work);
      const batch = events.filter((event) => event.startsWith('made')).length;
      events.push(`made ${batch}`);
      return {
        ...made,
        results: (outputs) => {
          events.push(`read ${batch}`);
          return made.results(outputs);
        },
      };
    });
    return events;
  }

  it('makes those of the second batch before the first has ended, and no more', async () => {
    const events = watched();
    const engine = await started();
    await engine.encode(items(6));
    await engine.close();
    expect(events.slice(0, 3)).toEqual(['made 0', 'made 1', 'read 0']);
    const count = (what: string, until: number) =>
      events.slice(0, until + 1).filter((event) => event.startsWith(what)).length;
    const inHand = events.map((_, at) => count('made', at) - count('read', at));
    expect(Math.max(...inHand)).toBe(2);
    expect(events.filter((event) => event.startsWith('read'))).toEqual(
      [0, 1, 2, 3, 4, 5].map((batch) => `read ${batch}`),
    );
  });

  it('makes none ahead where the time of a batch is bounded', async () => {
    const events = watched();
    const engine = await started({ batchMs: 50 });
    await engine.encode(items(3));
    await engine.close();
    expect(events).toEqual(['made 0', 'read 0', 'made 1', 'read 1', 'made 2', 'read 2']);
  });

  it('takes nothing behind a text that is written, and no text behind something else', async () => {
    const engine = await started();
    const [states] = await engine.encode(items(1));
    const memory = [allRows(states!)];
    const prompt = Int32Array.of(7);
    const began: string[] = [];
    const of = (name: string) => ({ onStarted: () => began.push(name) });
    const written = engine.generate([{ memory, prompt, maxTokens: 3 }], of('text')).then(() => began.push('written'));
    const encoded = engine.encode(items(2), of('encode')).then(() => began.push('encoded'));
    const last = engine.generate([{ memory, prompt, maxTokens: 3 }], of('last'));
    await Promise.all([written, encoded, last]);
    await engine.close();
    expect(began.indexOf('encode')).toBeGreaterThan(began.indexOf('text'));
    expect(began.filter((name) => name !== 'last')).toEqual(['text', 'written', 'encode', 'encoded']);
  });

  it('drops what was made ahead for a request that is cancelled', async () => {
    const engine = await started();
    const cancel = new AbortController();
    const first = engine.encode(items(1));
    const second = engine.encode(items(1), {
      signal: cancel.signal,
      onStarted: () => setImmediate(() => cancel.abort()),
    });
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    const [alone] = await engine.encode(items(1));
    expect((await first)[0]).toEqual(alone);
    await engine.close();
  });

  it('gives what one gives that makes them in its turn, with rows of tokens too', async () => {
    const all = items(5);
    const usual = engineHere(model, { device: 'cpu', batchTokens: 64 });
    const ahead = await started({ givenRows: true });
    const given = await ahead.encode(all);
    expect(given.map(({ data }) => [...data])).toEqual((await usual.encode(all)).map(({ data }) => [...data]));
    await ahead.close();
    await usual.close();
  });
});
