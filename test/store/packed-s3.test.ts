/** Packed generations in a bucket: how many requests a document takes, and what happens while the server is away. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
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
