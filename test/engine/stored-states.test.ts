/** Engines on every host with states that lie in real stores. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  allRows,
  type Engine,
  eachOf,
  type ScoreItem,
  type States,
  type StatesSource,
} from '../../src/engine/engine.js';
import { startChildEngine } from '../../src/hosts/child-engine.js';
import { startWorkerEngine } from '../../src/hosts/worker-engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { flipped, lmdbDamager } from '../support/damage.js';
import { engineHere } from '../support/engine-here.js';
import { referenceFixture } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';

const base = await mkdtemp(path.join(os.tmpdir(), 'dkv-stored-states-'));
afterAll(() => rm(base, { recursive: true, force: true }));
const model = await compileModel(await openCheckpoint(referenceFixture('one-kv-head')), {
  precision: 'float32',
  embeddingScale: 'exact',
  cacheDirectory: path.join(base, 'models'),
});
const FINGERPRINTS = ['b'.repeat(64), 'a'.repeat(64)];
const tokens = (count: number, seed: number) =>
  Int32Array.from({ length: count }, (_, i) => 3 + ((seed * 31 + i * 7) % 290));

interface Filled {
  readonly store: Store;
  readonly keys: readonly string[];
  readonly states: readonly States[];
}

async function filled(location: string): Promise<Filled> {
  const store = await openStore(location, { tenantSalt: 'mine' });
  const records = Array.from({ length: 24 }, (_, seed) => recordOf(seed, { rows: 5 + (seed % 9), width: 32 }));
  const keys: string[] = [];
  for (const record of records) keys.push(await store.put(record));
  return { store, keys, states: records.map(({ states }) => states) };
}

const named = (source: StatesSource, key: string, seed: number): ScoreItem => ({
  memory: { source, key, fingerprints: FINGERPRINTS },
  prompt: tokens(seed % 3, seed),
  target: tokens(2 + (seed % 4), seed),
});

/** Batches differ, and with them the last bits. */
function expectNear(found: unknown, wanted: Float32Array): void {
  expect(found).toHaveLength(wanted.length);
  for (const [i, nll] of wanted.entries()) expect((found as Float32Array)[i]).toBeCloseTo(nll, 5);
}

const notices: string[] = [];
const options = { device: 'cpu', threads: 1 } as const;
const hosts: [string, () => Promise<Engine>][] = [
  ['executor in this thread', async () => engineHere(model, options)],
  ['worker thread', () => startWorkerEngine(model, options)],
  ['team', () => startWorkerEngine(model, { ...options, workers: 2 })],
  ['child process', () => startChildEngine(model, { ...options, onNotice: (notice) => notices.push(notice) })],
];

describe.each(hosts)('%s', (host, start) => {
  let engine: Engine;
  const stores: Record<'folder' | 'memory', Filled> = {} as never;
  beforeAll(async () => {
    engine = await start();
    stores.folder = await filled(path.join(base, host.replaceAll(' ', '-')));
    stores.memory = await filled('memory:');
  });
  afterAll(async () => {
    await engine.close();
    await Promise.all(Object.values(stores).map(({ store }) => store.close()));
  });

  it.each(['folder', 'memory'] as const)('scores what a store has in a %s, for many callers at once', async (kind) => {
    const { store, keys, states } = stores[kind];
    const source: StatesSource =
      host === 'child process' && kind === 'folder'
        ? // The process reads them itself.
          { address: store.address, statesOf: () => Promise.reject(new Error('states were asked for')) }
        : store;
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, caller) =>
        engine.score(
          keys.map((key, i) => named(source, key, caller + i)),
          {
            priority: caller % 2 ? 'bulk' : 'interactive',
          },
        ),
      ),
    );
    for (const [caller, nlls] of answers.entries()) {
      const alone = await engine.score(
        states.map((of, i) => ({ ...named(source, '', caller + i), memory: [allRows(of)] })),
      );
      for (const [i, own] of nlls.entries()) expectNear(own, alone[i]!);
    }
    if (host === 'child process') expect(notices).toHaveLength(kind === 'folder' ? 0 : 1);
  });

  it('says which are missing, damaged or of another model, and scores the others', async () => {
    const folder = path.join(base, `damaged ${host}`);
    const first = await filled(folder);
    await first.store.close();
    await lmdbDamager(folder).record(first.keys[2]!, flipped);
    const store = await openStore(folder, { tenantSalt: 'mine' });
    onTestFinished(() => store.close());
    const items = first.keys.slice(0, 5).map((key, i) => named(store, key, i));
    items[1] = named(store, 'f'.repeat(64), 1);
    items[3] = { ...items[3]!, memory: { source: store, key: first.keys[3]!, fingerprints: ['c'.repeat(64)] } };
    const found = await eachOf(items, (some) => engine.score(some));
    expect(found.map((own) => ('code' in own ? own.code : 'scored'))).toEqual([
      'scored',
      'DOCUMENT_MISSING',
      'STORE_DAMAGED',
      'STORE_MISMATCH',
      'scored',
    ]);
    for (const i of [0, 4]) {
      const [alone] = await engine.score([{ ...items[i]!, memory: [allRows(first.states[i]!)] }]);
      expectNear(found[i], alone!);
    }
  });

  it('sees what is put meanwhile', async () => {
    const { store } = stores.folder;
    const record = recordOf(99, { rows: 12, width: 32 });
    const key = await store.put(record);
    const [nlls] = await engine.score([named(store, key, 1)]);
    const [alone] = await engine.score([{ ...named(store, key, 1), memory: [allRows(record.states)] }]);
    expectNear(nlls, alone!);
  });
});

