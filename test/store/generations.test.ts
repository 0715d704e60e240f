/** A catalogue's way: packed, published, activated, changed, rolled back, compacted, taken down, collected. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activate, rollBack } from '../../src/store/generations/aliases.js';
import { collect } from '../../src/store/generations/collect.js';
import { compact } from '../../src/store/generations/compact.js';
import { differences } from '../../src/store/generations/diff.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { packStore } from '../../src/store/generations/pack.js';
import { publish } from '../../src/store/generations/publish.js';
import { Takedowns } from '../../src/store/generations/takedowns.js';
import { openStore } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import type { Store, StoredDocument } from '../../src/store/store.js';
import { recordOf } from '../support/records.js';

let folder: string;
let files: FolderFiles;
let takedowns: Takedowns;
let source: Store;
const opened: Store[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-generations-'));
  files = new FolderFiles(folder);
  takedowns = new Takedowns(files);
  source = await openStore('memory:');
});

afterEach(async () => {
  for (const store of [source, ...opened.splice(0)]) await store.close();
  await files.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(query = ''): Promise<Store> {
  const store = await openStore(`packed:${folder}${query}`);
  opened.push(store);
  return store;
}

const ids = Array.from({ length: 200 }, (_, number) => `ad ${number}`);

async function fill(): Promise<void> {
  for (const [seed, id] of ids.entries()) {
    await source.putDocument(id, { bare: recordOf(seed), twin: recordOf(0) }, { metadata: { seed } });
  }
  await source.putNote('primed', { model: 'one' });
}

async function made(parent?: Awaited<ReturnType<typeof packStore>>['generation']) {
  const packed = await packStore(source, files, { parent, shardBytes: 20_000 });
  return publish(files, packed.generation.id).then((generation) => ({ ...packed, generation }));
}

async function expectSame(store: Store, from: Store, some = ids): Promise<void> {
  const [found, expected] = await Promise.all([store.getDocuments(some, 'bare'), from.getDocuments(some, 'bare')]);
  expect(found.map((own) => ('record' in own ? own : own.code))).toEqual(
    expected.map((own) => ('record' in own ? own : own.code)),
  );
}

describe('generations', () => {
  it('gives back every document as the store does, by several shards', async () => {
    await fill();
    const { generation, packed } = await made();
    expect(packed).toBe(200);
    expect(generation.manifest.layers[0]!.shards.length).toBeGreaterThan(3);
    await activate(files, takedowns, 'live', generation.id);
    const store = await open();
    await expectSame(store, source);
    expect(await store.note('primed')).toEqual({ model: 'one' });
    expect(await store.stats()).toMatchObject({ documents: 200 });
    const keys: string[] = [];
    for await (const key of store.keys()) keys.push(key);
    expect(keys).toHaveLength(200);
    const [one] = (await source.getDocuments(['ad 1'], 'bare')) as StoredDocument[];
    expect(await store.getBytes(one!.key)).toEqual(await source.getBytes(one!.key));
    expect(await store.verify()).toMatchObject({ records: 200, documents: 200, notes: 1, damaged: [] });
    await expect(store.putDocument('new', { bare: recordOf(1) })).rejects.toMatchObject({ code: 'STORE_READONLY' });
  });

  it('changes by a delta, and goes back', async () => {
    await fill();
    const first = await made();
    await activate(files, takedowns, 'live', first.generation.id);
    const before = await open();
    await source.putDocument('ad 7', { bare: recordOf(1007) });
    await source.putDocument('new', { bare: recordOf(1008) });
    await source.deleteDocument('ad 8');
    const second = await made(first.generation);
    expect(second).toMatchObject({ packed: 2, removed: 1, unchanged: 198 });
    expect(second.generation.manifest).toMatchObject({ documents: 200, parent: first.generation.id });
    await activate(files, takedowns, 'live', second.generation.id);
    const after = await open();
    await expectSame(after, source, [...ids, 'new']);
    // Who opened the first generation goes on with it.
    expect(await before.entry('ad 8')).toBeDefined();
    expect(await before.entry('new')).toBeUndefined();
    const found = [];
    for await (const difference of differences(files, first.generation, second.generation)) found.push(difference);
    expect(found.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'ad 7', change: 'changed' },
      { id: 'ad 8', change: 'removed' },
      { id: 'new', change: 'added' },
    ]);
    await rollBack(files, takedowns, 'live');
    const back = await open();
    expect(await back.entry('ad 8')).toBeDefined();
    const whole = await compact(files, takedowns, second.generation, { shardBytes: 20_000 });
    await activate(files, takedowns, 'live', whole.generation.id);
    await expectSame(await open(), source, [...ids, 'new']);
    expect(whole.generation.manifest).toMatchObject({ documents: 200, parent: null });
  });

  it('does not serve what was taken down, and says when its bytes are gone', async () => {
    await fill();
    const first = await made();
    await activate(files, takedowns, 'live', first.generation.id);
    const store = await open();
    expect(await store.entry('ad 3')).toBeDefined();
    const slot = slotOf('ad 3', '');
    await takedowns.add([{ slot, id: 'ad 3', status: 'hidden', at: Date.now(), reason: 'withdrawn' }]);
    expect(await store.entry('ad 3')).toBeUndefined();
    const key = store.keyOf(recordOf(3));
    expect(await store.get(key)).toBeUndefined();
    // It takes part in others' records.
    expect(await store.getDocument('ad 4', 'twin')).toBeDefined();
    await source.putDocument('ad 5', { bare: recordOf(1005) });
    const second = await made(first.generation);
    await activate(files, takedowns, 'live', second.generation.id);
    const again = await open();
    expect(await again.entry('ad 3')).toBeUndefined();
    await Promise.all([store, again].map((own) => own.close()));
    const { generation, takenDown } = await compact(files, takedowns, second.generation);
    expect(takenDown).toBe(1);
    await activate(files, takedowns, 'live', generation.id);
    expect(await collect(files, takedowns, { minimumAgeMs: -5000 })).toMatchObject({
      generations: [first.generation.id, second.generation.id].sort(),
      erased: 1,
    });
    expect((await takedowns.all()).get(slot)).toMatchObject({ status: 'erased', reason: 'withdrawn' });
    const last = await open();
    expect(await last.entry('ad 3')).toBeUndefined();
    expect(await last.entry('ad 4')).toBeDefined();
  });
});
