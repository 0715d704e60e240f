import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import {
  allRows,
  type ChosenTokens,
  type EncodeItem,
  eachOf,
  type PhaseTimes,
  type ScoreItem,
  type States,
  type StatesSource,
} from '../../src/engine/engine.js';
import { Executor, type ExecutorOptions } from '../../src/engine/executor.js';
import { Pace } from '../../src/engine/pace.js';
import { QueuedEngine, type QueueOptions } from '../../src/engine/queue.js';
import type { Work } from '../../src/engine/runner.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { referenceFixture } from '../support/fixtures.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-queue-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));
const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
const model = await compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });

const tokens = (count: number, seed = 0) =>
  Int32Array.from({ length: count }, (_, i) => 3 + ((seed * 31 + i * 7) % 290));
const items = (count: number, rows: number): EncodeItem[] =>
  Array.from({ length: count }, (_, i) => ({ tokenIds: tokens(rows, i) }));

/** An engine whose executor waits before each batch until it is let go, and its batches in their order. */
function held(options: Partial<ExecutorOptions> & QueueOptions = {}) {
  const runner = new Executor(model, { device: 'cpu', batchTokens: 64, threads: 1, ...options });
  const run = runner.run.bind(runner);
  const batches: Work[] = [];
  const outcomes: Promise<unknown>[] = [];
  const waiting: (() => void)[] = [];
  let isOpen = false;
  runner.run = async (work, signal) => {
    batches.push(work);
    if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
    const outcome = run(work, signal);
    outcomes.push(outcome.catch((error) => error));
    return outcome;
  };
  const open = () => {
    isOpen = true;
    for (const go of waiting.splice(0)) go();
  };
  return { engine: new QueuedEngine([runner], options), batches, outcomes, open };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

const codeOf = (request: Promise<unknown>) =>
  request.then(
    () => 'answered',
    (error: DkvError) => error.code,
  );

describe('a queue', () => {
  it('lets requests of many callers share batches, and gives each what it gets alone', async () => {
    const { engine, batches, open } = held();
    open();
    const wanted = items(9, 14);
    const together = await Promise.all(wanted.map((item) => engine.encode([item])));
    // 16 rows each after padding.
    expect(batches.map((batch) => batch.items.length)).toEqual([4, 4, 1]);
    for (const [i, item] of wanted.entries()) {
      const [alone] = await engine.encode([item]);
      expect(together[i]![0]!.data).toEqual(alone!.data);
    }
    await engine.close();
  });

  it('lets interactive requests overtake bulk ones between two batches', async () => {
    const { engine, batches, open } = held();
    const bulk = engine.encode(items(3, 60), { priority: 'bulk' });
    await until(() => batches.length === 1);
    const interactive = engine.encode(items(2, 30), { priority: 'interactive' });
    open();
    expect(await bulk).toHaveLength(3);
    expect(await interactive).toHaveLength(2);
    expect(batches.map((batch) => batch.rows)).toEqual([64, 32, 64, 64]);
    await engine.close();
  });

  it('mixes neither methods nor texts of very different lengths', async () => {
    const { engine, batches, open } = held({ batchTokens: 4096 });
    open();
    const [states] = await engine.encode(items(1, 8));
    batches.length = 0;
    const text = { memory: [allRows(states!)], prompt: tokens(3) };
    const sampling = { temperature: 1, topP: 1, seed: 1 };
    await Promise.all([
      engine.generate([
        { ...text, maxTokens: 3 },
        { ...text, maxTokens: 40 },
      ]),
      engine.generate([
        { ...text, maxTokens: 4 },
        { ...text, maxTokens: 4, sampling },
      ]),
      engine.score([{ ...text, target: tokens(1) }]),
      engine.probe(items(1, 8), { hidden: [0], attention: [] }),
      engine.probe(items(1, 8), { hidden: [1], attention: [] }),
      engine.encode(items(1, 8)),
    ]);
    expect(batches.map((batch) => `${batch.method} ${batch.items.length}`).sort()).toEqual([
      'encode 1',
      'generate 1',
      'generate 1',
      'generate 2',
      'probe 1',
      'probe 1',
      'score 1',
    ]);
    await engine.close();
  });

  it('waits for company only where there was some', async () => {
    const { engine, batches, open } = held({ waitMs: 2 ** 31 - 1 });
    open();
    // One caller, one request after the other, would wait for ever.
    for (const item of items(3, 8)) await engine.encode([item]);
    const [a, b] = items(2, 8);
    await Promise.all([engine.encode([a!]), engine.encode([b!])]);
    const first = engine.encode([a!]);
    for (let i = 0; i < 20; i++) await setImmediate();
    await Promise.all([first, engine.encode([b!])]);
    expect(batches.map((batch) => batch.items.length)).toEqual([1, 1, 1, 2, 2]);
    await engine.close();
  });

  it('drops a request unstarted whose deadline has passed, and no other', async () => {
    const { engine, batches, open } = held();
    const first = codeOf(engine.encode(items(1, 60), { deadlineMs: 1000 }));
    await until(() => batches.length === 1);
    const late = codeOf(engine.encode(items(5, 60), { deadlineMs: 5 }));
    const patient = codeOf(engine.encode(items(1, 20)));
    expect(await late).toBe('DEADLINE_PASSED');
    // Begun before: its deadline has no meaning any more.
    await new Promise((resolve) => setTimeout(resolve, 1050));
    open();
    expect([await first, await patient]).toEqual(['answered', 'answered']);
    expect(batches).toHaveLength(2);
    await engine.close();
  });

  it('never computes an item that was in no batch at the deadline, where late items are dropped', async () => {
    const { engine, batches, open } = held();
    const wanted = items(5, 60);
    const some = eachOf(wanted, (own) => engine.encode(own, { deadlineMs: 200, dropLate: true }));
    await until(() => batches.length === 1);
    const patient = codeOf(engine.encode(items(1, 20)));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await engine.load()).waitingItems).toEqual({ interactive: 1, bulk: 0 });
    open();
    const outcomes = await some;
    expect(outcomes.map((own) => (own instanceof DkvError ? own.code : own.rows))).toEqual([
      60,
      ...Array(4).fill('DEADLINE_PASSED'),
    ]);
    expect(await patient).toBe('answered');
    expect(batches.map((batch) => batch.items.length)).toEqual([1, 1]);
    await engine.close();
  });

  it('begins no request that could not end before its deadline, where late items are dropped', async () => {
    const runner = new Executor(model, { device: 'cpu', batchTokens: 64, threads: 1 });
    const run = runner.run.bind(runner);
    const batches: Work[] = [];
    runner.run = async (work, signal) => {
      batches.push(work);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { ...(await run(work, signal)), computedMs: 100 };
    };
    const engine = new QueuedEngine([runner]);
    // Alone nothing is known of the speed: what has time to begin is begun.
    expect(await codeOf(engine.encode(items(1, 60), { deadlineMs: 60, dropLate: true }))).toBe('answered');
    const first = codeOf(engine.encode(items(1, 60)));
    await until(() => batches.length === 2);
    const long = codeOf(engine.encode(items(6, 60), { deadlineMs: 400, dropLate: true }));
    const short = codeOf(engine.encode(items(1, 60), { deadlineMs: 400, dropLate: true }));
    const whole = codeOf(engine.encode(items(6, 60), { deadlineMs: 400 }));
    expect(await Promise.all([first, long, short, whole])).toEqual([
      'answered',
      'DEADLINE_PASSED',
      'answered',
      'answered',
    ]);
    expect(batches).toHaveLength(1 + 1 + 1 + 6);
    await engine.close();
  });

  it('tries no item of a failed batch again that is late by then', async () => {
    const runner = new Executor(model, { device: 'cpu', batchTokens: 512, threads: 1 });
    let batches = 0;
    runner.run = async () => {
      batches++;
      await new Promise((resolve) => setTimeout(resolve, 250));
      throw new DkvError('ENGINE_FAILED', 'out of memory');
    };
    const engine = new QueuedEngine([runner]);
    const late = { deadlineMs: 200, dropLate: true };
    const codes = await Promise.all([1, 2].map((count) => codeOf(engine.encode(items(count, 8), late))));
    expect(codes).toEqual(['DEADLINE_PASSED', 'DEADLINE_PASSED']);
    expect(batches).toBe(1);
    await engine.close();
  });

  it('looks at deadlines before it begins, where its timers come late', async () => {
    const { engine, batches, open } = held();
    open();
    // Just before the queue looks at what has come: timers have no turn in between.
    globalThis.setImmediate(() => {
      const since = performance.now();
      while (performance.now() - since < 20);
    });
    const late = engine.encode(items(1, 60), { deadlineMs: 5 }).catch((error) => error);
    const patient = codeOf(engine.encode(items(1, 20)));
    expect((await late).message).toContain('deadline of 5 ms passed');
    expect(await patient).toBe('answered');
    expect(batches).toHaveLength(1);
    await engine.close();
  });

  it('refuses what would be too much, but not a request that is large by itself', async () => {
    const { engine, batches, open } = held({ queueItems: 4 });
    const large = codeOf(engine.encode(items(9, 60)));
    await until(() => batches.length === 1);
    const error = await engine.encode(items(1, 60)).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'ENGINE_BUSY',
      status: 429,
      message: expect.stringContaining('8 items wait for the engine, and this request would bring 1 more; 4 may wait'),
    });
    open();
    expect(await large).toBe('answered');
    expect(await codeOf(engine.encode(items(4, 60)))).toBe('answered');
    await engine.close();
  });

  it('takes a cancelled request out at once', async () => {
    const { engine, batches, open } = held();
    const first = codeOf(engine.encode(items(1, 60)));
    await until(() => batches.length === 1);
    const cancel = new AbortController();
    const second = codeOf(engine.encode(items(2, 60), { signal: cancel.signal }));
    expect((await engine.load()).waitingItems).toEqual({ interactive: 2, bulk: 0 });
    cancel.abort();
    expect(await second).toBe('CANCELLED');
    expect((await engine.load()).waitingItems).toEqual({ interactive: 0, bulk: 0 });
    open();
    expect(await first).toBe('answered');
    expect(batches).toHaveLength(1);
    await engine.close();
  });

  it('stops a text that nobody waits for any more, and goes on with one that somebody does', async () => {
    const { engine, batches, outcomes, open } = held();
    open();
    const [states] = await engine.encode(items(1, 8));
    const item = { memory: [allRows(states!)], prompt: tokens(1), maxTokens: 64 };
    const texts = (count: number) => {
      const cancel = new AbortController();
      const { signal } = cancel;
      return { cancel, requests: Array.from({ length: count }, () => codeOf(engine.generate([item], { signal }))) };
    };
    const [gone, other] = [texts(2), texts(1)];
    const before = batches.length;
    await until(() => outcomes.length > before);
    gone.cancel.abort();
    expect(await Promise.all(gone.requests)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await other.requests[0]).toBe('answered');
    expect(batches).toHaveLength(before + 1);
    const last = texts(2);
    await until(() => outcomes.length > before + 1);
    last.cancel.abort();
    expect(await Promise.all(last.requests)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await outcomes[before + 1]).toMatchObject({ code: 'CANCELLED' });
    await engine.close();
  });

  it('tries a batch that failed again for each of its requests alone', async () => {
    const runner = new Executor(model, { device: 'cpu', batchTokens: 512, threads: 1 });
    const run = runner.run.bind(runner);
    const counts: number[] = [];
    runner.run = async (work, signal) => {
      counts.push(work.items.length);
      if (work.items.length > 2) throw new DkvError('ENGINE_FAILED', 'out of memory');
      return run(work, signal);
    };
    const engine = new QueuedEngine([runner]);
    const [few, many, one] = await Promise.all([2, 3, 1].map((count) => codeOf(engine.encode(items(count, 8)))));
    expect([few, many, one]).toEqual(['answered', 'ENGINE_FAILED', 'answered']);
    expect(counts).toEqual([6, 2, 3, 1]);
    await engine.close();
  });

  it('tells each token once, also where a batch of texts fails and is tried again', async () => {
    const runner = new Executor(model, { device: 'cpu', batchTokens: 512, threads: 1 });
    const run = runner.run.bind(runner);
    let tries = 0;
    runner.run = async (work, signal, onTokens) => {
      if (work.method !== 'generate') return run(work, signal);
      tries++;
      const done = await run(work, signal, onTokens);
      if (work.items.length > 1) throw new DkvError('ENGINE_FAILED', 'out of memory');
      return done;
    };
    const engine = new QueuedEngine([runner]);
    const [states] = await engine.encode(items(1, 8));
    const item = { memory: [allRows(states!)], prompt: tokens(1), maxTokens: 12 };
    const told: number[] = [];
    const onTokens = ({ tokenIds }: ChosenTokens) => told.push(...tokenIds);
    const [[own], [other]] = await Promise.all([engine.generate([item], { onTokens }), engine.generate([item])]);
    expect(tries).toBe(3);
    expect(told).toEqual([...own!.tokenIds]);
    expect(own).toEqual(other);
    await engine.close();
  });

  it('refuses a text that came out otherwise when it was written again', async () => {
    const runner = new Executor(model, { device: 'cpu', batchTokens: 512, threads: 1 });
    const run = runner.run.bind(runner);
    runner.run = async (work, signal, onTokens) => {
      if (work.method === 'generate' && work.items.length > 1) {
        onTokens?.([{ item: 0, tokenIds: Int32Array.of(1, 1), logProbabilities: Float32Array.of(-1, -1) }]);
        throw new DkvError('ENGINE_FAILED', 'out of memory');
      }
      return run(work, signal, onTokens);
    };
    const engine = new QueuedEngine([runner]);
    const [states] = await engine.encode(items(1, 8));
    const item = { memory: [allRows(states!)], prompt: tokens(1), maxTokens: 12 };
    const followed = eachOf([item], (own) => engine.generate(own, { onTokens: () => {} }));
    const [outcomes, [other]] = await Promise.all([followed, engine.generate([item])]);
    expect(outcomes[0]).toMatchObject({ code: 'ENGINE_FAILED', message: expect.stringContaining('differed') });
    expect(other!.tokenIds).toHaveLength(12);
    await engine.close();
  });

  it('says what it is at, for all and for each request', async () => {
    const { engine, batches, open } = held();
    const times: PhaseTimes[] = [];
    const onPhases = (own: PhaseTimes) => times.push(own);
    const first = engine.encode(items(1, 60), { onPhases, tokenisingMs: 7 });
    await until(() => batches.length === 1);
    const second = engine.encode(items(3, 60), { priority: 'bulk', onPhases });
    expect(await engine.load()).toMatchObject({ waitingItems: { interactive: 0, bulk: 3 }, runningBatches: 1 });
    open();
    await Promise.all([first, second]);
    expect(times).toHaveLength(2);
    expect(times[0]).toMatchObject({ tokenising: 7, reading: 0, decoding: 0 });
    for (const own of times) expect(Math.min(own.waiting, own.encoding)).toBeGreaterThan(0);
    const { phases, ...rest } = await engine.load();
    expect(rest).toMatchObject({ waitingItems: { interactive: 0, bulk: 0 }, runningBatches: 0, restarts: 0 });
    expect(rest.batches).toBeGreaterThan(0);
    for (const phase of ['waiting', 'encoding', 'tokenising'] as const) {
      expect(phases[phase]).toBeCloseTo(times[0]![phase] + times[1]![phase], 6);
    }
    await engine.close();
  });

  it("rejects a request with what its caller's functions throw, and no other", async () => {
    const { engine, open } = held();
    open();
    const broken = () => {
      throw new Error('the caller is wrong');
    };
    for (const own of [{ onProgress: broken }, { onPhases: broken }]) {
      const [bad, good] = [engine.encode(items(2, 8), own), codeOf(engine.encode(items(2, 8)))];
      await expect(bad).rejects.toThrow('the caller is wrong');
      expect(await good).toBe('answered');
    }
    await engine.close();
    expect(await codeOf(engine.load())).toBe('ENGINE_CLOSED');
  });

  it('refuses options that mean nothing', async () => {
    const { engine } = held();
    for (const options of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY].map((deadlineMs) => ({ deadlineMs }))) {
      await expect(engine.encode(items(1, 8), options)).rejects.toThrow(`deadlineMs is ${options.deadlineMs};`);
    }
    for (const options of [{ tokenisingMs: -1 }, { priority: 'urgent' as 'bulk' }, { dropLate: 'yes' as never }]) {
      await expect(engine.encode(items(1, 8), options)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    }
    await engine.close();
  });

  it('answers what is in hand when it is closed, and rejects what waits', async () => {
    const { engine, batches, open } = held();
    const first = codeOf(engine.encode(items(1, 60)));
    await until(() => batches.length === 1);
    const second = codeOf(engine.encode(items(1, 60)));
    const closing = engine.close();
    expect(await second).toBe('ENGINE_CLOSED');
    open();
    expect(await first).toBe('answered');
    await closing;
    expect(await codeOf(engine.encode(items(1, 60)))).toBe('ENGINE_CLOSED');
  });

  it('keeps batches of a time, whatever their rows take', async () => {
    const { engine, batches, open } = held({ batchTokens: 4096, batchMs: 1e-6 });
    open();
    await engine.encode(items(5, 8));
    expect(batches.map((batch) => batch.items.length)).toEqual([1, 1, 1, 1, 1]);
    await engine.close();
    const patient = held({ batchTokens: 4096, batchMs: 1e6 });
    patient.open();
    await patient.engine.encode(items(15, 8));
    // Twice what was tried: more is not known.
    expect(patient.batches.map((batch) => batch.items.length)).toEqual([1, 2, 4, 8]);
    await patient.engine.close();
  });
});

