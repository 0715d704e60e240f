/** Stores carried to other ones, directly and as a file; and files that were damaged on the way. */
import { afterEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { exportStore, importStore } from '../../src/store/archive.js';
import { openStore, type StoreOptions } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { copyStore, type Transferred } from '../../src/store/transfer.js';
import { flipped, lmdbDamager } from '../support/damage.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';
import { startS3 } from '../support/s3.js';

const opened: Store[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

async function openTest(location = 'memory:', options: StoreOptions = {}): Promise<Store> {
  const store = await openStore(location, options);
  opened.push(store);
  return store;
}

const FAR = Date.now() + 3_600_000;

/** Documents of every kind, and what does not travel: a record without a document, a pin. */
async function fill(store: Store): Promise<void> {
  await store.putNote('primed', { model: 'tiny', fingerprint: 'f' });
  for (let at = 0; at < 20; at++) {
    const records = { bare: recordOf(at, { precision: 'int8' }), shared: recordOf(100, { precision: 'float16' }) };
    await store.putDocument(`ad ${at}`, records, { metadata: { at } });
  }
  await store.putDocument('\ud800 👟\n', { ['__proto__']: recordOf(200) }, { expiresAt: FAR });
  await store.put(recordOf(300));
  await store.pin(store.keyOf(recordOf(100)));
}

async function contents(store: Store) {
  const found: unknown[] = [];
  for await (const id of store.ids()) {
    const entry = (await store.entry(id))!;
    const records = await Promise.all(Object.values(entry.variants).map((key) => store.getBytes(key)));
    found.push({ entry, records: records.map((bytes) => Buffer.from(bytes!).toString('hex')) });
  }
  return { notes: await store.note('primed'), documents: found.map((document) => JSON.stringify(document)).sort() };
}

async function exported(store: Store): Promise<{ bytes: Buffer; counts: Transferred }> {
  const pieces: Buffer[] = [];
  const stream = exportStore(store);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { bytes: Buffer.concat(pieces), counts: value };
    pieces.push(value);
  }
}

/** In pieces of any size. */
async function* piecesOf(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const ALL = { documents: 21, records: 22, notes: 1, unchanged: 0, incomplete: 0 };

describe('a copy', () => {
  it('is the same between storages, byte for byte, and going on copies what is missing', async () => {
    const server = await startS3();
    try {
      const places = [await temporaryFolder(), 's3://bucket/copy', 'memory:', await temporaryFolder()];
      const stores = [];
      for (const place of places) stores.push(await openTest(place, { s3: server.options }));
      await fill(stores[0]!);
      for (const [at, to] of stores.slice(1).entries()) {
        expect(await copyStore(stores[at]!, to)).toMatchObject(
          at === 1 ? { documents: 21, notes: 1 } : { documents: 21 },
        );
        expect(await contents(to)).toEqual(await contents(stores[0]!));
      }
      const last = stores.at(-1)!;
      expect((await last.stats()).records).toBe(22);
      expect(await copyStore(stores[0]!, last)).toEqual({ ...ALL, documents: 0, records: 0, notes: 0, unchanged: 21 });
      await last.deleteDocument('ad 7');
      await stores[0]!.putDocument('ad 3', { bare: recordOf(50) });
      expect(await copyStore(stores[0]!, last)).toMatchObject({ documents: 2, records: 1, unchanged: 19 });
      expect(await contents(last)).toEqual(await contents(stores[0]!));
    } finally {
      await server.stop();
    }
  });

  it('replaces what is damaged in its target', async () => {
    const folder = await temporaryFolder();
    const [from, to] = [await openTest(), await openTest(folder)];
    await fill(from);
    await copyStore(from, to);
    await lmdbDamager(folder).record(from.keyOf(recordOf(4, { precision: 'int8' })), flipped);
    expect(await copyStore(from, to)).toMatchObject({ documents: 1, records: 1, unchanged: 20 });
    expect(await contents(to)).toEqual(await contents(from));
  });

  it('refuses a store that says other things of itself, and another tenant’s', async () => {
    const [from, to] = [await openTest(), await openTest()];
    await fill(from);
    await to.putNote('primed', { model: 'tiny', fingerprint: 'g' });
    await expect(copyStore(from, to)).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringMatching(/note "primed" \(fingerprint differ\)/),
    });
    expect(await copyStore(from, to, { replace: true })).toMatchObject({ documents: 21, notes: 1 });
    const tenant = await openTest('memory:', { tenantSalt: 'other' });
    await expect(copyStore(from, tenant)).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
      message: expect.stringMatching(/another tenant/),
    });
  });

  it('leaves out documents whose records are gone, and takes nothing that expired', async () => {
    const [from, to] = [await openTest(await temporaryFolder(), { maxBytes: 3000 }), await openTest()];
    for (let at = 0; at < 10; at++) await from.putDocument(`ad ${at}`, { bare: recordOf(at) });
    await from.putDocument('late', { bare: recordOf(20) }, { ttlMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { documents, incomplete } = await copyStore(from, to);
    expect(documents).toBeGreaterThan(0);
    expect(documents + incomplete).toBe(10);
    expect((await to.verify()).damaged).toEqual([]);
    expect((await exported(from)).counts).toMatchObject({ documents, incomplete });
  });

  it('stops when told so', async () => {
    const [from, to] = [await openTest(), await openTest()];
    await fill(from);
    const stopped = { signal: AbortSignal.abort() };
    await expect(copyStore(from, to, stopped)).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(importStore(to, piecesOf((await exported(from)).bytes), 'x', stopped)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect((await to.stats()).documents).toBe(0);
  });
});

describe('an exported file', () => {
  it.each([1, 97, 1 << 20])(
    'brings everything back, in pieces of %i bytes, and can be imported again',
    async (size) => {
      const [from, to] = [await openTest(), await openTest(await temporaryFolder())];
      await fill(from);
      const { bytes, counts } = await exported(from);
      expect(counts).toEqual(ALL);
      expect(await importStore(to, piecesOf(bytes, size), 'file')).toEqual(ALL);
      expect(await contents(to)).toEqual(await contents(from));
      const again = { ...ALL, documents: 0, records: 0, notes: 0, unchanged: 21 };
      expect(await importStore(to, piecesOf(bytes, size), 'file')).toEqual(again);
      expect(await contents(to)).toEqual(await contents(from));
    },
  );

  it('has the form that it says', async () => {
    const store = await openTest();
    await store.putDocument('ad', { bare: recordOf(1) });
    const { bytes } = await exported(store);
    expect(bytes.subarray(0, 8).toString()).toBe('DKVSTORE');
    expect(bytes.readUInt32LE(8)).toBe(1);
    expect(bytes.toString('latin1', 12, 16)).toBe('reco');
    const length = Number(bytes.readBigUInt64LE(16));
    expect(bytes.subarray(24, 24 + length)).toEqual(Buffer.from((await store.getBytes(store.keyOf(recordOf(1))))!));
    expect(bytes.toString('latin1', 24 + length + 32).slice(0, 4)).toBe('docu');
  });

  it('with any byte changed, or cut anywhere, is refused, and nothing wrong gets into the store', async () => {
    const from = await openTest();
    await fill(from);
    const { bytes } = await exported(from);
    const sound = new Set((await contents(from)).documents);
    const random = new Random('damage');
    const changes = Array.from({ length: 60 }, (): Buffer => {
      const at = random.below(bytes.length);
      return Buffer.from(random.below(2) ? bytes.subarray(0, at) : bytes.with(at, bytes[at]! ^ (1 << random.below(8))));
    });
    // The lengths in the first frame, and the version.
    for (let at = 8; at < 24; at++) changes.push(Buffer.from(bytes.with(at, bytes[at]! ^ 0x81)));
    for (const damaged of changes) {
      const to = await openTest();
      const imported = importStore(to, piecesOf(damaged), 'file');
      await expect(imported).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_(DAMAGED|MISMATCH)$/) });
      for (const document of (await contents(to)).documents) expect(sound).toContain(document);
    }
  });

  it('from which a whole frame was taken is refused', async () => {
    const from = await openTest();
    for (const id of ['a', 'b']) await from.putDocument(id, { bare: recordOf(id.length) });
    const { bytes } = await exported(from);
    const ends: number[] = [];
    for (let at = 12; at < bytes.length; at += 12 + Number(bytes.readBigUInt64LE(at + 4)) + 32) ends.push(at);
    // The record, a document, and the other one.
    for (const frame of [0, 1, 2]) {
      const without = Buffer.concat([bytes.subarray(0, ends[frame]), bytes.subarray(ends[frame + 1])]);
      const imported = importStore(await openTest(), piecesOf(without), 'file');
      await expect(imported).rejects.toMatchObject({ code: frame === 0 ? 'INPUT_INVALID' : 'STORE_DAMAGED' });
    }
  });

  it('is read with memory for what is there, whatever lengths it speaks of', async () => {
    const start = Buffer.concat([Buffer.from('DKVSTORE'), Buffer.from([1, 0, 0, 0])]);
    const framed = (kind: string, length: bigint, body: Buffer) => {
      const head = Buffer.alloc(12);
      head.write(kind, 'latin1');
      head.writeBigUInt64LE(length, 4);
      return Buffer.concat([start, head, body]);
    };
    const record = (await openTest().then(async (store) => {
      await store.putDocument('a', { bare: recordOf(1) }, {});
      return store.getBytes(Object.values((await store.entry('a'))!.variants)[0]!);
    }))!;
    /** Never ends, as a sender that wants to fill a memory does. */
    async function* endless(bytes: Buffer): AsyncGenerator<Buffer> {
      yield bytes;
      for (let sent = 0; ; sent++) {
        expect(sent).toBeLessThan(100);
        yield Buffer.alloc(1024 * 1024);
      }
    }
    for (const bytes of [
      framed('reco', 2n ** 40n, Buffer.from(record)),
      framed('reco', 2n ** 31n, Buffer.from(record)),
      framed('reco', 2n ** 31n, Buffer.from('no record at all, and not as long as that')),
      framed('docu', 2n ** 27n, Buffer.from('{}')),
      framed('note', 2n ** 63n, Buffer.from('{}')),
    ]) {
      const target = await openTest();
      await expect(importStore(target, endless(bytes), 'it')).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    }
  });

  it('of another tenant is refused', async () => {
    const from = await openTest('memory:', { tenantSalt: 'one' });
    await fill(from);
    const { bytes } = await exported(from);
    await expect(importStore(await openTest(), piecesOf(bytes), 'file')).rejects.toMatchObject({
      code: 'STORE_MISMATCH',
    });
  });
});
