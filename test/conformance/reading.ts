/** What every store of directed caches must do for those who only read it, also one that cannot be written to. */
import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import {
  type CacheRecord,
  type DocumentEntry,
  STATES_PRECISIONS,
  type Store,
  type StoredDocument,
} from '../../src/store/store.js';
import { recordOf } from '../support/records.js';

export interface ReadingUnderTest {
  readonly store: Store;
  /** Another process's view of the same data, or this one's again after closing it. Undefined: the data end with the store. */
  reopen?(): Promise<Store>;
  /** Changes the stored bytes of a record behind the store's back, as many as there are. */
  damage(key: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void>;
}

export interface ReadingSuite {
  /** @param fill puts into a store what the one under test is to have */
  open(fill: (store: Store) => Promise<unknown>): Promise<ReadingUnderTest>;
}

/** States as they come back: rounded to the record's precision. */
export function expectSame(found: CacheRecord | undefined, stored: CacheRecord): void {
  expect(found).toBeDefined();
  const { states, ...rest } = found!;
  const { states: expected, ...expectedRest } = stored;
  expect(rest).toEqual(expectedRest);
  expect([states.rows, states.width]).toEqual([expected.rows, expected.width]);
  const steps = { float32: 0, float16: 2 ** -11, int8: 0.5 / 127 };
  const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [at, value] of expected.data.entries()) {
    expect(Math.abs(states.data[at]! - value)).toBeLessThanOrEqual(steps[stored.precision] * largest * 1.000001);
  }
}

export async function all(items: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const item of items) list.push(item);
  return list.sort();
}

