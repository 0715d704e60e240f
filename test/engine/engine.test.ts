import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { isAlive } from '../../src/base/lock.js';
import { Executor } from '../../src/engine/executor.js';
import { QueuedEngine } from '../../src/engine/queue.js';
import { startChildEngine } from '../../src/hosts/child-engine.js';
import { startWorkerEngine } from '../../src/hosts/worker-engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { engineConformance } from '../conformance/engine.js';
import { engineHere } from '../support/engine-here.js';
import { ADDS_EXACTLY } from '../support/exact-products.js';
import { referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-engine-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));
const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
const model = await compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });

engineConformance(
  'executor in this thread',
  async (options) => engineHere(model, { device: 'cpu', ...options }),
  false,
);
engineConformance('worker thread', (options) => startWorkerEngine(model, { device: 'cpu', ...options }), true);

engineConformance('child process', (options) => startChildEngine(model, { device: 'cpu', ...options }), true);

engineConformance(
  'team',
  (options) => startWorkerEngine(model, { device: 'cpu', threads: 1, workers: 2, ...options }),
  true,
);

const int8 = await compileModel(checkpoint, { precision: 'int8', embeddingScale: 'exact', cacheDirectory });
if (ADDS_EXACTLY) {
  engineConformance('8-bit weights', async (options) => engineHere(int8, { device: 'cpu', ...options }), false, {
    precision: 'int8',
  });
} else
  describe.skip('engine: 8-bit weights (this processor adds 8-bit products with overflow)', () =>
    it('', () => undefined));

describe('attention in blocks', () => {
  it.each(['one-kv-head', 'several-kv-heads'])('is attention to all keys: %s', async (fixture) => {
    const compiled = await compileModel(await openCheckpoint(referenceFixture(fixture)), {
      precision: 'float32',
      embeddingScale: 'exact',
      cacheDirectory,
    });
    const engine = engineHere(compiled, { device: 'cpu' });
    // Windows of a few rows: blocks of 128, so these are one block, just more than one, and some with all remainders.
    const items = [120, 137, 139, 140, 255, 256, 257, 300, 391].map((length, i) => ({
      tokenIds: Int32Array.from({ length }, (_, j) => 3 + ((i * 31 + j * 7) % 290)),
    }));
    const blocks = await engine.encode(items);
    // A mask that allows every pair makes the graph look at all keys.
    const all = items.map((item) => ({ ...item, pairMask: new Uint8Array(item.tokenIds.length ** 2).fill(1) }));
    const dense = await engine.encode(all);
    await engine.close();
    const difference = blocks.map(({ data }, i) => Math.max(...data.map((x, at) => Math.abs(x - dense[i]!.data[at]!))));
    expect(Math.max(...difference)).toBeLessThan(1e-5);
  });
});

it('computes in as many threads as it is told', async () => {
  const running = () => readdirSync('/proc/self/task').length;
  const started = async (threads: number) => {
    const before = running();
    const engine = engineHere(model, { device: 'cpu', threads });
    await engine.encode([{ tokenIds: Int32Array.of(2, 5, 7) }]);
    const count = running() - before;
    await engine.close();
    return count;
  };
  // The calling thread is one of them. The first session also starts threads of Node's own, which stay.
  await started(1);
  expect([await started(1), await started(2), await started(5)]).toEqual([0, 1, 4]);
});

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

it.each([{ waitMs: -1 }, { batchMs: 0 }, { queueItems: Number.NaN }, { workers: 0 }])(
  'starts nothing with %j',
  async (options) => {
    for (const start of [startWorkerEngine, startChildEngine]) {
      await expect(start(model, { device: 'cpu', ...options })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(Object.keys(options)[0]!),
      });
    }
  },
);

describe('team', () => {
  const items = Array.from({ length: 64 }, (_, i) => ({
    tokenIds: Int32Array.from({ length: 20 + (i % 50) }, (_, j) => 3 + ((i * 31 + j * 7) % 300)),
  }));
  /** Two executors behind one queue, and how many items each of them was given. */
  function team(batchTokens = 64, failing?: number) {
    const given = [0, 0];
    const runners = given.map((_, member) => {
      const runner = new Executor(model, { device: 'cpu', batchTokens, threads: 1 });
      const run = runner.run.bind(runner);
      runner.run = async (work, signal) => {
        if (member === failing) throw new DkvError('ENGINE_FAILED', 'out of something');
        given[member]! += work.items.length;
        // Lets the others have a turn, as threads do.
        await setTimeout(1);
        return run(work, signal);
      };
      return runner;
    });
    return { given, engine: new QueuedEngine(runners) };
  }

  it('divides the batches of a request and of several at once', async () => {
    const { given, engine } = team();
    await engine.encode(items);
    expect(given[0]! + given[1]!).toBe(64);
    expect(Math.min(...given)).toBeGreaterThan(16);
    const before = [...given];
    // Requests of one batch each: they do not all go to the first.
    await Promise.all(items.slice(0, 2).map((item) => engine.encode([item])));
    expect(given).toEqual(before.map((count) => count + 1));
    await engine.close();
  });

  it('divides what would fit into one batch', async () => {
    const { given, engine } = team(2048);
    await engine.encode(Array.from({ length: 9 }, () => items[0]!));
    expect(given.sort()).toEqual([4, 5]);
    await engine.close();
  });

  it('stops when one fails, with the error of that one', async () => {
    const { given, engine } = team(64, 1);
    await expect(engine.encode(items)).rejects.toMatchObject({ code: 'ENGINE_FAILED', message: 'out of something' });
    expect(given[0]).toBeLessThan(64);
    await engine.close();
  });

  it('names the item that is wrong by its place in the request', async () => {
    const { engine } = team();
    await expect(engine.encode([...items, { tokenIds: new Int32Array(0) }])).rejects.toThrow('encode item 64');
    await engine.close();
  });
});

