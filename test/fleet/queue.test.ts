/** Chunks by way of BullMQ on a Redis of the tests' own: workers that die or are asked to end, a poisoned chunk, and a server that comes back empty. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { tryParse } from '../../src/base/parse.js';
import { finishPlan } from '../../src/fleet/finish.js';
import { FleetQueue, type ServeOptions, serveQueue } from '../../src/fleet/queue.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { fleetQueueSchema, fleetWorkSchema } from '../../src/wire/fleet.js';
import { dkv, startDkv } from '../support/dkv.js';
import { REDIS_SERVER, type RunningRedis, startRedis } from '../support/redis.js';
import { adOf, documentsIn, planned, writeRows } from './corpus.js';

const CHUNKS = [0, 1, 2, 3, 4, 5];

describe.skipIf(!existsSync(REDIS_SERVER))('a queue of chunks', () => {
  let redis: RunningRedis;
  let address: string;
  beforeAll(async () => {
    redis = await startRedis();
    address = `redis://127.0.0.1:${redis.port}/0?prefix=test`;
  });
  afterAll(() => redis.stop());

  /** What a worker is asked, with a catalogue that is a list of what is done. */
  function serving(plan: string, done: Set<number>, options: Partial<ServeOptions> = {}): Promise<void> {
    return serveQueue({
      address,
      plan,
      work: async (chunk) => void done.add(chunk),
      missing: async () => CHUNKS.filter((chunk) => !done.has(chunk)),
      signal: new AbortController().signal,
      onNotice: () => undefined,
      lockMs: 1000,
      ...options,
    });
  }

  async function queue<T>(plan: string, ask: (queue: FleetQueue) => Promise<T>): Promise<T> {
    const opened = await FleetQueue.open(address, plan);
    try {
      return await ask(opened);
    } finally {
      await opened.close();
    }
  }

  it('is filled once however often that is asked, and has numbers of chunks alone', async () => {
    await queue('a', async (own) => {
      expect(await own.fill(CHUNKS)).toBe(6);
      expect(await own.fill(CHUNKS)).toBe(0);
      expect(await own.counts()).toEqual({ waiting: 6, active: 0, delayed: 0, dead: [] });
    });
    const done = new Set<number>();
    await Promise.all([serving('a', done), serving('a', done)]);
    expect([...done].sort()).toEqual(CHUNKS);
    // What was done and is missing again is put there again.
    expect(await queue('a', (own) => own.fill([3]))).toBe(1);
    await queue('a', (own) => own.remove());
    expect(await queue('a', (own) => own.counts())).toMatchObject({ waiting: 0 });
  });

  it('lists a chunk that fails for good, goes on with the others, and takes it back when it is told to', async () => {
    const done = new Set<number>();
    let isMended = false;
    const work = async (chunk: number) => {
      if (chunk === 2 && !isMended) throw new DkvError('FLEET_MISMATCH', 'it is poisoned');
      done.add(chunk);
    };
    const refused = serving('b', done, { work });
    await expect(refused).rejects.toMatchObject({ code: 'FLEET_INCOMPLETE' });
    await expect(refused).rejects.toThrow(/Chunk 2: FLEET_MISMATCH: it is poisoned/);
    expect([...done].sort()).toEqual([0, 1, 3, 4, 5]);
    isMended = true;
    await queue('b', async (own) => {
      expect((await own.counts()).dead).toEqual([{ chunk: 2, reason: 'FLEET_MISMATCH: it is poisoned' }]);
      expect(await own.fill([2])).toBe(0);
      expect(await own.fill([2], true)).toBe(1);
    });
    await serving('b', done, { work });
    expect(done.size).toBe(6);
  });

  it('gets the chunk back of a worker that is asked to end', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const work = async (chunk: number) => {
      begun.push(chunk);
      stop.abort();
      throw new DkvError('CANCELLED', 'Stopped.');
    };
    await queue('c', (own) => own.fill(CHUNKS));
    await expect(serving('c', new Set(), { work, signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(begun).toEqual([0]);
    expect(await queue('c', (own) => own.counts())).toEqual({ waiting: 6, active: 0, delayed: 0, dead: [] });
  });

  it('goes on where the server is stopped and comes back with nothing', async () => {
    const own = await startRedis();
    const done = new Set<number>();
    let restarted: RunningRedis | undefined;
    const work = async (chunk: number) => {
      if (done.size === 2 && !restarted) {
        await own.stop();
        await sleep(300);
        restarted = await startRedis(own.port);
      }
      done.add(chunk);
    };
    try {
      await serving('d', done, { address: `redis://127.0.0.1:${own.port}`, work });
      expect([...done].sort()).toEqual(CHUNKS);
    } finally {
      await own.stop();
      await restarted?.stop();
    }
    await expect(FleetQueue.open('redis://127.0.0.1:1', 'x')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await expect(FleetQueue.open('s3://bucket/x', 'x')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  }, 60_000);

  it('is served by processes of which one is killed and one is asked to end', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-queue-'));
    const catalogue = path.join(folder, 'catalogue');
    const model = await loadModel(BUILT_IN_MODEL);
    try {
      const files = new FolderFiles(catalogue);
      const rows = Array.from({ length: 60 }, (_, n) => adOf(n));
      const named = await planned(files, model, await writeRows(folder, 'ads.jsonl', rows), { chunkRows: 10 });
      const filled = await dkv(['fleet', 'queue', catalogue, '--redis', address, '--json']);
      expect(tryParse(fleetQueueSchema, JSON.parse(filled.stdout))).toMatchObject({
        success: true,
        data: { added: named.plan.chunks.length, dead: [] },
      });
      const start = () => startDkv(['fleet', 'serve-queue', catalogue, '--redis', address, '--lock', '2s', '--json']);
      const ended = async (signal: NodeJS.Signals | undefined) => {
        const child = start();
        child.stderr.resume();
        if (signal) {
          const [line] = await once(child.stdout, 'data');
          expect(tryParse(fleetWorkSchema, JSON.parse(String(line)))).toMatchObject({ success: true });
          child.kill(signal);
        } else child.stdout.resume();
        return (await once(child, 'exit')) as [number | null, string | null];
      };
      expect(await ended('SIGKILL')).toEqual([null, 'SIGKILL']);
      const beganAt = performance.now();
      const [status] = await ended('SIGTERM');
      expect(status).toBe(130);
      expect(performance.now() - beganAt).toBeLessThan(60_000);
      expect((await queue(named.id, (own) => own.counts())).active).toBeLessThanOrEqual(1);
      expect(await ended(undefined)).toEqual([0, null]);
      const { generation } = (await finishPlan(files, named))!;
      expect((await documentsIn(files, generation)).size).toBe(60);
    } finally {
      await model.close();
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