export function describeReading(name: string, suite: ReadingSuite): void {
  describe(`${name}, read`, () => {
    const opened: Store[] = [];
    const openTest = async (fill: (store: Store) => Promise<unknown>) => {
      const under = await suite.open(fill);
      opened.push(under.store);
      return under;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
    });

    it.each(STATES_PRECISIONS)('gives back what was put, in %s', async (precision) => {
      const record = recordOf(1, { rows: 5, width: 16, precision });
      const { store, reopen } = await openTest((source) => source.putDocument('ad', { bare: record }));
      const key = store.keyOf(record);
      expect((await store.entry('ad'))!.variants).toEqual({ bare: key });
      expect(await store.has(key)).toBe(true);
      expect(await store.isSound(key)).toBe(true);
      expectSame(await store.get(key), record);
      expectSame(await store.find(record), record);
      if (!reopen) return;
      const again = await reopen();
      opened.push(again);
      expectSame(await again.get(key), record);
    });

    it('misses what it does not have', async () => {
      const { store } = await openTest((source) => source.putDocument('ad', { bare: recordOf(2) }));
      const key = store.keyOf(recordOf(1));
      expect(await store.has(key)).toBe(false);
      expect(await store.get(key)).toBeUndefined();
      expect(await store.getBytes(key)).toBeUndefined();
      expect(await store.getDocument('nobody', 'bare')).toBeUndefined();
      expect(await store.getDocument('ad', 'other')).toBeUndefined();
      expect(await store.entry('nobody')).toBeUndefined();
      expect(await store.note('primed')).toBeUndefined();
    });

    it('keeps empty metadata, no text, no rows', async () => {
      const { text: _, ...rest } = recordOf(1, { rows: 0 });
      const record = { ...rest, metadata: {}, surrogate: null };
      const { store } = await openTest((source) => source.putDocument('ad', { bare: record }));
      expectSame((await store.getDocument('ad', 'bare'))?.record, record);
      expect((await store.entry('ad'))!.metadata).toEqual({});
    });

    it('reads several documents at once, in the order of their ids, and says of each what is wrong with it', async () => {
      const ids = Array.from({ length: 40 }, (_, seed) => `ad ${seed}`);
      const broken = recordOf(51);
      const { store, damage } = await openTest(async (source) => {
        for (const [seed, id] of ids.entries()) {
          await source.putDocument(id, { bare: recordOf(seed), twin: recordOf(0) }, { metadata: { seed } });
        }
        await source.putDocument('damaged', { bare: broken });
      });
      await damage(store.keyOf(broken), (bytes) => bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1));
      const asked = ['damaged', ...ids, 'nobody', 'ad 3', 'nobody'];
      const [first, ...rest] = await store.getDocuments(asked, 'bare', ['c'.repeat(64), 'a'.repeat(64)]);
      expect(first).toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringMatching(/checksum does not match/) });
      for (const [seed] of ids.entries()) {
        const found = rest[seed] as StoredDocument;
        expectSame(found.record, recordOf(seed));
        expect([found.key, found.metadata]).toEqual([store.keyOf(recordOf(seed)), { seed }]);
      }
      const [nobody, again] = rest.slice(ids.length);
      expect(nobody).toMatchObject({
        code: 'DOCUMENT_MISSING',
        message: expect.stringMatching(/has no "bare" cache of document "nobody"/),
      });
      expect((again as StoredDocument).key).toBe(store.keyOf(recordOf(3)));
      expect(rest.at(-1)).toBe(nobody);
      const twins = await store.getDocuments(['ad 7', 'ad 8'], 'twin');
      for (const twin of twins) expectSame((twin as StoredDocument).record, recordOf(0));
      expect(await store.getDocuments([], 'bare')).toEqual([]);
      // Of documents, each once: 40 there and one that is nowhere, then two.
      expect(await store.stats()).toMatchObject({ hits: 42, misses: 1 });
      const entries = await store.entries(['nobody', 'ad 1', 'ad 1']);
      expect(entries.map((entry) => (entry as DocumentEntry | undefined)?.metadata)).toEqual([
        undefined,
        { seed: 1 },
        { seed: 1 },
      ]);
    });

    it('gives an engine states by their names, here and in another process', async () => {
      const { store } = await openTest(async (source) => {
        for (const seed of [1, 2]) await source.putDocument(`ad ${seed}`, { bare: recordOf(seed) });
      });
      const keys = [1, 2].map((seed) => store.keyOf(recordOf(seed)));
      const fingerprints = ['a'.repeat(64)];
      const expected = [recordOf(1).states, recordOf(2).states];
      expect(await store.statesOf(keys, fingerprints)).toEqual(expected);
      await store.entries(['ad 1', 'ad 2']);
      const names = keys.map((key) => store.namedStates(key));
      expect(await store.statesOf(names, fingerprints)).toEqual(expected);
      if (store.address === undefined) return;
      const { location, options } = structuredClone(store.address);
      const elsewhere = await openStore(location, options);
      opened.push(elsewhere);
      expect(await elsewhere.statesOf(names, fingerprints)).toEqual(expected);
      expect(await elsewhere.statesOf(keys, fingerprints)).toEqual(expected);
      // A place that was never true costs time, and no truth.
      const wrong = [names[1]!.replace(keys[1]!, keys[0]!), `${keys[1]}@nowhere`];
      expect((await elsewhere.statesOf(wrong, fingerprints))[1]).toEqual(expected[1]);
    });

    it('refuses states of another model', async () => {
      const { store } = await openTest((source) => source.putDocument('ad', { bare: recordOf(1) }));
      expect(await store.getDocument('ad', 'bare', 'a'.repeat(64))).toBeDefined();
      await expect(store.getDocument('ad', 'bare', 'b'.repeat(64))).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
    });

    it('has notes about itself, which are no documents', async () => {
      const { store } = await openTest(async (source) => {
        await source.putDocument('primed', { bare: recordOf(1) });
        await source.putNote('primed', { model: 'two', nested: { width: 8 } });
      });
      expect(await store.note('primed')).toEqual({ model: 'two', nested: { width: 8 } });
      expect(await store.note('calibration')).toBeUndefined();
      expect(await all(store.ids())).toEqual(['primed']);
      expect((await store.stats()).documents).toBe(1);
      expect((await store.entry('primed'))?.metadata).toEqual({});
    });

    it('has any id', async () => {
      const ids = ['', ' ', '/', '../..', 'a\0b', 'ä👟', '\ud800', 'x'.repeat(100_000), '__proto__', '{}:*?', 'a\nb'];
      const { store } = await openTest(async (source) => {
        for (const [seed, id] of ids.entries()) await source.putDocument(id, { [id.slice(0, 9)]: recordOf(seed) });
      });
      expect(await all(store.ids())).toEqual(ids.toSorted());
      for (const [seed, id] of ids.entries()) {
        expectSame((await store.getDocument(id, id.slice(0, 9)))?.record, recordOf(seed));
      }
    });

    it('forgets after the time to live', async () => {
      const expiresAt = Date.now() + 4000;
      const { store } = await openTest(async (source) => {
        await source.putDocument('passing', { bare: recordOf(1) }, { expiresAt });
        await source.putDocument('lasting', { bare: recordOf(2) });
      });
      expect((await store.entry('passing'))?.expiresAt).toBe(expiresAt);
      await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
      expect(await store.entry('passing')).toBeUndefined();
      expect(await store.has(store.keyOf(recordOf(1)))).toBe(false);
      expect(await store.getDocument('passing', 'bare')).toBeUndefined();
      expect(await store.getDocument('lasting', 'bare')).toBeDefined();
    });

    it('serves no record with a changed byte', async () => {
      const small = recordOf(1, { rows: 1, width: 2 });
      const { store, damage } = await openTest(async (source) => {
        await source.putDocument('ad', { bare: small });
        await source.putDocument('other', { bare: recordOf(2, { rows: 1, width: 2 }) });
      });
      const key = store.keyOf(small);
      let length = 0;
      await damage(key, (bytes) => {
        length = bytes.length;
        return bytes;
      });
      expect(length).toBeGreaterThan(80);
      const served: number[] = [];
      for (let at = 0; at < length; at++) {
        const flip = (bytes: Uint8Array) => bytes.with(at, bytes[at]! ^ (1 << (at % 8)));
        await damage(key, flip);
        const found = await store.getDocument('ad', 'bare').catch((error: { code: string }) => error.code);
        if (found !== 'STORE_DAMAGED') served.push(at);
        await damage(key, flip);
      }
      expect(served).toEqual([]);
      expectSame((await store.getDocument('ad', 'bare'))?.record, small);
    });

    it('lists more than a page', async () => {
      const ids = Array.from({ length: 250 }, (_, at) => `ad ${at}`);
      const { store } = await openTest(async (source) => {
        for (let from = 0; from < ids.length; from += 50) {
          const some = ids.slice(from, from + 50);
          await Promise.all(
            some.map((id, at) => source.putDocument(id, { bare: recordOf(1000 + from + at, { rows: 1, width: 1 }) })),
          );
        }
      });
      expect(await all(store.ids())).toEqual(ids.toSorted());
      expect(await all(store.keys())).toHaveLength(250);
      expect(await store.verify()).toMatchObject({ records: 250, documents: 250, damaged: [] });
    });
  });
}
