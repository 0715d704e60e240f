/**
 * Commands killed at random moments, on every storage: what was acknowledged is there afterwards, what is there is whole, and the
 * command goes on when it is started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../src/base/random.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { BARE } from '../../src/serving/variants.js';
import { exportStore } from '../../src/store/archive.js';
import { openStore, type StoreOptions } from '../../src/store/open.js';
import type { DocumentEntry, Store } from '../../src/store/store.js';
import { dkv, jsonLines, startDkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeText } from '../support/made-documents.js';
import { recordOf } from '../support/records.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { startS3 } from '../support/s3.js';

/** Of each command on each storage; more with `npm run test:faults`. */
const KILLS = Number(process.env.DKV_KILLS ?? 1);
/** Documents are as many as a kill may fall among; a single one is quick. */
const SHARE = KILLS > 1 ? 1 : 0.2;
const support = (name: string) => path.resolve(import.meta.dirname, `../support/${name}.ts`);

interface Place {
  readonly location: string;
  readonly options: StoreOptions;
  readonly env: NodeJS.ProcessEnv;
  /** Documents that take an import or a copy about a second. */
  readonly documents: number;
}

const PLACES: Record<string, () => Promise<Place>> = {
  'a folder': async () => {
    const location = path.join(await temporaryFolder(), 'store');
    return { location, options: {}, env: {}, documents: 500 };
  },
  Redis: async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const location = `redis://127.0.0.1:${server.port}/3?prefix=killed`;
    return { location, options: {}, env: {}, documents: 1500 };
  },
  S3: async () => {
    const server = await startS3();
    onTestFinished(() => server.stop());
    return { location: 's3://bucket/killed', options: { s3: server.options }, env: server.env, documents: 150 };
  },
};

