/** Packed generations in a bucket: how many requests a document takes, and what happens while the server is away. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';
import { type RunningS3, startS3 } from '../support/s3.js';

let server: RunningS3;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

const ids = Array.from({ length: 300 }, (_, number) => `ad ${number}`);

async function made(place: string): Promise<string> {
  const source = await openStore('memory:');
  // Entries large enough that a shard has several leaves.
  const metadata = (number: number) => ({ number, words: 'running shoes '.repeat(60) });
  for (const [number, id] of ids.entries()) {
    await source.putDocument(id, { bare: recordOf(number) }, { metadata: metadata(number) });
  }
  const catalogue = await openCatalogue(place, { s3: server.options, create: true });
  const { generation } = await catalogue.pack(source);
  await catalogue.publish(generation.id);
  await catalogue.activate(generation.id);
  await source.putDocument('ad 7', { bare: recordOf(1007) }, { metadata: metadata(7) });
  const delta = await catalogue.pack(source, { parent: generation.id });
  await catalogue.publish(delta.generation.id);
  await catalogue.activate(delta.generation.id);
  await Promise.all([source.close(), catalogue.close()]);
  return `packed:${place}`;
}

it('reads a document by two requests once the tops are known, and by one where its leaf is', async () => {
  const place = await made('s3://bucket/requests');
  const store = await openStore(place, { s3: server.options, takedownsMaxAgeMs: 3_600_000 });
  const requestsOf = async (id: string) => {
    const before = server.requests;
    expect(await store.getDocument(id, 'bare')).toBeDefined();
    return server.requests - before;
  };
  await requestsOf('ad 0');
  // Also of documents that the delta does not have: its filter says so.
  const counts = new Map<string, number>();
  for (const id of ids.slice(1)) counts.set(id, await requestsOf(id));
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
  expect(counts.get('ad 7')).toBe(2);
  expect(await requestsOf('ad 1')).toBe(1);
  expect((await store.getDocument('ad 7', 'bare'))?.record).toEqual(recordOf(1007));
  await store.close();
});

it('serves nothing, also from the tiers above, while takedowns cannot be asked for', async () => {
  const place = await made('s3://bucket/away');
  const options = { s3: server.options, takedownsMaxAgeMs: 0, onFailure: 'fallback', timeoutMs: 2000 } as const;
  const store = await openStore(['memory:', place], options);
  expect(await store.getDocument('ad 1', 'bare')).toBeDefined();
  server.mood = { status: 500 };
  await expect(store.getDocument('ad 1', 'bare')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  server.mood = {};
  expect(await store.getDocument('ad 1', 'bare')).toBeDefined();
  await store.close();
});

it('is restored from a copy of the bucket that was made while others worked', async () => {
  const place = await made('s3://bucket/backup');
  const before = await openStore(place, { s3: server.options });
  // In the order that the page names: what names others first.
  const order = ['aliases/', 'takedowns.json', 'generations/', 'shards/', 'takedowns/', 'audit/'];
  const copied = new Map<string, NonNullable<ReturnType<typeof server.objects.get>>>();
  const catalogue = await openCatalogue('s3://bucket/backup', { s3: server.options });
  for (const [step, part] of order.entries()) {
    for (const [name, object] of server.objects) {
      const own = name.slice('bucket/backup/'.length);
      if (name.startsWith('bucket/backup/') && own.startsWith(part)) copied.set(`bucket/restored/${own}`, object);
    }
    // Work goes on between the parts.
    if (step === 1) await catalogue.takeDown(['ad 9']);
    if (step === 2) await catalogue.compact('live');
  }
  for (const [name, object] of copied) server.objects.set(name, object);
  const restored = await openCatalogue('s3://bucket/restored', { s3: server.options });
  expect((await restored.verify()).damaged).toMatchObject([{ kind: 'takedowns' }]);
  await restored.takeDown(['ad 9']);
  expect((await restored.verify()).damaged).toEqual([]);
  const after = await openStore('packed:s3://bucket/restored', { s3: server.options });
  const [was, is] = await Promise.all([before, after].map((store) => store.getDocuments(ids, 'bare')));
  for (const [at, id] of ids.entries()) {
    if (id === 'ad 9') expect(is![at]).toMatchObject({ code: 'DOCUMENT_MISSING' });
    else expect(is![at]).toEqual(was![at]);
  }
  await Promise.all([before, after, catalogue, restored].map((own) => own.close()));
});

it('warms a folder above it up, which then answers for its records', async () => {
  const place = await made('s3://bucket/warm');
  const folder = path.join(await temporaryFolder(), 'lmdb');
  const store = await openStore([folder, place], { s3: server.options, takedownsMaxAgeMs: 3_600_000 });
  const first = await store.getDocuments(ids, 'bare');
  const gets = () =>
    [...server.counts].filter(([kind]) => /get|range/i.test(kind)).reduce((sum, [, count]) => sum + count, 0);
  const before = gets();
  expect(await store.getDocuments(ids, 'bare')).toEqual(first);
  expect(gets() - before).toBe(0);
  await store.close();
  const above = await openStore(folder);
  expect((await above.stats()).records).toBe(300);
  await above.close();
});
