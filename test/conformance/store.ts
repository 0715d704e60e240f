/** What every store of directed caches must do. Each implementation's test runs all of it; what one cannot do is named, with why. */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Backend } from '../../src/store/backends/backend.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import { encodeRecord } from '../../src/store/records/record.js';
import { STATES_PRECISIONS, type Store, type StoredDocument } from '../../src/store/store.js';
import { type RecordShape, recordOf, recordOfBytes } from '../support/records.js';
import { watched } from '../support/watched-backend.js';
import { all, describeReading, expectSame, type ReadingUnderTest } from './reading.js';

export type StoreUnderTest = ReadingUnderTest;

export interface StoreSuite {
  open(maxBytes?: number): Promise<StoreUnderTest>;
  /** The storage alone, to be watched under a store. */
  backend(): Promise<Backend>;
  /** Why there is no maximum size. */
  readonly withoutCap?: string;
}

const GC = { minimumAgeMs: -2000 };

export function describeStore(name: string, suite: StoreSuite): void {
  describeReading(name, {
    open: async (fill) => {
      const under = await suite.open();
      await fill(under.store);
      return under;
    },
  });

  describe(name, () => {
    const opened: Store[] = [];
    const openTest = async (maxBytes?: number) => {
      const under = await suite.open(maxBytes);
      opened.push(under.store);
      return under;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
    });

    it('misses what it does not have', async () => {
      const { store } = await openTest();
      const key = store.keyOf(recordOf(1));
      expect(await store.has(key)).toBe(false);
      expect(await store.get(key)).toBeUndefined();
      expect(await store.getDocument('nobody', 'bare')).toBeUndefined();
      expect(await store.entry('nobody')).toBeUndefined();
      expect(await store.deleteDocument('nobody')).toBe(false);
      expect(await store.stats()).toMatchObject({ records: 0, documents: 0, sizeBytes: 0, hits: 0, misses: 2 });
      await expect(store.get('short')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    });

    it('refuses records that contradict themselves, and what is not a number', async () => {
      const { store } = await openTest();
      const record = recordOf(1);
      const states = (data: number[]) => ({ ...record, states: { ...record.states, data: Float32Array.from(data) } });
      const code = { code: 'INPUT_INVALID' };
      await expect(store.put(states([1, 2]))).rejects.toMatchObject(code);
      await expect(store.put({ ...record, visible: [{ start: 0, end: 2 }] })).rejects.toMatchObject(code);
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const data = Array(24).fill(0).with(7, value);
        for (const precision of STATES_PRECISIONS) {
          await expect(store.put({ ...states(data), precision })).rejects.toMatchObject({
            code: 'NUMBERS_NOT_FINITE',
          });
        }
      }
      await expect(store.put(record, { ttlMs: 0 })).rejects.toMatchObject(code);
      expect(await all(store.keys())).toEqual([]);
    });

    it('replaces a document in one step, and gc takes what nobody refers to', async () => {
      const { store } = await openTest();
      const [first, second, shared, loose] = [1, 2, 3, 4].map((seed) => recordOf(seed));
      await store.putDocument('ad', { old: first!, shared: shared! }, { metadata: { url: '/1' } });
      await store.putDocument('other', { shared: shared! }, { metadata: { url: '/2' } });
      const keys = await store.putDocument('ad', { new: second! }, { metadata: { url: '/3' } });
      await store.put(loose!);
      expect(await store.entry('ad')).toEqual({ id: 'ad', variants: keys, metadata: { url: '/3' } });
      expect(await store.getDocument('ad', 'old')).toBeUndefined();
      expect((await store.getDocument('ad', 'new'))!.key).toBe(keys.new);
      expect((await store.getDocument('other', 'shared'))!.metadata).toEqual({ url: '/2' });
      // Younger than an hour: somebody may be about to point to them.
      expect(await store.gc()).toMatchObject({ records: 0 });
      expect(await store.gc(GC)).toMatchObject({ records: 2, documents: 0 });
      expect(await all(store.keys())).toEqual([store.keyOf(second!), store.keyOf(shared!)].sort());
      expect(await store.deleteDocument('other')).toBe(true);
      const { sizeBytes } = await store.stats();
      const collected = await store.gc(GC);
      expect(collected.records).toBe(1);
      expect((await store.stats()).sizeBytes).toBe(sizeBytes - collected.sizeBytes);
      expectSame((await store.getDocument('ad', 'new'))?.record, second!);
    });

    it('lets documents point to records that are there', async () => {
      const { store } = await openTest();
      const [first, second] = [recordOf(1), recordOf(2)];
      const key = await store.put(first);
      const keys = await store.putDocument('ad', { old: key, new: second });
      expect(keys).toEqual({ old: key, new: store.keyOf(second) });
      expectSame((await store.getDocument('ad', 'old'))?.record, first);
      await store.gc(GC);
      expect(await all(store.keys())).toEqual(Object.values(keys).sort());
      const absent = store.keyOf(recordOf(3));
      await expect(store.putDocument('ad', { old: absent })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      expect((await store.entry('ad'))!.variants).toEqual(keys);
    });

    it('gives the bytes of a record away and takes them in', async () => {
      const { store, damage } = await openTest();
      const other = (await openTest()).store;
      for (const precision of STATES_PRECISIONS) {
        const record = recordOf(1, { rows: 5, width: 16, precision });
        const key = await store.put(record);
        const bytes = (await store.getBytes(key))!;
        await other.putDocument(precision, { bare: bytes });
        expect(await other.getBytes(key)).toEqual(bytes);
        expectSame((await other.getDocument(precision, 'bare'))?.record, record);
      }
      const key = await store.put(recordOf(2));
      expect(await store.getBytes(store.keyOf(recordOf(3)))).toBeUndefined();
      const bytes = (await store.getBytes(key))!;
      const code = { code: 'STORE_DAMAGED' };
      for (const bad of [bytes.with(50, bytes[50]! ^ 1), bytes.subarray(1), bytes.subarray(0, 9), new Uint8Array()]) {
        await expect(other.putDocument('bad', { bare: bad })).rejects.toMatchObject(code);
      }
      // Whole, but of another tenant.
      const foreign = encodeRecord('0'.repeat(64), recordOf(2));
      await expect(other.putDocument('bad', { bare: foreign })).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
      expect(await other.entry('bad')).toBeUndefined();
      await damage(key, (stored) => stored.with(50, stored[50]! ^ 1));
      await expect(store.getBytes(key)).rejects.toMatchObject(code);
    });

    it('reads one entry and one record for each of several documents, and nothing else', async () => {
      const backend = await suite.backend();
      const calls: [string, unknown][] = [];
      const store = new DirectedStore(watched(backend, calls), '');
      opened.push(store);
      const ids = Array.from({ length: 50 }, (_, seed) => `ad ${seed}`);
      const keys: string[] = [];
      for (const [seed, id] of ids.entries()) {
        keys.push((await store.putDocument(id, { bare: recordOf(seed, { precision: 'int8' }) })).bare!);
      }
      calls.length = 0;
      await store.getDocuments([...ids, ...ids.slice(0, 5)], 'bare');
      expect(calls).toEqual([
        ['readSlots', ids.map((id) => slotOf(id, ''))],
        ['read', keys],
      ]);
      const states = (await store.getDocuments(['ad 1'], 'bare')) as StoredDocument[];
      // So that an engine's thread is handed them without a copy.
      expect(states[0]!.record.states.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    });

    it('gives an engine states by their keys, and says of each why there are none', async () => {
      const { store, damage, reopen } = await openTest();
      const keys = [];
      for (const seed of [1, 2, 3]) keys.push(await store.put(recordOf(seed)));
      const [one, two, broken] = keys as [string, string, string];
      const foreign = await store.put({ ...recordOf(4), fingerprint: 'b'.repeat(64) });
      await damage(broken, (bytes) => bytes.with(50, bytes[50]! ^ 1));
      const asked = [two, broken, store.keyOf(recordOf(5)), foreign, one, 'no key', two];
      const found = await store.statesOf(asked, ['c'.repeat(64), 'a'.repeat(64)]);
      expect(found.map((own) => ('code' in own ? own.code : own.data))).toEqual([
        recordOf(2).states.data,
        'STORE_DAMAGED',
        'DOCUMENT_MISSING',
        'STORE_MISMATCH',
        recordOf(1).states.data,
        'INPUT_INVALID',
        recordOf(2).states.data,
      ]);
      expect(found.at(-1)).toBe(found[0]);
      await expect(store.statesOf([one], [], AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
      // Whoever asked knows how many documents these were.
      store.served(2, 1);
      expect(await store.stats()).toMatchObject({ hits: 2, misses: 1 });
      if (!reopen || store.address === undefined) return;
      const { location, options } = structuredClone(store.address);
      const elsewhere = await openStore(location, options);
      opened.push(elsewhere);
      expect(await elsewhere.statesOf([one], ['a'.repeat(64)])).toEqual([recordOf(1).states]);
    });

    it('keeps notes about itself, which are no documents', async () => {
      const { store, reopen } = await openTest();
      expect(await store.note('primed')).toBeUndefined();
      await store.putDocument('primed', { bare: recordOf(1) });
      await store.putNote('primed', { model: 'one', nested: { width: 8 } });
      await store.putNote('primed', { model: 'two' });
      await store.gc(GC);
      expect(await store.note('primed')).toEqual({ model: 'two' });
      expect(await store.note('calibration')).toBeUndefined();
      expect(await all(store.ids())).toEqual(['primed']);
      expect((await store.stats()).documents).toBe(1);
      expect((await store.entry('primed'))?.metadata).toEqual({});
      if (!reopen) return;
      const again = await reopen();
      opened.push(again);
      expect(await again.note('primed')).toEqual({ model: 'two' });
    });

    it('takes any id', async () => {
      const { store } = await openTest();
      const ids = [
        '',
        ' ',
        '/',
        '../..',
        'a\0b',
        'ä👟',
        '\ud800',
        'x'.repeat(100_000),
        '__proto__',
        '{}:*?',
        'a\nb',
      ].sort();
      for (const [seed, id] of ids.entries()) await store.putDocument(id, { [id.slice(0, 9)]: recordOf(seed) });
      expect(await all(store.ids())).toEqual(ids);
      for (const [seed, id] of ids.entries()) {
        expectSame((await store.getDocument(id, id.slice(0, 9)))?.record, recordOf(seed));
      }
      for (const id of ids) expect(await store.deleteDocument(id)).toBe(true);
      expect(await all(store.ids())).toEqual([]);
    });

    it('forgets after the time to live, pinned or not', async () => {
      const { store } = await openTest();
      const key = await store.put(recordOf(1), { ttlMs: 2000 });
      await store.pin(key);
      const lasting = await store.put(recordOf(2), { ttlMs: 600_000 });
      await store.putDocument('ad', { bare: recordOf(3) }, { ttlMs: 2000 });
      expect(await store.entry('ad')).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 2100));
      expect(await store.get(key)).toBeUndefined();
      expect(await store.entry('ad')).toBeUndefined();
      expect(await store.get(lasting)).toBeDefined();
      expect(await store.gc()).toMatchObject({ records: 2, documents: 1 });
      expect(await all(store.keys())).toEqual([lasting]);
      // Put again, for ever.
      expect(await store.get(await store.put(recordOf(1)))).toBeDefined();
    });

    it('lets a record live as long as the longest that was asked of it', async () => {
      const { store } = await openTest();
      const shared = recordOf(1);
      const expiresAt = Date.now() + 2000;
      await store.putDocument('lasting', { bare: shared });
      await store.putDocument('passing', { bare: shared }, { expiresAt });
      await store.putDocument('named', { bare: await store.put(recordOf(2), { ttlMs: 2000 }) });
      await store.putDocument('copied', {
        bare: (await store.getBytes(await store.put(recordOf(3), { ttlMs: 2000 })))!,
      });
      const lost = await store.put(recordOf(4), { ttlMs: 2000 });
      expect((await store.entry('passing'))!.expiresAt).toBe(expiresAt);
      expect(await store.has(lost)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2100));
      expect(await store.has(lost)).toBe(false);
      expect(await store.getBytes(lost)).toBeUndefined();
      await expect(store.putDocument('late', { bare: lost })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      expect(await store.entry('passing')).toBeUndefined();
      expectSame((await store.getDocument('lasting', 'bare'))?.record, shared);
      expectSame((await store.getDocument('named', 'bare'))?.record, recordOf(2));
      expectSame((await store.getDocument('copied', 'bare'))?.record, recordOf(3));
      expect(await store.gc(GC)).toMatchObject({ records: 1, documents: 1 });
    });

    it('keeps pinned records, also when opened again', async () => {
      const { store, reopen } = await openTest();
      const key = await store.put(recordOf(1));
      await store.put(recordOf(2));
      await store.pin(key);
      const again = (await reopen?.()) ?? store;
      if (again !== store) opened.push(again);
      expect(await again.gc(GC)).toMatchObject({ records: 1 });
      expect(await again.has(key)).toBe(true);
      expect((await again.stats()).pinned).toBe(1);
      await again.unpin(key);
      expect(await again.gc(GC)).toMatchObject({ records: 1 });
    });

    describe.skipIf(suite.withoutCap !== undefined)('with a maximum size', () => {
      const bytes = (shape: RecordShape) => encodeRecord('0'.repeat(64), recordOf(10, shape)).byteLength;

      it('evicts what was used longest ago', async () => {
        const { store } = await openTest(bytes({}) * 3 + 50);
        const keys = [];
        for (const seed of [10, 11, 12]) keys.push(await store.put(recordOf(seed)));
        await store.get(keys[0]!);
        keys.push(await store.put(recordOf(13)));
        expect(await all(store.keys())).toEqual([keys[0], keys[2], keys[3]].sort());
        await store.pin(keys[2]!);
        keys.push(await store.put(recordOf(14)), await store.put(recordOf(15)));
        expect(await all(store.keys())).toEqual([keys[2], keys[4], keys[5]].sort());
      });

      it('counts a record that is put again once', async () => {
        const { store } = await openTest(bytes({}) + 50);
        const key = await store.put(recordOf(10));
        expect(await store.put(recordOf(10))).toBe(key);
        expect(await all(store.keys())).toEqual([key]);
        expect((await store.stats()).sizeBytes).toBeLessThanOrEqual(bytes({}) + 50);
        await store.putDocument('ad', { bare: recordOf(11) });
        expect(await all(store.keys())).toEqual([store.keyOf(recordOf(11))]);
      });

      it('never grows beyond under load', async () => {
        const maxBytes = bytes({}) * 10;
        const { store } = await openTest(maxBytes);
        await Promise.all(
          Array.from({ length: 60 }, async (_, seed) => {
            await store.putDocument(`ad ${seed}`, { bare: recordOf(100 + seed) });
            expect((await store.stats()).sizeBytes).toBeLessThanOrEqual(maxBytes);
          }),
        );
        const stats = await store.stats();
        expect(stats).toMatchObject({ documents: 60, maxBytes });
        expect(stats.records).toBeGreaterThanOrEqual(8);
      });

      it('refuses what can never fit and keeps what it had', async () => {
        const { store } = await openTest(5000);
        const key = await store.put(recordOf(1));
        await store.pin(key);
        await expect(store.put(recordOfBytes(2, 8000))).rejects.toMatchObject({ code: 'STORE_FULL' });
        await expect(store.putDocument('ad', { bare: recordOfBytes(3, 4200) })).rejects.toMatchObject({
          code: 'STORE_FULL',
        });
        expect(await store.entry('ad')).toBeUndefined();
        expect(await all(store.keys())).toEqual([key]);
        expectSame(await store.get(key), recordOf(1));
      });
    });
    if (suite.withoutCap) it.skip(`with a maximum size: ${suite.withoutCap}`);

    it('serves no large record with a changed byte, and verify takes it out', async () => {
      const { store, damage } = await openTest();
      const large = recordOf(1, { rows: 128, width: 320, precision: 'int8' });
      const key = await store.put(large);
      const sound = await store.put(recordOf(2));
      const random = new Random('damage');
      for (let round = 0; round < 25; round++) {
        const place = random.float();
        const flip = (bytes: Uint8Array) => {
          const at = Math.floor(place * bytes.length);
          return bytes.with(at, bytes[at]! ^ 0x10);
        };
        await damage(key, flip);
        await expect(store.get(key)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
        if (round < 24) await damage(key, flip);
      }
      expect(await store.verify()).toMatchObject({ records: 2, damaged: [{ key }] });
      expect((await store.verify({ remove: true })).damaged).toHaveLength(1);
      expect(await store.verify()).toEqual({ records: 1, documents: 0, notes: 0, damaged: [] });
      expect(await all(store.keys())).toEqual([sound]);
      expect(await store.get(key)).toBeUndefined();
    });

    it('notices a whole record in the place of another', async () => {
      const { store, damage } = await openTest();
      const key = await store.put(recordOf(1));
      await damage(key, () => encodeRecord(store.keyOf(recordOf(2)), recordOf(2)));
      await expect(store.get(key)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
      await damage(key, () => encodeRecord(key, recordOf(2)));
      await expect(store.find(recordOf(1))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    });

    it('lists more than a page, while others write', async () => {
      const { store } = await openTest();
      const before = [];
      for (let seed = 0; seed < 300; seed += 20) {
        const ids = Array.from({ length: 20 }, (_, at) => `ad ${seed + at}`);
        await Promise.all(
          ids.map((id, at) => store.putDocument(id, { bare: recordOf(1000 + seed + at, { rows: 1, width: 1 }) })),
        );
        before.push(...ids);
      }
      const seen: string[] = [];
      for await (const id of store.ids()) {
        seen.push(id);
        if (seen.length % 60 === 0) await store.putDocument(`late ${seen.length}`, { bare: recordOf(seen.length) });
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => id.startsWith('ad ')).sort()).toEqual(before.sort());
      expect((await all(store.keys())).length).toBeGreaterThanOrEqual(300);
    });

    it('collects more than a page', async () => {
      const { store } = await openTest();
      const kept = await store.putDocument('ad', { bare: recordOf(1) });
      for (let seed = 0; seed < 300; seed += 20) {
        const loose = Array.from({ length: 20 }, (_, at) => recordOf(1000 + seed + at, { rows: 1, width: 1 }));
        await Promise.all(loose.map((record) => store.put(record)));
      }
      expect(await store.gc(GC)).toMatchObject({ records: 300 });
      expect(await all(store.keys())).toEqual([kept.bare]);
    });

    it('shows readers the old document or the new one', async () => {
      const { store } = await openTest();
      const versions = [0, 1].map((seed) => ({ a: recordOf(seed), b: recordOf(seed + 10) }));
      await store.putDocument('ad', versions[0]!);
      let writing = true;
      const pair = (entry: { variants: Readonly<Record<string, string>> }) => Object.values(entry.variants).join();
      const allowed = versions.map(({ a, b }) => [store.keyOf(a), store.keyOf(b)].join());
      const reader = async () => {
        let reads = 0;
        for (; writing; reads++) {
          expect(allowed).toContain(pair((await store.entry('ad'))!));
          expect((await store.getDocument('ad', 'a'))?.record).toBeDefined();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return reads;
      };
      const readers = [reader(), reader(), reader()];
      for (let round = 1; round <= 20; round++) await store.putDocument('ad', versions[round % 2]!);
      writing = false;
      for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0);
    });

    it('finishes what is under way when it is closed, and ends what comes after by name', async () => {
      const { store } = await openTest();
      for (let seed = 0; seed < 40; seed++) await store.putDocument(`ad ${seed}`, { bare: recordOf(seed) });
      const keys = await all(store.keys());
      const read = async () => {
        let reads = 0;
        for (;;) {
          // Found, or refused: never something else.
          if ((await store.get(keys[reads++ % keys.length]!)) === undefined) throw new Error('missed');
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const list = async () => {
        for (;;) for await (const _ of store.ids());
      };
      const write = async () => {
        for (let seed = 100; ; seed++) await store.putDocument('ad 0', { bare: recordOf(seed) });
      };
      const tasks = [read(), read(), list(), write(), store.verify().then(list)];
      const ends = Promise.all(tasks.map((task) => task.catch((error: { code?: string }) => error.code ?? error)));
      await store.getDocument('ad 3', 'bare');
      await store.close();
      expect(await ends).toEqual(tasks.map(() => 'STORE_CLOSED'));
    });

    it('closes twice, and not before', async () => {
      const { store } = await openTest();
      await store.put(recordOf(1));
      await Promise.all([store.close(), store.close()]);
      await store.close();
      await expect(store.get(createHash('sha256').digest('hex'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(store.put(recordOf(1))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });
  });
}
