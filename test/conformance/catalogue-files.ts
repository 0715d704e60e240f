/** What the files of a catalogue must do wherever they are. Each implementation's test runs all of it; what one cannot do is named, with why. */
import { afterEach, describe, expect, it } from 'vitest';
import { inParallel } from '../../src/base/parallel.js';
import { Random } from '../../src/base/random.js';
import type { CatalogueFiles, ListedFile } from '../../src/store/generations/files.js';

export interface FilesUnderTest {
  /** Views of the same files, as of two processes. */
  readonly files: CatalogueFiles;
  readonly others: CatalogueFiles;
}

export interface FilesSuite {
  /** Opens files where there are none yet. */
  open(): Promise<FilesUnderTest>;
  /** How often a writer is stopped. */
  readonly attempts: number;
  /**
   * Begins to put these bytes and is ended in the middle, at a moment that is another one for each attempt, as a process is that is killed. It returns
   * when nothing of it is under way any more.
   */
  putAndBreak(files: CatalogueFiles, name: string, bytes: Uint8Array, attempt: number): Promise<void>;
  /** A number of files that a listing has more than one page of. */
  readonly pageEntries: number;
}

const WRITERS = 20;
const random = new Random('files of a catalogue');

async function all(items: AsyncIterable<ListedFile>): Promise<ListedFile[]> {
  const list: ListedFile[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export function describeFiles(name: string, suite: FilesSuite): void {
  describe(`files of a catalogue: ${name}`, () => {
    const opened: CatalogueFiles[] = [];
    const openTest = async () => {
      const under = await suite.open();
      opened.push(under.files, under.others);
      return under;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((files) => files.close()));
    });
    const textOf = async (files: CatalogueFiles, file: string) => (await files.read(file))?.bytes.toString();

    it('gives back what was put, whole and by ranges', async () => {
      const { files, others } = await openTest();
      const bytes = Buffer.from(Array.from({ length: 70_000 }, () => random.below(256)));
      for (const [file, content] of [
        ['shards/large.dkv', bytes],
        ['shards/empty.dkv', Buffer.alloc(0)],
      ] as const) {
        await files.put(file, content);
        expect((await others.read(file))!.bytes.equals(content)).toBe(true);
        for (const [start, length] of [
          [0, 1],
          [0, 70_000],
          [0, 70_001],
          [1, 69_999],
          [1, 70_000],
          [69_999, 1],
          [69_999, 5],
          [70_000, 1],
          [70_001, 9],
          [1_000_000, 9],
          [33_333, 4096],
          [5, 0],
          [80_000, 0],
        ] as const) {
          const found = await others.readRange(file, start, length);
          expect(found!.equals(content.subarray(start, start + length)), `${file} ${start} + ${length}`).toBe(true);
        }
      }
      await files.put('shards/large.dkv', Buffer.from('other'));
      expect(await textOf(others, 'shards/large.dkv')).toBe('other');
    });

    it('has a file of several megabytes', async () => {
      const { files, others } = await openTest();
      const bytes = Buffer.alloc(9 * 2 ** 20 + 1);
      for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32LE(at, at);
      await files.put('shards/large.dkv', bytes);
      expect((await others.read('shards/large.dkv'))!.bytes.equals(bytes)).toBe(true);
      const found = await others.readRange('shards/large.dkv', 5_000_000, 4_200_000);
      expect(found!.equals(bytes.subarray(5_000_000, 9_200_000))).toBe(true);
    });

    it('misses what it does not have', async () => {
      const { files } = await openTest();
      expect(await files.read('aliases/live.json')).toBeUndefined();
      expect(await files.readRange('shards/none.dkv', 0, 10)).toBeUndefined();
      expect(await files.readRange('shards/none.dkv', 0, 0)).toBeUndefined();
      expect(await all(files.list('shards/'))).toEqual([]);
      expect(await files.replace('aliases/live.json', Buffer.from('new'), '"0123"')).toBe(false);
      expect(await files.read('aliases/live.json')).toBeUndefined();
      await files.remove('aliases/live.json');
    });

    it('creates what is not there, and leaves what is', async () => {
      const { files, others } = await openTest();
      expect(await files.create('takedowns/1.json', Buffer.from('one'))).toBe(true);
      for (const text of ['two', 'one', '']) {
        expect(await others.create('takedowns/1.json', Buffer.from(text))).toBe(false);
        expect(await files.create('takedowns/1.json', Buffer.from(text))).toBe(false);
      }
      expect(await textOf(files, 'takedowns/1.json')).toBe('one');
      await others.remove('takedowns/1.json');
      await others.remove('takedowns/1.json');
      expect(await textOf(files, 'takedowns/1.json')).toBeUndefined();
      expect(await files.create('takedowns/1.json', Buffer.from('again'))).toBe(true);
      expect(await textOf(others, 'takedowns/1.json')).toBe('again');
    });

    it('replaces the version that was read, and no other', async () => {
      const { files, others } = await openTest();
      await files.create('aliases/live.json', Buffer.from('1'));
      const first = (await files.read('aliases/live.json'))!;
      expect((await others.read('aliases/live.json'))!.version).toBe(first.version);
      expect(await files.replace('aliases/live.json', Buffer.from('2'), first.version)).toBe(true);
      expect(await others.replace('aliases/live.json', Buffer.from('3'), first.version)).toBe(false);
      expect(await files.replace('aliases/live.json', Buffer.from('2'), first.version)).toBe(false);
      expect(await textOf(others, 'aliases/live.json')).toBe('2');
      const second = (await others.read('aliases/live.json'))!;
      expect(second.version).not.toBe(first.version);
      await files.put('aliases/live.json', Buffer.from('4'));
      expect(await others.replace('aliases/live.json', Buffer.from('5'), second.version)).toBe(false);
      const third = (await files.read('aliases/live.json'))!;
      await files.remove('aliases/live.json');
      expect(await others.replace('aliases/live.json', Buffer.from('6'), third.version)).toBe(false);
      expect(await textOf(files, 'aliases/live.json')).toBeUndefined();
    });

    it.each([
      ['bytes of their own', (writer: number) => `by ${writer}`],
      ['the same bytes', () => 'by anyone'],
    ])('has one winner among 20 that create a file at once, with %s', async (_, textBy) => {
      const { files, others } = await openTest();
      for (let round = 0; round < 5; round++) {
        const file = `takedowns/${round}.json`;
        const won = await Promise.all(
          Array.from({ length: WRITERS }, (_, writer) =>
            (writer % 2 ? files : others).create(file, Buffer.from(textBy(writer))),
          ),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await textOf(files, file)).toBe(textBy(won.indexOf(true)));
      }
    });

    it('loses no update of 20 that replace a file at once, many of them with the same bytes', async () => {
      const { files, others } = await openTest();
      const file = 'aliases/live.json';
      await files.create(file, Buffer.from('0'));
      let tries = 0;
      const count = async (view: CatalogueFiles) => {
        for (;;) {
          tries++;
          const { bytes, version } = (await view.read(file))!;
          if (await view.replace(file, Buffer.from(String(Number(bytes) + 1)), version)) return;
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => count(writer % 2 ? files : others)));
      expect(await textOf(files, file)).toBe(String(WRITERS));
      expect(tries).toBeGreaterThan(WRITERS);
    });

    it('lists folders in the order of their names, beyond a page', async () => {
      const { files, others } = await openTest();
      const digits = String(suite.pageEntries).length;
      const names = Array.from({ length: suite.pageEntries + 5 }, (_, at) => `${String(at).padStart(digits, '0')}.dkv`);
      await inParallel([...names].reverse(), 16, (file) => files.put(`shards/${file}`, Buffer.from(file)));
      await files.put('shards2/other.dkv', Buffer.from('other'));
      await files.put('leases/a/2.json', Buffer.from('22'));
      await files.put('leases/a.b/1.json', Buffer.from('1'));
      await files.put('leases/a-b/3.json', Buffer.from('333'));
      const listed = await all(others.list('shards/'));
      expect(listed.map((of) => of.name)).toEqual(names);
      const now = Date.now();
      for (const { sizeBytes, storedAt } of listed) {
        expect(sizeBytes).toBe(digits + 4);
        expect(Math.abs(storedAt - now)).toBeLessThan(120_000);
      }
      const leases = await all(others.list('leases/'));
      expect(leases.map((of) => [of.name, of.sizeBytes])).toEqual([
        ['a-b/3.json', 3],
        ['a.b/1.json', 1],
        ['a/2.json', 2],
      ]);
      expect((await all(others.list('leases/a/'))).map((of) => of.name)).toEqual(['2.json']);
    });

    it('lists what others write and remove meanwhile, and names nothing twice', async () => {
      const { files, others } = await openTest();
      const kept = Array.from({ length: 30 }, (_, at) => `${at + 10}.dkv`);
      await inParallel(kept, 16, (file) => files.put(`shards/${file}`, Buffer.from(file)));
      const listing = all(others.list('shards/'));
      for (let at = 0; at < 10; at++) {
        await files.put(`shards/a${at}.dkv`, Buffer.from('new'));
        await files.remove(`shards/a${at}.dkv`);
      }
      const seen = (await listing).map((of) => of.name);
      expect(seen.filter((file) => !file.startsWith('a'))).toEqual(kept);
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('has the old bytes or the new ones wherever a writer is stopped', async () => {
      const { files, others } = await openTest();
      const [old, fresh] = [Buffer.from('old '.repeat(50_000)), Buffer.from('new '.repeat(50_000))];
      const seen = { none: 0, old: 0, fresh: 0 };
      for (let attempt = 0; attempt < suite.attempts; attempt++) {
        const file = `aliases/${attempt}.json`;
        if (attempt % 2) await others.put(file, old);
        await suite.putAndBreak(files, file, fresh, attempt);
        const found = (await others.read(file))?.bytes;
        if (found === undefined) seen.none++;
        else if (found.equals(old)) seen.old++;
        else if (found.equals(fresh)) seen.fresh++;
        else expect.fail(`${file} holds ${found.length} bytes of neither`);
        if (!found) expect(attempt % 2).toBe(0);
        const listed = (await all(others.list('aliases/'))).filter((of) => of.name === `${attempt}.json`);
        expect(listed).toHaveLength(found ? 1 : 0);
      }
      expect(seen.none + seen.old).toBeGreaterThan(0);
      const listed = await all(files.list('aliases/'));
      await others.tidy(Date.now() + 60_000);
      expect(await all(files.list('aliases/'))).toEqual(listed);
    });

    it('shows readers whole files while they are replaced', async () => {
      const { files, others } = await openTest();
      const file = 'aliases/live.json';
      const textOfRound = (round: number) => `${round} `.repeat(20_000);
      await files.put(file, Buffer.from(textOfRound(0)));
      let isDone = false;
      const reader = async () => {
        while (!isDone) {
          const text = (await textOf(others, file))!;
          expect(text).toBe(textOfRound(Number.parseInt(text, 10)));
        }
      };
      const reading = reader();
      for (let round = 1; round <= 20; round++) await files.put(file, Buffer.from(textOfRound(round)));
      isDone = true;
      await reading;
    });

    it('stops reading a range when it is told to', async () => {
      const { files } = await openTest();
      await files.put('shards/a.dkv', Buffer.from('abc'));
      const cancelled = { code: 'CANCELLED' };
      await expect(files.readRange('shards/a.dkv', 0, 1, AbortSignal.abort())).rejects.toMatchObject(cancelled);
      const warnings: string[] = [];
      const onWarning = (warning: Error) => warnings.push(warning.message);
      process.on('warning', onWarning);
      const controller = new AbortController();
      const many = Array.from({ length: 100 }, () => files.readRange('shards/a.dkv', 0, 2, controller.signal));
      await many[0];
      controller.abort();
      for (const end of await Promise.allSettled(many)) {
        if (end.status === 'rejected') expect(end.reason).toMatchObject(cancelled);
        else expect(end.value!.toString()).toBe('ab');
      }
      expect((await files.readRange('shards/a.dkv', 1, 2))!.toString()).toBe('bc');
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    });
  });
}