async function inStore<T>({ location, options }: Place, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(location, options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** A process of the tests' own; what it says, line by line. */
function startChild(script: string, args: readonly string[], { env }: Place) {
  const child = spawn(process.execPath, ['--import', 'tsx', support(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env, NODE_NO_WARNINGS: '1' },
  });
  let output = '';
  child.stdout!.on('data', (text: Buffer) => {
    output += text.toString();
  });
  // The last line of a killed process may be half of one.
  return { child, said: () => output.split('\n').slice(0, -1) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

async function expectSound(store: Store): Promise<void> {
  const { damaged, records } = await store.verify();
  expect(damaged).toEqual([]);
  expect((await store.stats()).records).toBe(records);
}

/** @returns entries by id, each of whose records is there and sound */
async function wholeEntries(store: Store): Promise<Map<string, DocumentEntry>> {
  const entries = new Map<string, DocumentEntry>();
  for await (const id of store.ids()) {
    const entry = (await store.entry(id))!;
    for (const key of Object.values(entry.variants)) expect(await store.isSound(key)).toBe(true);
    entries.set(id, entry);
  }
  return entries;
}

async function filled(count: number): Promise<Store> {
  const store = await openStore('memory:');
  onTestFinished(() => store.close());
  await store.putNote('primed', { model: 'tiny' });
  for (let at = 0; at < count; at++) {
    await store.putDocument(`ad ${at}`, { bare: recordOf(at), twin: recordOf(-1 - (at % 7)) }, { metadata: { at } });
  }
  return store;
}

/** Until it is so, or the process has ended. */
async function until(isSo: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && !(await isSo())) await sleep(5);
}

/** Kills a transfer in its midst, which is started again each time, and then lets it end. */
async function expectTransferSurvives(args: readonly string[], target: Place, source: Store): Promise<void> {
  const random = new Random('transfer kills', args[1]!.length);
  const expected = await wholeEntries(source);
  const before = new Set<string>();
  const countIn = (store: Store) => store.stats().then(({ documents }) => documents);
  for (let round = 0; round < KILLS; round++) {
    const child = startDkv(['store', ...args], { env: target.env });
    child.stdin.end();
    await inStore(target, (store) => until(async () => (await countIn(store)) > before.size, child));
    await sleep(random.below(100));
    await kill(child);
    await inStore(target, async (store) => {
      const found = await wholeEntries(store);
      for (const [id, entry] of found) expect(entry).toEqual(expected.get(id));
      for (const id of before) expect(found.has(id)).toBe(true);
      await expectSound(store);
      before.clear();
      // There has to be something left to do.
      const lost = found.size > expected.size / 2 ? 2 : Number.POSITIVE_INFINITY;
      for (const [at, id] of [...found.keys()].entries()) {
        if (at % lost === 1) await store.deleteDocument(id);
        else before.add(id);
      }
    });
  }
  const last = await dkv(['store', ...args, '--json'], { env: target.env });
  expect(last.exitCode).toBe(0);
  expect(JSON.parse(last.stdout)).toMatchObject({ unchanged: before.size, documents: expected.size - before.size });
  await inStore(target, async (store) => {
    expect(await wholeEntries(store)).toEqual(expected);
    await expectSound(store);
  });
}

for (const [name, make] of Object.entries(PLACES)) {
  describe.skipIf(name === 'Redis' && !existsSync(REDIS_SERVER))(`killed ${KILLS} times in ${name},`, () => {
    it('prime loses nothing that was acknowledged', async () => {
      const place = await make();
      const model = await loadModel();
      onTestFinished(() => model.close());
      const random = new Random('prime kills', name.length);
      const acknowledged = new Set<string>();
      for (let round = 0; round < KILLS; round++) {
        const { child, said } = startChild('prime-child', ['prime', place.location, '100000'], place);
        await until(async () => said().some((line) => line.includes('stored')), child);
        await sleep(random.below(800));
        await kill(child);
        for (const line of said()) {
          const { stored } = JSON.parse(line) as { stored?: string };
          if (stored === undefined) continue;
          // Finished in an earlier round: must not be stored again.
          expect(acknowledged.has(stored)).toBe(false);
          acknowledged.add(stored);
        }
        await inStore(place, async (store) => {
          for (const id of acknowledged) {
            const found = await store.getDocument(id, BARE, model.fingerprint);
            const text = madeText(Number(id.split(' ')[1]));
            expect([...found!.record.tokenIds]).toEqual([...model.tokenizer.encodeFramed(text)]);
          }
          await expectSound(store);
        });
      }
    });

    it('gc takes nothing that is needed', async () => {
      const place = await make();
      const random = new Random('gc kills', name.length);
      for (let round = 0; round < KILLS; round++) {
        const { child } = startChild('store-child', ['collect', place.location], place);
        await once(child.stdout!, 'data');
        await sleep(random.below(600));
        await kill(child);
        await inStore(place, async (store) => {
          for (let at = 0; at < 10; at++) {
            expect((await store.getDocument(`ad ${at}`, 'bare'))?.record.text).toBe(recordOf(at).text);
            expect((await store.getDocument(`ad ${at}`, 'twin'))?.record.text).toBe(recordOf(-1 - at).text);
          }
          await expectSound(store);
          await store.deleteDocument('passing');
          await store.gc({ minimumAgeMs: -2000 });
          expect(await store.stats()).toMatchObject({ records: 20, documents: 10 });
        });
      }
    });

    it('import goes on, and leaves nothing half done', async () => {
      const place = await make();
      const source = await filled(SHARE * place.documents);
      const file = path.join(await temporaryFolder(), 'export.dkv');
      await pipeline(exportStore(source), createWriteStream(file));
      await expectTransferSurvives(['import', place.location, file], place, source);
    });

    it('copy goes on, and leaves nothing half done', async () => {
      const place = await make();
      const source = await filled(SHARE * place.documents);
      const from = path.join(await temporaryFolder(), 'from');
      await inStore({ ...place, location: from }, async (store) => {
        const { copyStore } = await import('../../src/store/transfer.js');
        await copyStore(source, store);
      });
      await expectTransferSurvives(['copy', from, place.location], place, source);
    });
  });
}

// One kill of a run is test/cli/run.test.ts.
it.skipIf(KILLS === 1)(`run, killed ${KILLS} times, goes on with every trial that was written`, async () => {
  const folder = await temporaryFolder();
  const random = new Random('run kills');
  const args = (out: string) => [
    'run',
    'exp01',
    '--n',
    '40',
    '--ignore-ceiling',
    '--resume',
    '--out',
    path.join(folder, out),
  ];
  const trials = async (out: string) => readFile(path.join(folder, out, 'trials.jsonl'), 'utf8').catch(() => '');
  let written = '';
  for (let round = 0; round < KILLS; round++) {
    const child = startDkv(args('killed'));
    child.stdin.end();
    child.stdout.resume();
    child.stderr.resume();
    await until(async () => (await trials('killed')).length > written.length, child);
    await sleep(random.below(300));
    await kill(child);
    const whole = (await trials('killed')).replace(/[^\n]*$/, '');
    expect(whole.startsWith(written)).toBe(true);
    written = whole;
  }
  for (const out of ['killed', 'whole']) expect((await dkv(args(out))).exitCode).toBe(0);
  const [killed, whole] = [jsonLines(await trials('killed')), jsonLines(await trials('whole'))];
  expect((await trials('killed')).startsWith(written)).toBe(true);
  // The first line says which run it is of, and the checksums of the others go on from it.
  const sorted = ([, ...lines]: Record<string, unknown>[]) =>
    lines.map(({ crc32: _, ...line }) => JSON.stringify(line)).sort();
  expect(sorted(killed)).toEqual(sorted(whole));
});