describe('states by name', () => {
  const width = 32;
  /** @param rows of each state */
  function source(rows: number) {
    const reads: (readonly string[])[] = [];
    const own: StatesSource = {
      address: undefined,
      statesOf: async (keys) => {
        reads.push(keys);
        await setImmediate();
        return keys.map((key): States | DkvError => {
          if (key.startsWith('missing')) return new DkvError('DOCUMENT_MISSING', `There is no ${key}.`);
          const of = key.startsWith('wide') ? width + 1 : width;
          return { rows, width: of, data: new Float32Array(rows * of).fill(0.1 + key.length / 100) };
        });
      },
    };
    return { own, reads };
  }
  const named = (from: StatesSource, key: string, fingerprints = ['f']): ScoreItem => ({
    memory: { source: from, key, fingerprints },
    prompt: tokens(2),
    target: tokens(3),
  });
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `key ${i}`);

  it('are read in order, as much ahead as may be held', async () => {
    const { engine, batches, open } = held({ batchTokens: 8192 });
    // 4 MB each.
    const { own, reads } = source(32_768);
    const request = engine.score(keys(60).map((key) => named(own, key)));
    await until(() => batches.length === 1);
    for (let i = 0; i < 50; i++) await setImmediate();
    expect(reads.flat()).toEqual(keys(32));
    open();
    expect(await request).toHaveLength(60);
    expect(reads.flat()).toEqual(keys(60));
    await engine.close();
  });

  it('of bulk requests do not keep interactive ones from theirs', async () => {
    const { engine, batches, open } = held({ batchTokens: 8192 });
    const { own, reads } = source(32_768);
    const early = engine.score([named(own, 'early')]);
    await until(() => batches.length === 1);
    const bulk = engine.score(
      keys(60).map((key) => named(own, key)),
      { priority: 'bulk' },
    );
    await until(() => reads.flat().length === 1 + 32);
    const mine = engine.score([named(own, 'mine')]);
    await until(() => reads.flat().includes('mine'));
    open();
    await Promise.all([early, bulk, mine]);
    expect(batches.slice(0, 2).map((batch) => batch.items.length)).toEqual([1, 1]);
    await engine.close();
  });

  it('are read once for all who wait for them, and again when nobody holds them any more', async () => {
    const { engine, batches, open } = held({ batchTokens: 8192 });
    const { own, reads } = source(10);
    const ask = () => engine.score([named(own, 'a'), named(own, 'b'), named(own, 'a')]);
    const [first, second] = [ask(), ask()];
    await until(() => batches.length === 1);
    const third = ask();
    open();
    const [one, two, three] = await Promise.all([first, second, third]);
    expect(reads).toEqual([['a', 'b']]);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    await ask();
    // The same key as another model: not what is there.
    await engine.score([named(own, 'a', ['f', 'g']), named(own, 'a')]);
    expect(reads.slice(1)).toEqual([['a', 'b'], ['a'], ['a']]);
    await engine.close();
  });

  it('that are not there fail their items, and a source that fails its requests alone', async () => {
    const { engine, open } = held();
    open();
    const { own } = source(10);
    const some = ['a', 'missing', 'wide', 'b'].map((key) => named(own, key));
    const found = await eachOf(some, (wanted) => engine.score(wanted));
    expect(found[1]).toMatchObject({ code: 'DOCUMENT_MISSING', message: 'There is no missing.' });
    expect(found[2]).toMatchObject({ code: 'STORE_MISMATCH', message: expect.stringContaining('10 x 33') });
    for (const i of [0, 3]) expect(found[i]).toBeInstanceOf(Float32Array);
    const gone: StatesSource = {
      address: undefined,
      statesOf: () => Promise.reject(new DkvError('STORE_UNREACHABLE', 'It is gone.')),
    };
    const [bad, mixed, good] = [[named(gone, 'a')], [named(own, 'a'), named(gone, 'a')], [named(own, 'a')]].map((of) =>
      codeOf(engine.score(of)),
    );
    expect([await bad, await mixed, await good]).toEqual(['STORE_UNREACHABLE', 'STORE_UNREACHABLE', 'answered']);
    await engine.close();
  });

  it('fail with a code when their source gives something else', async () => {
    const { engine, open } = held();
    open();
    const { own } = source(10);
    const faulty: [string, unknown, string][] = [
      ['too few', [], 'INPUT_INVALID'],
      ['nothing', undefined, 'INPUT_INVALID'],
      ['no states', [null], 'INPUT_INVALID'],
      ['a plain error', [new Error('broken')], 'ENGINE_FAILED'],
      ['too few numbers', [{ rows: 5, width, data: new Float32Array(4 * width) }], 'INPUT_INVALID'],
      ['other numbers', [{ rows: 5, width, data: new Float64Array(5 * width) }], 'INPUT_INVALID'],
    ];
    for (const [what, gives, code] of faulty) {
      const bad = { address: undefined, statesOf: async () => gives } as unknown as StatesSource;
      const codes = [codeOf(engine.score([named(bad, 'a')])), codeOf(engine.score([named(own, 'a')]))];
      expect([what, ...(await Promise.all(codes))]).toEqual([what, code, 'answered']);
    }
    const throws = (error: unknown): StatesSource => ({
      address: undefined,
      statesOf: () => {
        throw error;
      },
    });
    for (const error of [new Error('broken'), undefined]) {
      expect(await codeOf(engine.score([named(throws(error), 'a')]))).toBe('ENGINE_FAILED');
    }
    await engine.close();
  });

  it('that cannot be named so are refused at once', async () => {
    const { engine } = held();
    const { own, reads } = source(10);
    const fingerprints = ['f'];
    for (const memory of [
      { source: null, key: 'a', fingerprints },
      { source: {}, key: 'a', fingerprints },
      { source: own, key: 5, fingerprints },
      { source: own, key: 'a' },
      { source: own, key: 'a', fingerprints: 'f' },
    ]) {
      const item = { ...named(own, 'a'), memory } as unknown as ScoreItem;
      expect(await codeOf(engine.score([item]))).toBe('INPUT_INVALID');
    }
    expect(reads).toEqual([]);
    await engine.close();
  });

  it('that a read for several requests did not give are read again for each of them', async () => {
    const { engine, open } = held();
    open();
    const { own, reads } = source(10);
    const { statesOf } = own;
    const picky: StatesSource = {
      address: undefined,
      statesOf: async (keys, fingerprints) => {
        const found = await statesOf(keys, fingerprints);
        if (keys.includes('bad')) throw new DkvError('STORE_UNREACHABLE', 'Not with this key.');
        return found;
      },
    };
    const requests = [['a', 'b'], ['bad', 'a'], ['c']].map((keys) =>
      codeOf(engine.score(keys.map((key) => named(picky, key)))),
    );
    expect(await Promise.all(requests)).toEqual(['answered', 'STORE_UNREACHABLE', 'answered']);
    // The first read was on its way already.
    expect(reads.slice(0, 2)).toEqual([
      ['a', 'b'],
      ['bad', 'c'],
    ]);
    expect(reads.slice(2)).toContainEqual(['c']);
    await engine.close();
  });

  it('are not read for who has stopped waiting', async () => {
    const { engine, batches, open } = held();
    const { own, reads } = source(32_768);
    const cancel = new AbortController();
    const gone = codeOf(
      engine.score(
        keys(60).map((key) => named(own, key)),
        { signal: cancel.signal },
      ),
    );
    const stays = codeOf(engine.score([named(own, 'mine')]));
    await until(() => batches.length === 1 && reads.flat().length === 32);
    cancel.abort();
    expect(await gone).toBe('CANCELLED');
    open();
    expect(await stays).toBe('answered');
    expect(reads.flat()).toEqual([...keys(32), 'mine']);
    await engine.close();
  });
});

