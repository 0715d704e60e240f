/** Generations under kills, flipped bits, cut files and takedowns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { activate, readAlias, rollBack } from '../../src/store/generations/aliases.js';
import { listGenerations, readGeneration } from '../../src/store/generations/catalogue.js';
import { collect } from '../../src/store/generations/collect.js';
import { compact } from '../../src/store/generations/compact.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import type { Generation } from '../../src/store/generations/manifest.js';
import { packStore } from '../../src/store/generations/pack.js';
import { publish } from '../../src/store/generations/publish.js';
import { Takedowns } from '../../src/store/generations/takedowns.js';
import { openStore } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import type { Store } from '../../src/store/store.js';
import { copyStore } from '../../src/store/transfer.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';

/** More with `npm run test:faults`. */
const KILLS = process.env.DKV_KILLS === undefined ? 3 : 60;
const FLIPS = process.env.DKV_KILLS === undefined ? 60 : 300;
const AT_ONCE = { minimumAgeMs: -5000 };
const shardBytes = 30_000;

/** Every document of an opened generation says which record it has. */
async function expectWhole(store: Store): Promise<number> {
  let documents = 0;
  for await (const id of store.ids()) {
    const found = await store.getDocument(id, 'bare');
    expect(found?.record).toEqual(recordOf(found?.metadata.text as number));
    documents++;
  }
  return documents;
}

describe('a catalogue whose writers are killed', () => {
  it(`names a whole generation after each of ${KILLS} kills, and collect leaves no orphan`, {
    timeout: 900_000,
  }, async () => {
    const folder = await temporaryFolder();
    const [place, catalogue] = [path.join(folder, 'store'), path.join(folder, 'catalogue')];
    const random = new Random('kills');
    const child = path.resolve(import.meta.dirname, '../support/generations-child.ts');
    let documents = 0;
    for (let round = 0; round < KILLS; round++) {
      const running = spawn(process.execPath, ['--import', 'tsx', child, place, catalogue, String(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_NO_WARNINGS: '1' },
      });
      let said = '';
      running.stdout.on('data', (text: Buffer) => {
        said += text.toString();
      });
      // The first may not be killed before there is anything to name.
      const mark = round === 0 ? 'done' : 'ready';
      while (!said.includes(mark)) await Promise.race([once(running.stdout, 'data'), once(running, 'exit')]);
      await new Promise((resolve) => setTimeout(resolve, random.below(1500)));
      expect(running.exitCode).toBeNull();
      running.kill('SIGKILL');
      await once(running, 'exit');
      const store = await openStore(`packed:${catalogue}`);
      documents = await expectWhole(store);
      expect(documents).toBeGreaterThan(0);
      await store.close();
    }
    const files = new FolderFiles(catalogue);
    await collect(files, new Takedowns(files), AT_ONCE);
    const alias = (await readAlias(files, 'live'))!;
    const { manifest } = (await readGeneration(files, alias.generation))!;
    const named = manifest.layers.flatMap(({ shards }) => shards.map(({ digest }) => `${digest}.dkv`));
    expect((await readdir(path.join(catalogue, 'shards'))).sort()).toEqual([...new Set(named)].sort());
    expect(await readdir(path.join(catalogue, 'drafts'))).toEqual([]);
    expect(
      (await readdir(path.join(catalogue, 'generations'))).filter((name) => !name.startsWith(alias.generation)),
    ).toEqual([]);
    const left = await readdir(catalogue, { recursive: true });
    expect(left.filter((name) => /\.partial$|lock\.json$/.test(name) || /^leases\/.*json$/.test(name))).toEqual([]);
    await files.close();
  });
});

