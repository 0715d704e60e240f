/** The embedded store under what happens to processes and disks. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { openStore } from '../../src/store/open.js';
import { jsonLines } from '../support/dkv.js';
import { recordOf } from '../support/records.js';
import { runOnSmallDisk } from '../support/small-disk.js';

/** `DKV_STORE_KILLS=50` for a longer run. */
const KILLS = Number(process.env.DKV_STORE_KILLS ?? 10);
/** Of bits, one at a time. */
const FLIPS = Number(process.env.DKV_STORE_FLIPS ?? 40);
const CHILD = path.resolve(import.meta.dirname, '../support/store-child.ts');
const ARGUMENTS = ['--import', 'tsx', CHILD];
const SHAPE = { rows: 40, width: 160, precision: 'float16' } as const;

interface Flip {
  readonly first: { readonly right: number; readonly wrong: number };
  readonly mended: { readonly right: number; readonly wrong: number };
  /** A code, where it could not be mended in place. */
  readonly failed: string | null;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-lmdb-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes documents until it is killed; answers the last acknowledged version. */
function startWriter(directory: string, from: number) {
  const child = spawn(process.execPath, [...ARGUMENTS, 'write', directory, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  return {
    started: once(child.stdout, 'data'),
    kill: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      return Number(output.trimEnd().split('\n').at(-1));
    },
  };
}

describe('lmdb', () => {
  it('sees at once what another has acknowledged', async () => {
    const directory = path.join(folder, 'two');
    const [reader, writer] = [await openStore(directory), await openStore(directory)];
    const found: unknown[] = [];
    for (let version = 0; version < 3; version++) {
      // Nothing in between lets a timer run.
      await writer.putDocument('ad', { bare: recordOf(version) });
      found.push((await reader.getDocument('ad', 'bare'))?.record.text);
    }
    expect(found).toEqual([0, 1, 2].map((version) => recordOf(version).text));
    await reader.close();
    await writer.close();
  });

  it(`loses nothing acknowledged and serves nothing wrong after ${KILLS} kills`, async () => {
    const directory = path.join(folder, 'killed');
    const random = new Random('kills');
    let from = 0;
    for (let round = 0; round < KILLS; round++) {
      const writer = startWriter(directory, from);
      await writer.started;
      await new Promise((resolve) => setTimeout(resolve, random.below(400)));
      const acknowledged = await writer.kill();
      expect(acknowledged).toBeGreaterThanOrEqual(from);
      const store = await openStore(directory);
      for (let ad = 0; ad < 10 && ad <= acknowledged; ad++) {
        const found = await store.getDocument(`ad ${ad}`, 'bare');
        const version = Number(found?.metadata.version);
        // The last acknowledged one of this id, or one that was under way.
        expect(version).toBeGreaterThan(acknowledged - 10);
        expect(version % 10).toBe(ad);
        expect(found!.key).toBe(store.keyOf(recordOf(version, SHAPE)));
        expect(found!.record.tokenIds).toEqual(recordOf(version, SHAPE).tokenIds);
        expect((await store.getDocument(`ad ${ad}`, 'twin'))?.key).toBe(store.keyOf(recordOf(-version)));
      }
      const { damaged, records } = await store.verify();
      expect(damaged).toEqual([]);
      expect((await store.stats()).records).toBe(records);
      await store.gc({ minimumAgeMs: 0 });
      expect((await store.stats()).records).toBe(2 * (await store.stats()).documents);
      await store.close();
      from = acknowledged + 1;
    }
  });

  it('ends with its program, in the middle of writes, and keeps what it has acknowledged', async () => {
    for (const afterMs of [0, 40, 150, 400]) {
      const directory = path.join(folder, `left${afterMs}`);
      const args = [...ARGUMENTS, 'leave', directory, String(afterMs)];
      const { status, signal, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
      expect({ afterMs, status, signal }).toEqual({ afterMs, status: 7, signal: null });
      const store = await openStore(directory);
      for (const at of stdout.trim().split('\n').filter(Boolean).map(Number)) {
        expect((await store.getDocument(`ad ${at}`, 'bare'))?.record.text).toBe(recordOf(at).text);
      }
      expect((await store.verify()).damaged).toEqual([]);
      await store.close();
    }
  });

  it('ends with its program in the middle of a long transaction too', async () => {
    for (const share of [0.9, 0.95, 1]) {
      const directory = path.join(folder, `interrupted${share}`);
      const args = [...ARGUMENTS, 'interrupt', directory, String(share)];
      const { status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
      expect({ share, status, signal }).toEqual({ share, status: 7, signal: null });
      const store = await openStore(directory);
      expect((await store.getDocument('large', 'v2999'))?.record.text).toBe(recordOf(2999).text);
      await store.close();
    }
  });

  it('closes while a use is being noted, whatever else keeps the program alive', () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const args = [...ARGUMENTS, 'close', path.join(folder, `closed${attempt}`)];
      const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
      expect({ attempt, status, stdout }).toEqual({ attempt, status: 0, stdout: 'closed' });
    }
  });

  it('leaves the thread to others while a write goes to the disk', async () => {
    const store = await openStore(path.join(folder, 'turns'));
    await store.put(recordOf(0));
    let turns = 0;
    let writing = true;
    const count = () => {
      turns++;
      if (writing) setImmediate(count);
    };
    setImmediate(count);
    const key = await store.put(recordOf(1));
    writing = false;
    expect(turns).toBeGreaterThan(0);
    expect(await store.has(key)).toBe(true);
    await store.close();
  });

  it.each([
    [
      'index',
      { sizeBytes: 'many', storedAt: 1, usedAt: 1, expiresAt: null },
      /index, [0-9a-f]{64}: sizeBytes: expected a number/,
    ],
    ['index', [1], /index, [0-9a-f]{64}: expected an object/],
    ['totals', null, /totals, sizeBytes: expected a number/],
  ] as const)('refuses a table %s of another form by its name', async (name, value, message) => {
    const directory = path.join(folder, `form ${String(message).length}`);
    const store = await openStore(directory);
    const key = await store.put(recordOf(1));
    await store.close();
    const root = open({ path: directory, noSubdir: false, maxDbs: 12, encoding: 'binary' });
    await root.openDB({ name, encoding: 'json' }).put(name === 'index' ? key : 'sizeBytes', value);
    await root.close();
    const again = await openStore(directory);
    const refused = { code: 'STORE_DAMAGED', message: expect.stringMatching(message) };
    await expect(name === 'index' ? again.has(key) : again.stats()).rejects.toMatchObject(refused);
    // Also where it is written, in another thread.
    await expect(again.put(recordOf(1))).rejects.toMatchObject(refused);
    await again.close();
  });

  it('is read by several processes while one writes', async () => {
    const directory = path.join(folder, 'shared');
    const writer = startWriter(directory, 0);
    await writer.started;
    const stores = await Promise.all([openStore(directory), openStore(directory)]);
    const read = async (at: number) => {
      // Until the writer has been seen at work, however long that takes on a machine with other work.
      for (const seen = new Set<number>(); seen.size < 4; ) {
        const found = await stores[at]!.getDocument('ad 0', 'bare');
        const version = Number(found?.metadata.version);
        expect(found?.record.tokenIds).toEqual(recordOf(version, SHAPE).tokenIds);
        seen.add(version);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    await Promise.all([read(0), read(1)]);
    await writer.kill();
    await Promise.all(stores.map((store) => store.close()));
  });

  it(`with one of ${FLIPS} bits of its file flipped answers nothing wrong, and is mended or refused`, async () => {
    const flips = path.resolve(import.meta.dirname, '../support/flip-child.ts');
    const rounds: Flip[] = [];
    let [from, ended] = [0, 0];
    while (from < FLIPS) {
      const args = ['--import', 'tsx', flips, path.join(folder, 'flipped'), String(from), String(FLIPS)];
      const { signal, status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (!signal) expect(status).toBe(0);
      const lines = jsonLines(stdout) as unknown as Flip[];
      rounds.push(...lines);
      // LMDB ends the process over some damage to its own pages, which nothing in the process can prevent.
      if (signal) ended++;
      from += lines.length + (signal ? 1 : 0);
    }
    expect(rounds.length + ended).toBe(FLIPS);
    expect(ended).toBeLessThanOrEqual(FLIPS * 0.05);
    for (const { first, mended, failed } of rounds) {
      expect([first.wrong, mended.wrong]).toEqual([0, 0]);
      if (failed === null) expect(mended.right).toBe(20);
      else expect(failed).toBe('STORE_DAMAGED');
    }
    expect(rounds.filter(({ first }) => first.right < 20).length).toBeGreaterThan(0);
    expect(rounds.filter(({ failed }) => failed === null).length).toBeGreaterThan(FLIPS * 0.9);
  });

  it('says so when the disk is full, and keeps what it has', async (context) => {
    const mounted = path.join(folder, 'full');
    const ended = runOnSmallDisk(mounted, [...ARGUMENTS, 'fill', mounted]);
    if (!ended) return context.skip('no file system can be mounted here');
    expect(ended.stderr).toBe('');
    const result = JSON.parse(ended.stdout) as {
      codes: string[];
      stored: number;
      records: number;
      damaged: number;
      after: number;
    };
    expect(result.codes).toEqual(['DISK_FULL', 'DISK_FULL', 'DISK_FULL']);
    expect(result.stored).toBeGreaterThan(10);
    expect(result).toMatchObject({ records: result.stored, damaged: 0, after: result.stored });
  });

  it('refuses a folder with other files', async () => {
    const directory = await mkdtemp(path.join(folder, 'other-'));
    await writeFile(path.join(directory, 'notes.txt'), 'mine');
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await readdir(directory)).toEqual(['notes.txt']);
  });
});
