/** Damage in a store is found, is mended by priming again, and the commands that messages name do what they say. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DkvError } from '../../src/base/errors.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { calibrate, readCalibration, writeCalibration } from '../../src/serving/calibration.js';
import { evaluate } from '../../src/serving/evaluate.js';
import { prime } from '../../src/serving/prime.js';
import { readProvenance } from '../../src/serving/provenance.js';
import { rank } from '../../src/serving/rank.js';
import type { RankedQuery } from '../../src/serving/ranked-query.js';
import { BARE } from '../../src/serving/variants.js';
import { openStore, type StoreOptions } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import { NOTES, type Store } from '../../src/store/store.js';
import { copyStore } from '../../src/store/transfer.js';
import { type Damager, flipped, lmdbDamager, redisDamager, s3Damager } from '../support/damage.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { made } from '../support/made-documents.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { startS3 } from '../support/s3.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

interface Place {
  readonly location: string;
  readonly options: StoreOptions;
  readonly damager: Damager;
  /** For commands. */
  readonly env: NodeJS.ProcessEnv;
}

const PLACES: Record<string, () => Promise<Place>> = {
  'a folder': async () => {
    const location = path.join(await temporaryFolder(), "o'ne ads");
    return { location, options: {}, damager: lmdbDamager(location), env: {} };
  },
  Redis: async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const location = `redis://127.0.0.1:${server.port}?prefix=damage`;
    return { location, options: {}, damager: redisDamager(server.port, 'damage'), env: {} };
  },
  S3: async () => {
    const server = await startS3();
    onTestFinished(() => server.stop());
    const damager = s3Damager(server, 'bucket/damage');
    return { location: 's3://bucket/damage', options: { s3: server.options }, damager, env: server.env };
  },
};

const COUNT = 6;
const HOW = { surrogates: [] };
const noteSlot = (name: string) => slotOf(name, 'notes:');
const PRIMED = { documents: COUNT, primed: 0, unchanged: COUNT, encoded: 0 };

async function primed(place: Place): Promise<Store> {
  const store = await openStore(place.location, place.options);
  onTestFinished(() => store.close());
  await prime(model, store, made(COUNT), HOW);
  return store;
}

async function failure(work: Promise<unknown>): Promise<DkvError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

/** A command as a shell takes it apart. */
function shellWords(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)].map(([word]) => word.replace(/'([^']*)'|\\(.)/g, '$1$2'));
}

/** Runs what a message says. */
async function runAdvised({ message }: DkvError, { env }: Place): Promise<void> {
  const [, command] = /Take it out \(dkv (.*?)\), then/.exec(message)!;
  const words = shellWords(command!);
  const { exitCode, stderr } = await dkv(words, { env });
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
}