describe('a catalogue whose files are damaged', () => {
  it(`serves nothing else after each of ${FLIPS} flips and cuts`, { timeout: 900_000 }, async () => {
    const catalogue = path.join(await temporaryFolder(), 'catalogue');
    const source = await openStore('memory:');
    for (let number = 0; number < 60; number++) {
      await source.putDocument(`ad ${number}`, { bare: recordOf(number) }, { metadata: { text: number } });
    }
    const files = new FolderFiles(catalogue);
    const takedowns = new Takedowns(files);
    const base = await publish(files, (await packStore(source, files, { shardBytes })).generation.id);
    await source.putDocument('ad 1', { bare: recordOf(101) }, { metadata: { text: 101 } });
    await source.deleteDocument('ad 2');
    const delta = await publish(files, (await packStore(source, files, { shardBytes, parent: base })).generation.id);
    await takedowns.add([{ slot: slotOf('ad 3', ''), id: 'ad 3', status: 'hidden', at: Date.now(), reason: null }]);
    await activate(files, takedowns, 'live', delta.id);
    const names = (await readdir(catalogue, { recursive: true })).filter((name) =>
      /^(?:(?:shards|generations|aliases|takedowns)\/.*\.(?:dkv|json)|takedowns\.json)$/.test(name),
    );
    const random = new Random('damage');
    const refused = new Map<string, number>();
    for (let round = 0; round < FLIPS; round++) {
      const name = names[round % names.length]!;
      const file = path.join(catalogue, name);
      const sound = await readFile(file);
      const at = random.below(sound.length);
      // The manifest of the base is not read by who reads the delta.
      const change =
        round % 7 === 6 ? sound.subarray(0, at) : Buffer.from(sound.with(at, sound[at]! ^ (1 << random.below(8))));
      await writeFile(file, change);
      try {
        const store = await openStore(`packed:${catalogue}`);
        for (let number = 0; number < 60; number++) {
          const found = await store.getDocument(`ad ${number}`, 'bare').catch((error: { code: string }) => error.code);
          if (found === 'STORE_DAMAGED') refused.set(name.split('/')[0]!, 1 + (refused.get(name.split('/')[0]!) ?? 0));
          else if (number === 2 || number === 3) expect(found).toBeUndefined();
          else expect(found).toMatchObject({ record: recordOf(number === 1 ? 101 : number) });
        }
        await store.close();
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_(?:DAMAGED|MISMATCH)$/) });
        refused.set(name.split('/')[0]!, 1 + (refused.get(name.split('/')[0]!) ?? 0));
      }
      await writeFile(file, sound);
    }
    expect([...refused.keys()].sort()).toEqual(['aliases', 'generations', 'shards', 'takedowns', 'takedowns.json']);
    // A takedown that is lost is noticed too.
    await rm(path.join(catalogue, 'takedowns/00000001.json'));
    await expect(openStore(`packed:${catalogue}`)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await Promise.all([source.close(), files.close()]);
  });
});

describe('a document that was taken down', () => {
  const step = fc.constantFrom(
    'change',
    'delta',
    'base',
    'activate',
    'roll back',
    'compact',
    'collect',
    'copy',
    'restore',
  );

  it('is served after no sequence of what can be done to a catalogue', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12 }),
        fc.integer({ min: 0, max: 1000 }),
        async (steps, seed) => {
          const folder = await temporaryFolder();
          let catalogue = path.join(folder, 'catalogue');
          const random = new Random('takedown', seed);
          const source = await openStore('memory:');
          for (let number = 0; number < 20; number++)
            await source.putDocument(`ad ${number}`, { bare: recordOf(number) });
          let files = new FolderFiles(catalogue);
          let takedowns = new Takedowns(files);
          const first = await publish(files, (await packStore(source, files)).generation.id);
          await activate(files, takedowns, 'live', first.id);
          await takedowns.add([
            { slot: slotOf('ad 5', ''), id: 'ad 5', status: 'hidden', at: Date.now(), reason: null },
          ]);
          let live: Generation = first;
          for (const [at, name] of steps.entries()) {
            if (name === 'change')
              await source.putDocument(`ad ${random.below(20)}`, { bare: recordOf(random.below(1000)) });
            if (name === 'delta' || name === 'base') {
              const parent = name === 'delta' ? live : undefined;
              await publish(files, (await packStore(source, files, { parent })).generation.id);
            }
            if (name === 'activate') {
              const listed = await listGenerations(files);
              await activate(files, takedowns, 'live', listed[random.below(listed.length)]!.id);
            }
            if (name === 'roll back') await rollBack(files, takedowns, 'live').catch(() => undefined);
            if (name === 'compact')
              await activate(files, takedowns, 'live', (await compact(files, takedowns, live)).generation.id);
            if (name === 'collect') await collect(files, takedowns, AT_ONCE);
            if (name === 'restore') {
              const copy = path.join(folder, `restored-${at}`);
              await cp(catalogue, copy, { recursive: true });
              await files.close();
              catalogue = copy;
              files = new FolderFiles(catalogue);
              takedowns = new Takedowns(files);
            }
            live = (await readGeneration(files, (await readAlias(files, 'live'))!.generation))!;
            const store = await openStore(`packed:${catalogue}`);
            if (name === 'copy') {
              const target = await openStore('memory:');
              await copyStore(store, target);
              expect(await target.entry('ad 5')).toBeUndefined();
              await target.close();
            }
            expect(await store.entry('ad 5')).toBeUndefined();
            expect(await store.getDocument('ad 5', 'bare')).toBeUndefined();
            const listed: string[] = [];
            for await (const id of store.ids()) listed.push(id);
            expect(listed).toHaveLength(19);
            await store.close();
          }
          await Promise.all([source.close(), files.close()]);
        },
      ),
      { numRuns: process.env.DKV_KILLS === undefined ? 8 : 60 },
    );
  });
});