describe('the pace', () => {
  it('is learned from batches, and forgotten', () => {
    const pace = new Pace();
    expect(pace.rowsWithin('score', 50)).toBe(0);
    pace.learn('score', 100, 20);
    // Of one batch it is not known what is fixed: 5 rows a millisecond, at most twice as many as were tried.
    expect(pace.rowsWithin('score', 30)).toBeCloseTo(150);
    expect(pace.rowsWithin('score', 50)).toBe(200);
    expect(pace.rowsWithin('encode', 50)).toBe(0);
    for (const rows of [200, 400, 300]) pace.learn('score', rows, 10 + rows / 10);
    expect(pace.rowsWithin('score', 50)).toBeCloseTo(400);
    expect(pace.rowsWithin('score', 5)).toBe(0);
    for (let i = 0; i < 300; i++) pace.learn('score', 200 + (i % 3) * 100, 20 + (200 + (i % 3) * 100) / 5);
    expect(pace.rowsWithin('score', 80)).toBeCloseTo(300);
  });

  it('says how long rows take, in as many batches as they need, while that is known of late', () => {
    const pace = new Pace();
    expect(pace.msOf('score', 100, 1000)).toBeUndefined();
    for (const rows of [100, 200, 400]) pace.learn('score', rows, 10 + rows / 10);
    expect(pace.msOf('score', 300, 1000)).toBeCloseTo(40);
    expect(pace.msOf('score', 1000, 1000)).toBeCloseTo(3 * 10 + 100);
    expect(pace.msOf('score', 300, -1)).toBeUndefined();
  });

  it('does not believe that more rows take less time', () => {
    const pace = new Pace();
    pace.learn('score', 100, 40);
    pace.learn('score', 200, 20);
    const rows = pace.rowsWithin('score', 30);
    expect(rows).toBeGreaterThan(100);
    expect(rows).toBeLessThan(200);
  });
});
