/** Servers that stop, are slow or talk nonsense: a clear error in bounded time, or another tier's answer, never wrong bytes. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { recordOf } from '../support/records.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { type RunningS3, startS3 } from '../support/s3.js';

const UNREACHABLE = { code: 'STORE_UNREACHABLE' };

async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    expect(performance.now() - start).toBeLessThan(limitMs);
  }
}

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  it('may stop and start again', async () => {
    const first = await startRedis();
    const store = await openStore(`redis://127.0.0.1:${first.port}`, { timeoutMs: 1000 });
    const key = await store.put(recordOf(1));
    await first.stop();
    await within(5000, () => expect(store.get(key)).rejects.toMatchObject(UNREACHABLE));
    await within(5000, () => expect(store.put(recordOf(2))).rejects.toMatchObject(UNREACHABLE));
    const second = await startRedis(first.port);
    const again = async () => store.put(recordOf(3)).catch(() => undefined);
    while (!(await again())) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await store.get(store.keyOf(recordOf(3)))).toBeDefined();
    await store.close();
    await second.stop();
  });

  it('says when it is full', async () => {
    const server = await startRedis(undefined, ['--maxmemory', '3mb']);
    const store = await openStore(`redis://127.0.0.1:${server.port}`);
    const fill = async () => {
      for (let seed = 0; seed < 100; seed++) await store.put(recordOf(seed, { rows: 64, width: 640 }));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect((await store.verify()).damaged).toEqual([]);
    await store.close();
    await server.stop();
  });

  it('is not there', async () => {
    await within(8000, () =>
      expect(openStore('redis://127.0.0.1:1', { timeoutMs: 500 })).rejects.toMatchObject(UNREACHABLE),
    );
  });
});

describe('S3 and tiers above it', () => {
  let server: RunningS3;
  let folder: string;
  let stores: Store[] = [];
  beforeAll(async () => {
    server = await startS3();
    folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-faults-'));
  });
  afterEach(async () => {
    server.mood = {};
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  let count = 0;
  const place = () => `s3://bucket/faults${count++}`;
  async function opened(location: string | string[], onFailure: 'error' | 'fallback' = 'error'): Promise<Store> {
    const store = await openStore(location, { s3: server.options, timeoutMs: 1500, onFailure });
    stores.push(store);
    return store;
  }

  it('repeats what failed once', async () => {
    const store = await opened(place());
    server.mood = { status: 503, times: 1 };
    const key = await store.put(recordOf(1));
    server.mood = { status: 500, times: 1 };
    expect(await store.get(key)).toBeDefined();
  });

  it('gives up in time when the server fails, is silent or cuts answers off', async () => {
    const store = await opened(place());
    const key = await store.put(recordOf(1, { rows: 64, width: 64 }));
    for (const mood of [{ status: 503 }, { delayMs: Number.POSITIVE_INFINITY }, { cut: true }, { delayMs: 5000 }]) {
      server.mood = mood;
      await within(4000, () => expect(store.get(key)).rejects.toMatchObject(UNREACHABLE));
    }
    server.mood = {};
    expect(await store.get(key)).toBeDefined();
  });

  it('keeps the old document when the new one cannot be stored', async () => {
    const store = await opened(place());
    await store.putDocument('ad', { bare: recordOf(1) });
    server.mood = { status: 500 };
    await expect(store.putDocument('ad', { bare: recordOf(2) })).rejects.toMatchObject(UNREACHABLE);
    server.mood = {};
    expect((await store.getDocument('ad', 'bare'))?.key).toBe(store.keyOf(recordOf(1)));
  });

  it('brings records up and reads them there', async () => {
    const location = place();
    await (await opened(location)).putDocument('ad', { bare: recordOf(1) });
    const tiers = await opened(['memory:', path.join(folder, 'promoted'), location]);
    const key = tiers.keyOf(recordOf(1));
    expect(await tiers.get(key)).toBeDefined();
    const { requests } = server;
    expect(await tiers.get(key)).toBeDefined();
    expect(server.requests).toBe(requests);
    const embedded = await openStore(path.join(folder, 'promoted'));
    expect(await embedded.has(key)).toBe(true);
    await embedded.close();
  });

  it('asks the last tier once for what the first lacks of several documents, and brings it up', async () => {
    const location = place();
    const below = await opened(location);
    const ids = Array.from({ length: 40 }, (_, seed) => `ad ${seed}`);
    for (const [seed, id] of ids.entries()) await below.putDocument(id, { bare: recordOf(seed) });
    const tiers = await opened(['memory:', location]);
    for (const key of ids.slice(0, 30).map((_, seed) => tiers.keyOf(recordOf(seed)))) await tiers.get(key);
    const before = server.requests;
    const found = await tiers.getDocuments(ids, 'bare');
    expect(found.map((document) => 'key' in document && document.key)).toEqual(
      ids.map((_, seed) => tiers.keyOf(recordOf(seed))),
    );
    // Entries are the last tier's to tell.
    expect(server.requests - before).toBe(ids.length + 10);
    await tiers.getDocuments(ids, 'bare');
    expect(server.requests - before).toBe(2 * ids.length + 10);
  });

  it('sees at once what another process replaced in the last tier', async () => {
    const location = place();
    const tiers = await opened(['memory:', location]);
    await tiers.putDocument('ad', { bare: recordOf(1) });
    const other = await opened(location);
    await other.putDocument('ad', { bare: recordOf(2) });
    expect((await tiers.getDocument('ad', 'bare'))?.key).toBe(tiers.keyOf(recordOf(2)));
    await other.deleteDocument('ad');
    expect(await tiers.getDocument('ad', 'bare')).toBeUndefined();
    await tiers.gc({ minimumAgeMs: -2000 });
    expect(await tiers.has(tiers.keyOf(recordOf(1)))).toBe(false);
  });

  it('answers from above when the last tier is away, if it may', async () => {
    const location = place();
    const strict = await opened(['memory:', location]);
    const lenient = await opened(['memory:', location], 'fallback');
    for (const store of [strict, lenient]) await store.putDocument('ad', { bare: recordOf(1) });
    server.mood = { status: 503 };
    await expect(strict.getDocument('ad', 'bare')).rejects.toMatchObject(UNREACHABLE);
    expect(await lenient.getDocument('ad', 'bare')).toBeDefined();
    expect(await lenient.get(lenient.keyOf(recordOf(1)))).toBeDefined();
    // What is nowhere else is no miss: the last tier may have it.
    await expect(lenient.get(lenient.keyOf(recordOf(2)))).rejects.toMatchObject(UNREACHABLE);
    await expect(lenient.putDocument('ad', { bare: recordOf(2) })).rejects.toMatchObject(UNREACHABLE);
    // What was not acknowledged is in no tier.
    expect((await lenient.getDocument('ad', 'bare'))?.key).toBe(lenient.keyOf(recordOf(1)));
    server.mood = {};
    expect((await lenient.stats()).fallbacks).toBeGreaterThan(0);
    expect((await lenient.getDocument('ad', 'bare'))?.key).toBe(lenient.keyOf(recordOf(1)));
  });

  it('reads the sound copy of a record that is damaged elsewhere, and mends it', async () => {
    const [upper, lower] = [place(), place()];
    const tiers = await opened([upper, lower]);
    const key = await tiers.put(recordOf(1));
    const object = (location: string) => server.objects.get(`${location.slice('s3://'.length)}/records/${key}`)!;
    const sound = object(lower).bytes;
    object(upper).bytes = Buffer.from(sound.with(40, sound[40]! ^ 1));
    expect((await tiers.get(key))?.tokenIds).toEqual(recordOf(1).tokenIds);
    expect(object(upper).bytes.equals(sound)).toBe(true);
    for (const location of [upper, lower]) object(location).bytes = Buffer.from(sound.with(40, sound[40]! ^ 1));
    await expect(tiers.get(key)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('lists names that come twice', async () => {
    const store = await openStore(place(), { s3: server.options });
    stores.push(store);
    const ids = Array.from({ length: 120 }, (_, at) => `ad ${at}`);
    await Promise.all(ids.map((id, at) => store.putDocument(id, { bare: recordOf(at, { rows: 1, width: 1 }) })));
    server.mood = { repeat: true };
    const seen: string[] = [];
    for await (const id of store.ids()) seen.push(id);
    expect(seen.sort()).toEqual(ids.sort());
  });
});

describe('locations and options', () => {
  it.each(['', 'http://somewhere', 's3://'])('refuses %j', async (location) => {
    await expect(openStore(location)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('refuses sizes that no tier can keep to', async () => {
    await expect(openStore([])).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(openStore('s3://bucket', { maxBytes: 10 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(openStore(['memory:'], { maxBytes: 10 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(openStore('memory:', { maxBytes: -1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('has an address that another process opens, unless only this one has what is in it', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-address-'));
    const relative = path.relative(process.cwd(), folder);
    const options = { tenantSalt: 'mine', maxBytes: 1e6 };
    const store = await openStore(relative, options);
    expect(store.address).toEqual({ location: folder, options });
    const tiers = await openStore([relative, `${relative}/below`], { tenantSalt: 'mine' });
    expect(tiers.address).toEqual({ location: [folder, `${folder}/below`], options: { tenantSalt: 'mine' } });
    for (const location of ['memory:', ['memory:', relative]]) {
      const own = await openStore(location);
      expect(own.address).toBeUndefined();
      await own.close();
    }
    await Promise.all([store.close(), tiers.close()]);
    await rm(folder, { recursive: true });
  });

  it('keeps tenants apart', async () => {
    const [one, two] = await Promise.all(['one', 'two'].map((tenantSalt) => openStore('memory:', { tenantSalt })));
    expect(one!.keyOf(recordOf(1))).not.toBe(two!.keyOf(recordOf(1)));
  });
});