describe('a list of takedowns that is lost', () => {
  async function made(): Promise<{ catalogue: string; add: (id: string) => Promise<void> }> {
    const catalogue = path.join(await temporaryFolder(), 'catalogue');
    const source = await openStore('memory:');
    for (let number = 0; number < 5; number++) await source.putDocument(`ad ${number}`, { bare: recordOf(number) });
    const files = new FolderFiles(catalogue);
    const { generation } = await packStore(source, files);
    await publish(files, generation.id);
    await activate(files, new Takedowns(files), 'live', generation.id);
    await Promise.all([source.close(), files.close()]);
    const add = async (id: string) => {
      const own = new FolderFiles(catalogue);
      await new Takedowns(own).add([{ slot: slotOf(id, ''), id, status: 'hidden', at: Date.now(), reason: null }]);
      await own.close();
    };
    return { catalogue, add };
  }
  const code = { code: expect.stringMatching(/^STORE_/) };

  it.each(['takedowns', 'takedowns.json', 'takedowns/00000002.json'])('serves nothing without %s', async (lost) => {
    const { catalogue, add } = await made();
    await add('ad 1');
    await add('ad 2');
    const open = await openStore(`packed:${catalogue}`);
    const { generation } = (await readAlias(new FolderFiles(catalogue), 'live'))!;
    await rm(path.join(catalogue, lost), { recursive: true });
    for (const query of ['', `?generation=${generation}`]) {
      const reading = openStore(`packed:${catalogue}${query}`).then(async (store) => {
        try {
          return await store.entry('ad 4');
        } finally {
          await store.close();
        }
      });
      await expect(reading).rejects.toMatchObject(code);
    }
    // Who read the list before goes on with it, unless the list itself says less.
    const known = open.entry('ad 1').catch(() => undefined);
    expect(await known).toBeUndefined();
    await open.close();
  });

  it('is noticed by a reader that is open: another copy in its place, or nothing', async () => {
    const { catalogue, add } = await made();
    const copy = `${catalogue}-copy`;
    await add('ad 0');
    await cp(catalogue, copy, { recursive: true });
    await add('ad 1');
    const store = await openStore(`packed:${catalogue}`);
    expect(await store.entry('ad 2')).toBeDefined();
    await rename(catalogue, `${catalogue}-old`);
    await expect(store.entry('ad 2')).rejects.toMatchObject(code);
    await rename(copy, catalogue);
    await add('ad 2');
    await expect(store.entry('ad 3')).rejects.toMatchObject(code);
    await store.close();
  });

  it('is no matter of the tiers above, which may hold what was taken down', async () => {
    const { catalogue, add } = await made();
    const store = await openStore(['memory:', `packed:${catalogue}`], { onFailure: 'fallback' });
    expect(await store.getDocument('ad 1', 'bare')).toBeDefined();
    const key = store.keyOf(recordOf(1));
    expect(await store.get(key)).toBeDefined();
    await add('ad 1');
    expect(await store.get(key)).toBeUndefined();
    expect(await store.has(key)).toBe(false);
    expect(await store.statesOf([key], ['a'.repeat(64)])).toMatchObject([{ code: 'DOCUMENT_MISSING' }]);
    await store.close();
    await expect(openStore([`packed:${catalogue}`, 'memory:'])).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('is finished by the next writer where one was stopped in the middle', async () => {
    const { catalogue, add } = await made();
    await add('ad 0');
    const head = await readFile(path.join(catalogue, 'takedowns.json'));
    await add('ad 1');
    await writeFile(path.join(catalogue, 'takedowns.json'), head);
    await add('ad 2');
    const store = await openStore(`packed:${catalogue}`);
    const ids: string[] = [];
    for await (const id of store.ids()) ids.push(id);
    expect(ids.sort()).toEqual(['ad 3', 'ad 4']);
    await store.close();
  });

  it('goes beyond a file that has all that was known by then', async () => {
    const { catalogue, add } = await made();
    for (let count = 0; count < 66; count++) await add(`gone ${count}`);
    await add('ad 1');
    const store = await openStore(`packed:${catalogue}`);
    expect(await store.entry('ad 1')).toBeUndefined();
    expect(await store.entry('ad 2')).toBeDefined();
    const files = new FolderFiles(catalogue);
    expect([...(await new Takedowns(files).all()).values()]).toHaveLength(67);
    await Promise.all([store.close(), files.close()]);
  });
});