for (const [name, make] of Object.entries(PLACES)) {
  describe.skipIf(name === 'Redis' && !existsSync(REDIS_SERVER))(`in ${name}`, () => {
    it('priming makes damaged records and entries anew, and only these', async () => {
      const place = await make();
      const store = await primed(place);
      const key = (await store.entry('ad 1'))!.variants[BARE]!;
      await place.damager.record(key, flipped);
      await place.damager.record((await store.entry('ad 4'))!.variants[BARE]!, (bytes) => bytes.slice(0, 30));
      await place.damager.slot(slotOf('ad 2', ''), flipped);
      const { damaged, ...read } = await store.verify();
      expect(read).toEqual({ records: COUNT, documents: COUNT, notes: 1 });
      expect(damaged.map(({ kind }) => kind).sort()).toEqual(['document', 'record', 'record']);
      expect(damaged.map((damage) => damage.key)).toContain(key);
      const trusting = await prime(model, store, made(COUNT), { ...HOW, check: false });
      expect(trusting).toMatchObject({ primed: 1, unchanged: COUNT - 1, encoded: 0 });
      const again = await prime(model, store, made(COUNT), HOW);
      expect(again).toMatchObject({ primed: 2, unchanged: COUNT - 2, encoded: 2 });
      expect((await store.verify()).damaged).toEqual([]);
      expect(await prime(model, store, made(COUNT), HOW)).toMatchObject(PRIMED);
    });

    it('a ranking that passes over missing candidates rejects damaged ones by name, and so does an evaluation', async () => {
      const place = await make();
      const store = await primed(place);
      await place.damager.record((await store.entry('ad 1'))!.variants[BARE]!, flipped);
      await place.damager.slot(slotOf('ad 2', ''), flipped);
      const candidates = ['ad 0', 'ad 1', 'ad 2', 'ad 3', 'gone'].map((id) => ({ id }));
      const asked = [
        { id: 'q', text: 'a lamp', candidates },
        { id: 'r', text: 'a lamp', candidates: candidates.slice(3, 4) },
      ];
      for (const onMissing of ['skip', 'last'] as const) {
        const { value } = await rank(model, store, asked, { onMissing }).next();
        expect(value).toMatchObject({ missing: ['gone'] });
        expect((value as RankedQuery).rejected.map(({ id }) => id)).toEqual(['ad 1', 'ad 2']);
        for (const { reason } of (value as RankedQuery).rejected) expect(reason).toMatch(/is damaged/);
        expect((value as RankedQuery).documents).toHaveLength(onMissing === 'skip' ? 2 : 3);
      }
      const ending = rank(model, store, [{ ...asked[0]!, candidates: candidates.slice(0, 4) }]).next();
      await expect(ending).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
      const grades = new Map([['ad 3', 1]]);
      const qrels = new Map(asked.map(({ id }) => [id, grades]));
      const evaluation = await evaluate(model, store, asked, qrels, { onMissing: 'skip', upperBound: true });
      expect(evaluation).toMatchObject({ queries: 1, missing: ['gone'] });
      expect(new Set(evaluation.rejected.map(({ id }) => id))).toEqual(new Set(['ad 1', 'ad 2']));
    });

    it('the command of a message takes a damaged record or entry out', async () => {
      const place = await make();
      const store = await primed(place);
      await place.damager.record((await store.entry('ad 1'))!.variants[BARE]!, flipped);
      const failed = await failure(store.getDocument('ad 1', BARE));
      expect(failed).toMatchObject({
        code: 'STORE_DAMAGED',
        message: expect.stringMatching(/checksum does not match/),
      });
      await runAdvised(failed, place);
      expect(await store.getDocument('ad 1', BARE)).toBeUndefined();
      await place.damager.slot(slotOf('ad 2', ''), flipped);
      await runAdvised(await failure(store.entry('ad 2')), place);
      expect(await store.entry('ad 2')).toBeUndefined();
      expect(await prime(model, store, made(COUNT), HOW)).toMatchObject({ primed: 2, encoded: 1 });
    });

    it('the command of a message takes a damaged note out, and the store is of use again', async () => {
      const place = await make();
      const store = await primed(place);
      await prime(model, store, made(COUNT), { ...HOW, priorQueries: ['a lamp'] });
      await place.damager.slot(noteSlot('primed'), flipped);
      expect((await store.verify()).damaged).toMatchObject([{ kind: 'note', key: 'primed' }]);
      expect(await store.stats()).toMatchObject({ documents: COUNT });
      const failed = await failure(prime(model, store, made(COUNT), HOW));
      expect(failed).toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringMatching(/as "primed" is damaged/) });
      await runAdvised(failed, place);
      expect(await prime(model, store, made(COUNT), HOW)).toMatchObject(PRIMED);
      await place.damager.slot(noteSlot('prior'), (bytes) => bytes.slice(0, 5));
      await runAdvised(await failure(prime(model, store, made(COUNT), HOW)), place);
      const prior = { ...HOW, priorQueries: ['a lamp'] };
      expect(await prime(model, store, made(COUNT), prior)).toMatchObject(PRIMED);
      await place.damager.slot(noteSlot('primed'), flipped);
      await place.damager.slot(noteSlot('prior'), flipped);
      expect(await prime(model, store, made(COUNT), { ...prior, replace: true })).toMatchObject(PRIMED);
    });

    it('a copy replaces what is damaged in its target', async () => {
      const place = await make();
      const store = await primed(place);
      const from = await openStore('memory:');
      onTestFinished(() => from.close());
      await copyStore(store, from);
      const bytes = await store.getBytes((await store.entry('ad 1'))!.variants[BARE]!);
      await place.damager.record((await store.entry('ad 1'))!.variants[BARE]!, flipped);
      await place.damager.slot(slotOf('ad 2', ''), flipped);
      await place.damager.slot(noteSlot('primed'), flipped);
      expect(await copyStore(from, store)).toMatchObject({ documents: 2, records: 1, notes: 1, unchanged: COUNT - 2 });
      expect((await store.verify()).damaged).toEqual([]);
      expect(await store.getBytes((await store.entry('ad 1'))!.variants[BARE]!)).toEqual(bytes);
    });
  });
}

it('a damaged calibration is replaced by the next one', async () => {
  const place = await PLACES['a folder']!();
  const store = await primed(place);
  const about = (await readProvenance(store))!;
  const scoring = { variant: BARE, objective: 'query-likelihood', references: null } as const;
  const fitted = calibrate([
    [
      { score: -1, relevant: true },
      { score: -2, relevant: false },
    ],
  ]);
  await writeCalibration(store, about, scoring, fitted);
  await place.damager.slot(noteSlot('calibration'), flipped);
  expect(await failure(readCalibration(store, about, scoring))).toMatchObject({ code: 'STORE_DAMAGED' });
  await writeCalibration(store, about, scoring, fitted);
  expect(await readCalibration(store, about, scoring)).toEqual(fitted);
  expect(NOTES).toContain('calibration');
});

it('a record that is listed and whose bytes are gone is damage, and is primed again', async () => {
  const place = await PLACES['a folder']!();
  const store = await primed(place);
  const key = (await store.entry('ad 1'))!.variants[BARE]!;
  const root = open({ path: place.location, noSubdir: false, maxDbs: 12, encoding: 'binary' });
  await root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' }).remove(key);
  await root.close();
  expect((await store.verify()).damaged).toMatchObject([
    { kind: 'record', key, reason: expect.stringMatching(/gone/) },
  ]);
  expect(await store.has(key)).toBe(false);
  expect(await prime(model, store, made(COUNT), HOW)).toMatchObject({ primed: 1, encoded: 1 });
  expect((await store.verify()).damaged).toEqual([]);
});

it('what damaged tables still hold is copied by the command that the message names', async () => {
  const place = await PLACES['a folder']!();
  const store = await primed(place);
  const root = open({ path: place.location, noSubdir: false, maxDbs: 12, encoding: 'binary' });
  await root
    .openDB<Buffer, string>({ name: 'needs', encoding: 'binary' })
    .put(slotOf('ad 1', ''), Buffer.from('rubbish'));
  await root.close();
  const failed = await failure(store.deleteDocument('ad 1'));
  expect(failed).toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringMatching(/tables are damaged/) });
  const [, command] = /\(dkv (store copy .*) FOLDER\)/.exec(failed.message)!;
  const folder = path.join(await temporaryFolder(), 'copy');
  const { exitCode } = await dkv([...shellWords(command!), folder], {});
  expect(exitCode).toBe(0);
  const copy = await openStore(folder);
  onTestFinished(() => copy.close());
  expect(await prime(model, copy, made(COUNT), HOW)).toMatchObject(PRIMED);
});
