/** Versions and times of expiry of single documents: what priming takes, and that everything that carries documents carries them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { versionIn } from '../../src/serving/document-metadata.js';
import { prime } from '../../src/serving/prime.js';
import type { DocumentToPrime, PrimeOptions, SettledDocument } from '../../src/serving/prime-options.js';
import { exportStore, importStore } from '../../src/store/archive.js';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import type { Difference } from '../../src/store/generations/diff.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { copyStore } from '../../src/store/transfer.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const LATE = Date.parse('2099-01-01T00:00:00Z');

async function outcomes(store: Store, documents: readonly DocumentToPrime[], options: PrimeOptions = {}) {
  const settled: SettledDocument[] = [];
  const summary = await prime(model, store, documents, { ...options, onSettled: (one) => settled.push(one) });
  settled.sort((one, other) => one.row - other.row);
  return { summary, told: settled.map(({ outcome }) => (typeof outcome === 'string' ? outcome : outcome.code)) };
}

it('keeps the latest version of each document, within a stream and against the store', async () => {
  const store = await openStore('memory:');
  onTestFinished(() => store.close());
  const version = (sourceVersion: number, text = `text ${sourceVersion}`) => ({ id: 'a', text, sourceVersion });
  const first = await outcomes(store, [version(2), version(5), version(3), { id: 'b', text: 'other' }]);
  expect(first.told).toEqual(['replaced', 'primed', 'VERSION_OUTDATED', 'primed']);
  expect(first.summary).toMatchObject({ documents: 4, primed: 2, replaced: 1, rejected: 1 });
  expect(versionIn(await store.entry('a'))).toBe(5);
  expect((await outcomes(store, [version(4)])).told).toEqual(['VERSION_OUTDATED']);
  expect((await outcomes(store, [version(5)])).told).toEqual(['unchanged']);
  expect((await outcomes(store, [version(5, 'other')])).told).toEqual(['VERSION_OUTDATED']);
  // Another variant of the same content is no other content, and keeps the version though it names none.
  expect((await outcomes(store, [{ id: 'a', text: 'text 5' }], { surrogates: ['lead'], bare: false })).told).toEqual([
    'primed',
  ]);
  expect(versionIn(await store.entry('a'))).toBe(5);
  expect(Object.keys((await store.entry('a'))!.variants)).toEqual(['bare', 'lead']);
  expect((await outcomes(store, [version(2 ** 53)])).told).toEqual(['INPUT_INVALID']);
});

it('lets documents expire each at its own time', async () => {
  const store = await openStore('memory:');
  onTestFinished(() => store.close());
  const text = 'a lamp';
  const documents = [
    { id: 'own', text, expiresAt: LATE },
    { id: 'ttl', text },
    { id: 'over', text, expiresAt: Date.now() - 1 },
  ];
  expect((await outcomes(store, documents, { ttlMs: 1e6 })).told).toEqual(['primed', 'primed', 'INPUT_INVALID']);
  expect((await store.entry('own'))!.expiresAt).toBe(LATE);
  expect((await store.entry('ttl'))!.expiresAt).toBeLessThan(Date.now() + 2e6);
  expect((await outcomes(store, documents.slice(0, 2), { ttlMs: 1e6 })).told).toEqual(['unchanged', 'unchanged']);
  expect((await outcomes(store, [{ id: 'own', text, expiresAt: LATE + 1 }])).told).toEqual(['primed']);
  expect((await store.entry('own'))!.expiresAt).toBe(LATE + 1);
});

it('is carried by copies, archives and generations, and is a difference of two of these', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dkv-versions-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore('memory:');
  const copy = await openStore('memory:');
  const imported = await openStore('memory:');
  const catalogue = await openCatalogue(path.join(folder, 'catalogue'), { create: true });
  await outcomes(store, [{ id: 'a', text: 'a lamp', sourceVersion: 7 }]);
  await copyStore(store, copy);
  await importStore(imported, exportStore(store), 'the archive');
  for (const own of [copy, imported]) expect(versionIn(await own.entry('a'))).toBe(7);
  const one = (await catalogue.pack(store)).generation.id;
  await catalogue.publish();
  await catalogue.activate(one);
  expect((await outcomes(store, [{ id: 'a', text: 'a lamp', sourceVersion: 8 }])).told).toEqual(['primed']);
  const other = (await catalogue.pack(store)).generation.id;
  await catalogue.publish();
  const differences: Difference[] = [];
  for await (const own of catalogue.diff(one, other)) differences.push(own);
  expect(differences).toEqual([{ id: 'a', change: 'changed' }]);
  const packed = await openStore(`packed:${path.join(folder, 'catalogue')}`);
  expect(versionIn(await packed.entry('a'))).toBe(7);
  for (const own of [store, copy, imported, packed, catalogue]) await own.close();
});
