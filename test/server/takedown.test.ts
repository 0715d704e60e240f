/** A deleted document is in no tier and in no answer once the deletion is answered. */
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { type RunningS3, startS3 } from '../support/s3.js';
import { type Served, served } from '../support/server.js';

let model: Model;
let s3: RunningS3;
beforeAll(async () => {
  s3 = await startS3();
  for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
  // As a server has it: the engine's process opens stores of its own.
  model = await loadModel(undefined, { host: 'process' });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await model.close();
  await s3.stop();
});

const DOCUMENTS = [
  { id: 'lamp', text: 'The green lamp costs 24 euros.' },
  { id: 'chair', text: 'The oak chair costs 80 euros.' },
];

/** @returns the ids of two generations with both documents */
async function packed(place: string): Promise<readonly [string, string]> {
  const store = await openStore('memory:');
  await prime(model, store, DOCUMENTS);
  const catalogue = await openCatalogue(place, { create: true });
  const ids: string[] = [];
  for (const text of ['The elm table costs 99 euros.', 'The brass ring costs 5 euros.']) {
    await prime(model, store, [{ id: 'other', text }]);
    ids.push((await catalogue.pack(store)).generation.id);
    await catalogue.publish();
    await catalogue.activate(ids.at(-1));
  }
  await Promise.all([store.close(), catalogue.close()]);
  return ids as unknown as readonly [string, string];
}

/** The codes of what is said of the lamp: by its id, and by scores, of the current generation and of a pinned one. */
async function codes({ ask }: Served, pinned: string): Promise<unknown[]> {
  const items = [{ document_id: 'lamp', target: '24 euros' }];
  const scores = [
    await ask('POST', '/v1/score', { items }),
    await ask('POST', '/v1/score', { items, generation: pinned }),
  ];
  const told = scores.map(({ body }) => body.items[0].error?.code ?? 'scored');
  return [(await ask('GET', '/v1/documents/lamp')).status, ...told];
}

it.each(['a folder', 'S3', 'S3 below a cache'])('serves nothing of it from a catalogue (%s)', async (kind) => {
  const place =
    kind === 'a folder' ? path.join(await temporaryFolder(), 'catalogue') : `s3://bucket/${kind.replaceAll(' ', '-')}`;
  const [first] = await packed(place);
  const location = kind.endsWith('cache')
    ? [path.join(await temporaryFolder(), 'cache'), `packed:${place}`]
    : `packed:${place}`;
  const server = await served(model, { store: location });
  expect(await codes(server, first)).toEqual([200, 'scored', 'scored']);
  expect((await server.ask('PUT', '/v1/documents/lamp', { text: 'x' })).body.error.code).toBe('STORE_READONLY');
  const { status, body } = await server.ask('DELETE', '/v1/documents/lamp?reason=sold');
  expect([status, body]).toEqual([200, { id: 'lamp', status: 'taken_down' }]);
  expect(await codes(server, first)).toEqual([404, 'DOCUMENT_MISSING', 'DOCUMENT_MISSING']);
  expect((await server.ask('GET', '/v1/documents/chair')).status).toBe(200);
});

it('deletes from every tier, and says where it could not', async () => {
  const folder = path.join(await temporaryFolder(), 'store');
  const cache = 's3://bucket/cache';
  const server = await served(model, { store: [cache, folder] });
  for (const { id, text } of DOCUMENTS) await server.ask('PUT', `/v1/documents/${id}`, { text });
  const inTier = async (location: string, id: string) => {
    const store = await openStore(location);
    const entry = await store.entry(id);
    await store.close();
    return entry !== undefined;
  };
  expect([await inTier(cache, 'lamp'), await inTier(folder, 'lamp')]).toEqual([true, true]);
  expect((await server.ask('DELETE', '/v1/documents/lamp')).body.status).toBe('deleted');
  expect([await inTier(cache, 'lamp'), await inTier(folder, 'lamp')]).toEqual([false, false]);
  s3.mood = { status: 403, code: 'AccessDenied', kinds: ['DELETE', 'PUT', 'PUT if-match', 'PUT if-none-match'] };
  const failed = await server.ask('DELETE', '/v1/documents/chair');
  s3.mood = {};
  expect(failed.status).toBeGreaterThanOrEqual(500);
  expect(failed.body.error.message).toMatch(/deleted from .*store, and may still be in s3:.*Delete it again/);
  expect([await inTier(cache, 'chair'), await inTier(folder, 'chair')]).toEqual([true, false]);
  expect((await server.ask('GET', '/v1/documents/chair')).status).toBe(404);
  expect((await server.ask('DELETE', '/v1/documents/chair')).body.status).toBe('deleted');
  expect(await inTier(cache, 'chair')).toBe(false);
});