describe('child process', () => {
  const items = Array.from({ length: 40 }, (_, i) => ({
    tokenIds: Int32Array.from({ length: 20 + (i % 50) }, (_, j) => 3 + ((i * 31 + j * 7) % 300)),
  }));
  const childOf = () =>
    Number(
      execFileSync('pgrep', ['-n', '-P', String(process.pid), '-f', 'dist/hosts/child.js'], {
        encoding: 'utf8',
      }),
    );

  it('survives kill -9 of its child: the request in it fails clearly, and nothing else', async () => {
    // A batch of one item each, so that the child works on one request at a time.
    const long = items.map(({ tokenIds }) => ({
      tokenIds: Int32Array.from({ length: 40 }, (_, i) => tokenIds[i % 20]!),
    }));
    const wanted = await engineHere(model, { device: 'cpu', batchTokens: 64 }).encode(long);
    const backOff = { firstMs: 1, longestMs: 50, soundMs: 60_000 };
    const engine = await startChildEngine(model, { device: 'cpu', batchTokens: 64, backOff });
    let failed = 0;
    for (let round = 0; round < 20; round++) {
      await engine.encode([long[round]!]);
      // Callers, each with one request after the other: a new child gets what the last one had not begun.
      let failedNow = 0;
      const callers = Array.from({ length: 20 }, async (_, caller) => {
        for (const place of [caller, 39 - caller]) {
          try {
            const [states] = await engine.encode([long[place]!]);
            expect([...states!.data]).toEqual([...wanted[place]!.data]);
          } catch (error) {
            failedNow++;
            expect(error).toMatchObject({
              code: 'ENGINE_FAILED',
              message: expect.stringContaining('killed by SIGKILL while it worked on this request'),
            });
          }
        }
      });
      await setTimeout(round * 3);
      process.kill(childOf(), 'SIGKILL');
      await Promise.all(callers);
      expect(failedNow).toBeLessThanOrEqual(1);
      failed += failedNow;
    }
    expect(failed).toBeGreaterThan(0);
    await engine.close();
  });

  it('waits before it starts another child where one ended soon, and answers who can wait for that', async () => {
    const [item] = items;
    const backOff = { firstMs: 1500, longestMs: 1500, soundMs: 60_000 };
    const engine = await startChildEngine(model, { device: 'cpu', backOff });
    const [wanted] = await engine.encode([item!]);
    process.kill(childOf(), 'SIGKILL');
    // One that was in the pipe when it died, or found it dead: nothing had begun.
    const patient = engine.encode([item!]);
    const hurried = engine.encode([item!], { deadlineMs: 1000 });
    await expect(hurried).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringMatching(/next start is in \d+ ms\. This request's deadline of 1000 ms ends before/),
    });
    await expect(engine.load()).rejects.toThrow('the next start is in');
    const controller = new AbortController();
    const cancelled = engine.encode([item!], { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await patient)[0]!.data).toEqual(wanted!.data);
    process.kill(childOf(), 'SIGKILL');
    const waiting = engine.encode([item!]);
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    while (
      await engine.load().then(
        () => true,
        (error) => !error.message.includes('the next start'),
      )
    )
      await setTimeout(5);
    await engine.close();
    await outcome;
    await expect(engine.encode([item!])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
  });

  it('does not outlive its parent, also while it works', async () => {
    const script = `
      import { startChildEngine } from ${JSON.stringify(path.resolve('dist/hosts/child-engine.js'))};
      const engine = await startChildEngine(${JSON.stringify(model)}, { device: 'cpu', threads: 1 });
      const item = { tokenIds: new Int32Array(2000).fill(5) };
      const onProgress = () => process.stdout.write('at work');
      await engine.encode(Array.from({ length: 2000 }, () => item), { onProgress });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const child = Number(execFileSync('pgrep', ['-P', String(parent.pid)], { encoding: 'utf8' }));
    parent.kill('SIGKILL');
    for (let i = 0; i < 200 && isAlive(child); i++) await setTimeout(50);
    expect(isAlive(child)).toBe(false);
  });

  it('does not keep an idle program running, and is told secrets by its channel alone', async () => {
    const script = `
      import { execFileSync } from 'node:child_process';
      import { startChildEngine } from ${JSON.stringify(path.resolve('dist/hosts/child-engine.js'))};
      const engine = await startChildEngine(${JSON.stringify(model)}, { device: 'cpu', threads: 1 });
      const address = { location: 'redis://me:hidden-word@127.0.0.1:1/0', options: { timeoutMs: 300 } };
      const memory = { source: { address, statesOf: () => [] }, key: 'a'.repeat(64), fingerprints: ['f'] };
      const ids = Int32Array.of(5);
      const error = await engine.score([{ memory, prompt: ids, target: ids }]).catch((thrown) => thrown);
      const seen = execFileSync('ps', ['eww', '-o', 'args', '--ppid', String(process.pid)], { encoding: 'utf8' });
      console.log(JSON.stringify({ code: error.code, message: error.message, seen }));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    parent.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const [code] = await once(parent, 'exit');
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      code: 'STORE_UNREACHABLE',
      seen: expect.stringContaining('dist/hosts/child.js'),
    });
    expect(said).not.toContain('hidden-word');
  });
});