const noStates = () => Promise.reject(new Error('states were asked for'));
const newestChild = () =>
  Number(execFileSync('pgrep', ['-n', '-P', String(process.pid), '-f', 'dist/hosts/child.js'], { encoding: 'utf8' }));

describe('child process', () => {
  it('is not waited for when it does not answer', async () => {
    const engine = await startChildEngine(model, options);
    const pid = newestChild();
    process.kill(pid, 'SIGSTOP');
    const item = { tokenIds: tokens(4, 1) };
    const cancel = new AbortController();
    const cancelled = engine.encode([item], { signal: cancel.signal });
    cancelled.catch(() => undefined);
    await setTimeout(20);
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(engine.encode([item], { deadlineMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE_PASSED' });
    process.kill(pid, 'SIGCONT');
    for (const name of ['onProgress', 'onPhases']) {
      const broken = () => {
        throw new Error('the caller is wrong');
      };
      await expect(engine.encode([item], { [name]: broken })).rejects.toThrow('the caller is wrong');
    }
    expect(await engine.encode([item])).toHaveLength(1);
    await engine.close();
  });

  it('opens a folder again that was deleted and made anew', async () => {
    const engine = await startChildEngine(model, options);
    const folder = path.join(base, 'made anew');
    for (let round = 0; round < 2; round++) {
      // A store looks once a second whether its folder is still there.
      await setTimeout(round * 1200);
      const store = await openStore(folder);
      const key = await store.put(recordOf(round, { rows: 5, width: 32 }));
      const source: StatesSource = { address: store.address, statesOf: noStates };
      expect(await engine.score([named(source, key, 1)])).toHaveLength(1);
      await store.close();
      await rm(folder, { recursive: true });
    }
    await engine.close();
  });

  it('reads states of a source whose address is no store of ours through its host', async () => {
    const engine = await startChildEngine(model, options);
    const { store, keys } = await filled('memory:');
    for (const address of ['my place', { location: 'x', options: { find: () => undefined } }]) {
      const source: StatesSource = { address, statesOf: (...asked) => store.statesOf(...asked) };
      for (let again = 0; again < 2; again++) expect(await engine.score([named(source, keys[0]!, 1)])).toHaveLength(1);
    }
    await engine.close();
  });

  it("outlives a caller's faulty source", async () => {
    const engine = await startChildEngine(model, options);
    for (const gives of [[], [null], undefined, [new Error('broken')]]) {
      const source = { address: undefined, statesOf: async () => gives } as unknown as StatesSource;
      await expect(engine.score([named(source, 'a', 1)])).rejects.toMatchObject({
        code: Array.isArray(gives) && gives[0] instanceof Error ? 'ENGINE_FAILED' : 'INPUT_INVALID',
      });
      expect(await engine.encode([{ tokenIds: tokens(4, 1) }])).toHaveLength(1);
    }
    await engine.close();
  });

  it('opens stores anew after a kill, and callers of stored states notice nothing but the request that was in it', async () => {
    const { store, keys, states } = await filled(path.join(base, 'killed'));
    const engine = await startChildEngine(model, { ...options, batchTokens: 1 });
    const wanted = await engine.score(states.map((of, i) => ({ ...named(store, '', i), memory: [allRows(of)] })));
    for (let round = 0; round < 5; round++) {
      await engine.score([named(store, keys[0]!, 0)]);
      let failed = 0;
      const callers = keys.map(async (key, i) => {
        const [nlls] = await engine.score([named(store, key, i)]).catch((error) => {
          failed++;
          expect(error).toMatchObject({ code: 'ENGINE_FAILED' });
          return [wanted[i]!];
        });
        expectNear(nlls, wanted[i]!);
      });
      await setTimeout(round * 4);
      process.kill(newestChild(), 'SIGKILL');
      await Promise.all(callers);
      expect(failed).toBeLessThanOrEqual(1);
    }
    await engine.close();
    await store.close();
  });
});
