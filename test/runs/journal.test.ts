import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync, crc32 as nodeCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { JournalWriter, packJournal, readJournal as read, recoverJournal as recover } from '../../src/runs/journal.js';
import { packTrials } from '../../src/runs/pack-trials.js';
import { compressLines } from '../../src/runs/packed.js';
import { type Entry, isTrial } from '../../src/runs/schema/entry.js';
import { afterHead, headLine } from '../../src/runs/schema/journal-head.js';
import { sealedFile, sealedLine, sealedLineAfter, unseal } from '../../src/runs/schema/sealed.js';
import { temporaryFolder } from '../support/fixtures.js';
import { OWNER } from '../support/journal.js';

const trial = (sample: string): Entry => ({
  sample,
  condition: 'bare',
  nll: 1.5,
  nll_sum: 3,
  num_tokens: 2,
  token_nlls: [1, 2],
  prefix_tokens: 0,
  document_tokens: 10,
  cut: false,
});

const openJournal = (file: string) => JournalWriter.open(file, OWNER);
const readJournal = async (file: string) => (await read(file, OWNER))?.entries;
const recoverJournal = async (file: string) => (await recover(file, OWNER)).entries;

describe('journal', () => {
  it('is empty where there is none', async () => {
    expect(await recoverJournal(path.join(await temporaryFolder(), 'trials.jsonl'))).toEqual([]);
    expect(await readJournal(path.join(await temporaryFolder(), 'trials.jsonl'))).toBeUndefined();
  });

  it('gives back what was appended, across openings', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const entries: Entry[] = [trial('a'), { sample: 'b', rejected: 'no answer' }, trial('ü \n " c')];
    for (const part of [entries.slice(0, 2), [], entries.slice(2)]) {
      const journal = await openJournal(file);
      await journal.append(part);
      await journal.close();
    }
    expect(await readJournal(file)).toEqual(entries);
    expect(entries.map(isTrial)).toEqual([true, false, true]);
  });

  it('drops a torn last line, at whatever byte it was torn, and can be appended to again', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const whole = sealedLine(trial('ä'));
    const torn = sealedLine(trial('ö'));
    for (let length = 1; length < Buffer.byteLength(torn); length += 7) {
      await writeFile(file, whole);
      await appendFile(file, Buffer.from(torn).subarray(0, length));
      // A finished run has no torn line: something happened to the file.
      await expect(readJournal(file)).rejects.toMatchObject({ code: 'RUN_DAMAGED', message: /line, 2, is torn/ });
      expect(await recoverJournal(file)).toEqual([trial('ä')]);
      expect(await readFile(file, 'utf8')).toBe(whole);
    }
    const journal = await openJournal(file);
    await journal.append([trial('c')]);
    await journal.close();
    expect(await readJournal(file)).toEqual([trial('ä'), trial('c')]);
  });

  it('names the lines that are damaged, all of them, and cuts nothing off', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const text = `${sealedLine(trial('a'))}{"sample":"b"}\n${sealedLine(trial('c'))}no JSON\n{"torn`;
    await writeFile(file, text);
    await expect(recoverJournal(file)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(/trials\.jsonl, lines 2, 4: .*Remove what is damaged.*--resume/),
    });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('reads what was written before there were checksums, and goes on with them', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const old = [trial('a'), trial('b')].map((entry) => `${JSON.stringify(entry)}\n`);
    await writeFile(file, old.join(''));
    expect(await recoverJournal(file)).toEqual([trial('a'), trial('b')]);
    const journal = await openJournal(file);
    await journal.append([trial('c')]);
    await journal.close();
    expect(await readJournal(file)).toEqual([trial('a'), trial('b'), trial('c')]);
    await appendFile(file, `${JSON.stringify(trial('d'))}\n`);
    await expect(readJournal(file)).rejects.toThrow('line 5: not what was written (line 5: no checksum');
  });

  it('of an older run says which run it is of once it is written to, compressed or not', async () => {
    for (const isPacked of [false, true]) {
      const file = path.join(await temporaryFolder(), 'trials.jsonl');
      const old = [trial('a'), trial('b')].map(sealedLine).join('');
      await writeFile(isPacked ? `${file}.gz` : file, isPacked ? gzipSync(old) : old);
      expect(await readJournal(file)).toEqual([trial('a'), trial('b')]);
      const journal = await openJournal(file);
      await journal.append([trial('c')]);
      await journal.close();
      const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/);
      const before = Number.parseInt(/"crc32":"(.{8})"/.exec(lines[0]!)![1]!, 16);
      expect(lines[0]).toBe(sealedLine(OWNER.head));
      // As zlib.crc32(line, before) has it in Python.
      for (const line of lines.slice(1)) {
        const body = line.slice(0, line.lastIndexOf(',"crc32"'));
        expect(line).toContain(`"crc32":"${nodeCrc32(body, before).toString(16).padStart(8, '0')}"`);
      }
      expect(await readJournal(file)).toEqual([trial('a'), trial('b'), trial('c')]);
    }
  });

  it.each([
    [{ nll: 1.25 }, /num_tokens, nll and nll_sum are not those of token_nlls/],
    [{ nll_sum: 3.0000000000000004 }, /are not those/],
    [{ token_nlls: [1, 2, 0] }, /are not those/],
    [{ num_tokens: 3 }, /are not those/],
    [{ token_nlls: [1.00000000001, 2] }, /1.00000000001 of token_nlls is no float32 number/],
    [{ token_nlls: [1, null] }, /not an entry/],
    [{ cut: 'no' }, /not an entry/],
    [{ prefix_tokeos: 1 }, /not an entry/],
  ])('refuses an old line with %j', async (change, message) => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    await writeFile(file, `${JSON.stringify({ ...trial('a'), ...change })}\n`);
    await expect(readJournal(file)).rejects.toMatchObject({ code: 'RUN_DAMAGED', message });
  });

  it('refuses two results of one trial, and takes the same one twice', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    await writeFile(file, [trial('a'), trial('b'), trial('a')].map(sealedLine).join(''));
    expect(await readJournal(file)).toHaveLength(3);
    const other: Entry = { ...trial('b'), token_nlls: [2, 1] } as Entry;
    await appendFile(file, sealedLine(other));
    await expect(readJournal(file)).rejects.toThrow('lines 2, 4: two different results of ["b","bare"]');
  });

  it('takes no flipped bit for another result, anywhere', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const random = new Random('flips');
    const entries = Array.from({ length: 12 }, (_, i): Entry => {
      const token_nlls = [random.below(1000) / 64, random.below(1000) / 64, 0.5];
      const nll_sum = token_nlls.reduce((a, b) => a + b);
      return { ...trial(`prøve ${i}`), token_nlls, num_tokens: 3, nll_sum, nll: nll_sum / 3 } as Entry;
    });
    entries.push({ sample: 'Jörg’s', rejected: 'no “answer”' });
    const bytes = Buffer.from(entries.map(sealedLine).join(''));
    for (let flip = 0; flip < 300; flip++) {
      const damaged = Buffer.from(bytes);
      const at = random.below(bytes.length);
      damaged[at]! ^= 1 << random.below(8);
      await writeFile(file, damaged);
      await expect(readJournal(file), `byte ${at}`).rejects.toMatchObject({ code: 'RUN_DAMAGED' });
      // Without its line break the last line is torn, and what it held is computed again.
      if (at === bytes.length - 1) expect(await recoverJournal(file)).toEqual(entries.slice(0, -1));
      else await expect(recoverJournal(file), `byte ${at}`).rejects.toMatchObject({ code: 'RUN_DAMAGED' });
    }
  });
});

describe('a checksum', () => {
  const value = { format: 2, name: 'Zoë', numbers: [1, 2.5], nested: { crc32: 'not this one' } };

  it('is the CRC-32 of the bytes before it', () => {
    // python: zlib.crc32(b'{"a":1') and zlib.crc32(b'{\n  "a": 1')
    expect(sealedLine({ a: 1 })).toBe('{"a":1,"crc32":"a702fc6e"}\n');
    expect(sealedFile({ a: 1 })).toBe('{\n  "a": 1,\n  "crc32": "476d1ee6"\n}\n');
  });

  it.each([sealedLine, sealedFile])('holds every bit of %o', (seal) => {
    const bytes = Buffer.from(seal(value));
    expect(unseal(bytes)).toEqual({ value, sealed: true });
    expect(unseal(Buffer.from(JSON.stringify(value)))).toEqual({ value, sealed: false });
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      let found: ReturnType<typeof unseal> | undefined;
      try {
        found = unseal(damaged);
      } catch {
        continue;
      }
      // A flip in the name of the checksum alone leaves the rest as it was, under a name that nothing knows.
      const rest = Object.entries(found.value as object).filter(([name]) => name in value);
      expect([Object.fromEntries(rest), found.sealed], `bit ${bit}`).toEqual([value, false]);
    }
  });
});

describe('a compressed journal', () => {
  const text = ['a', 'ü', 'c'].map((sample) => sealedLine(trial(sample))).join('');
  const entries = [trial('a'), trial('ü'), trial('c')];

  async function packed(content: Uint8Array | string = text) {
    const directory = await temporaryFolder();
    const file = path.join(directory, 'trials.jsonl');
    await writeFile(`${file}.gz`, typeof content === 'string' ? gzipSync(content) : content);
    return { directory, file };
  }

  it('is made of the other, read in its place, and unpacked where something is appended', async () => {
    const directory = await temporaryFolder();
    const file = path.join(directory, 'trials.jsonl');
    await compressLines(file);
    expect(await readdir(directory)).toEqual([]);
    await writeFile(file, text);
    for (let time = 0; time < 2; time++) {
      await compressLines(file);
      expect(await readdir(directory)).toEqual(['trials.jsonl.gz']);
      expect(gunzipSync(await readFile(`${file}.gz`)).toString()).toBe(text);
      expect(await readJournal(file)).toEqual(entries);
      expect(await recoverJournal(file)).toEqual(entries);
    }
    const journal = await openJournal(file);
    await journal.append([trial('d')]);
    await journal.close();
    expect(await readdir(directory)).toEqual(['trials.jsonl']);
    expect(await readJournal(file)).toEqual([...entries, trial('d')]);
  });

  it('may have been put together from several', async () => {
    const { file } = await packed(Buffer.concat([gzipSync(text), gzipSync(sealedLine(trial('d')))]));
    expect(await readJournal(file)).toEqual([...entries, trial('d')]);
  });

  it('beside one that is not compressed is read where it says the same, or more, and the other goes once it is written to', async () => {
    const forms = [gzipSync(text), gzipSync(packTrials(undefined, entries)), gzipSync(packTrials(OWNER.head, entries))];
    const bound = headLine(OWNER.head) + entries.map((one) => sealedLineAfter(afterHead(OWNER.head), one)).join('');
    for (const form of forms) {
      for (const beside of [text, bound, text.slice(0, -30), sealedLine(trial('a')), '']) {
        const { directory, file } = await packed(form);
        await writeFile(file, beside);
        expect(await readJournal(file)).toEqual(entries);
        expect((await readdir(directory)).sort()).toEqual(['trials.jsonl', 'trials.jsonl.gz']);
        const notices: string[] = [];
        const recovered = await recover(file, OWNER, (notice) => notices.push(notice));
        expect(recovered).toMatchObject({ file: `${file}.gz`, entries });
        expect(notices).toEqual([`${file} is removed: all that it held is in ${file}.gz.`]);
        expect(await readdir(directory)).toEqual(['trials.jsonl.gz']);
      }
      for (const close of [packJournal, async (one: string) => (await openJournal(one)).close()]) {
        const { directory, file } = await packed(form);
        await writeFile(file, text);
        await close(file);
        expect(await readdir(directory)).toHaveLength(1);
        expect(await readJournal(file)).toEqual(entries);
      }
    }
    const { directory, file } = await packed();
    await writeFile(file, text + sealedLine(trial('d')));
    expect(await recoverJournal(file)).toEqual([...entries, trial('d')]);
    expect(await readdir(directory)).toEqual(['trials.jsonl']);
  });

  it('is refused beside one that says something else, until one of them is moved away', async () => {
    for (const form of [gzipSync(text), gzipSync(packTrials(OWNER.head, entries))]) {
      const { directory, file } = await packed(form);
      const other = [trial('a'), trial('d')].map(sealedLine).join('');
      await writeFile(file, other);
      for (const read of [readJournal, recoverJournal, packJournal, openJournal]) {
        await expect(read(file)).rejects.toMatchObject({
          code: 'RUN_DAMAGED',
          message: expect.stringMatching(
            /trials\.jsonl \(2 entries\) and .*trials\.jsonl\.gz \(3\) .* from entry 2 on, .* Move one out of the folder/,
          ),
        });
      }
      expect((await readdir(directory)).sort()).toEqual(['trials.jsonl', 'trials.jsonl.gz']);
      await rm(file);
      expect(await readJournal(file)).toEqual(entries);
      await writeFile(file, other);
      await rm(`${file}.gz`);
      expect(await readJournal(file)).toEqual([trial('a'), trial('d')]);
    }
  });

  it('is named where it is damaged beside another that is not, and the other way round', async () => {
    const damagedText = text.replace('"sample":"a"', '"sample":"b"');
    for (const [plain, compressed, damaged] of [
      [text, gzipSync(text).subarray(0, -3), 'trials.jsonl.gz'],
      [text, gzipSync(packTrials(OWNER.head, entries).replace('"sample":"a"', '"sample":"b"')), 'trials.jsonl.gz'],
      [damagedText, gzipSync(text), 'trials.jsonl'],
    ] as const) {
      const { directory, file } = await packed(compressed);
      await writeFile(file, plain);
      const place = path.join(directory, damaged);
      for (const read of [readJournal, recoverJournal]) {
        await expect(read(file)).rejects.toMatchObject({
          code: 'RUN_DAMAGED',
          message: expect.stringMatching(`^${place} is not what was written, .* Move ${place} out of the folder`),
        });
      }
      await rm(place);
      expect(await recoverJournal(file)).toEqual(entries);
    }
    const { file } = await packed(gzipSync(damagedText));
    await writeFile(file, damagedText);
    await expect(recoverJournal(file)).rejects.toThrow(/trials\.jsonl, line 1: not what was written/);
  });

  it('of lines that was torn before it was compressed is cut to its whole ones when the run goes on, as the message says', async () => {
    for (const head of ['', headLine(OWNER.head)]) {
      const before = head === '' ? 0 : afterHead(OWNER.head);
      const whole = head + entries.map((entry) => sealedLineAfter(before, entry)).join('');
      const { directory, file } = await packed(whole.slice(0, -4));
      await expect(readJournal(file)).rejects.toThrow(
        /trials\.jsonl\.gz: its last line, [34], is torn\. Go on with the run/,
      );
      expect(await recoverJournal(file)).toEqual(entries.slice(0, 2));
      expect(await readdir(directory)).toEqual(['trials.jsonl.gz']);
      const journal = await openJournal(file);
      await journal.append(entries.slice(2));
      await journal.close();
      expect(await readJournal(file)).toEqual(entries);
    }
  });

  it('that is compressed once too often is no torn line, and its advice helps', async () => {
    const { file } = await packed(gzipSync(gzipSync(text)));
    await expect(recoverJournal(file)).rejects.toThrow(/trials\.jsonl\.gz is compressed by gzip\. .*unpack it once/);
    await rename(`${file}.gz`, file);
    await writeFile(file, gunzipSync(await readFile(file)));
    await expect(recoverJournal(file)).rejects.toThrow(/give it the name .*trials\.jsonl\.gz\./);
    await rename(file, `${file}.gz`);
    expect(await recoverJournal(file)).toEqual(entries);
  });

  it('that is packed says that nothing of it stays: every flipped bit costs all of it', async () => {
    const whole = gzipSync(packTrials(OWNER.head, entries));
    for (let at = 20; at < whole.length; at += 11) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 4;
      const { file } = await packed(bytes);
      const message = await recoverJournal(file).then(
        () => undefined,
        (error: Error) => error.message,
      );
      expect(message, `byte ${at}`).toMatch(/Bring it back from a copy, or remove it and go on .* made again\.$/);
      await rm(`${file}.gz`);
      expect(await recoverJournal(file)).toEqual([]);
    }
  });

  it('that is damaged is refused by name, wherever it is', async () => {
    const whole = gzipSync(text);
    const cases = [Buffer.alloc(0), Buffer.from(text), Buffer.concat([whole, Buffer.from('more')])];
    for (let length = 1; length < whole.length; length += 9) cases.push(whole.subarray(0, length));
    for (const bytes of cases) {
      const { file } = await packed(bytes);
      for (const read of [readJournal, recoverJournal]) {
        await expect(read(file)).rejects.toMatchObject({
          code: 'RUN_DAMAGED',
          message: expect.stringMatching(/trials\.jsonl\.gz: not what gzip wrote .*from a copy.*--resume/),
        });
      }
    }
    const { file } = await packed(text.replace('"sample":"ü"', '"sample":"o"'));
    await expect(recoverJournal(file)).rejects.toThrow(/trials\.jsonl\.gz, line 2: .*Unpack it \(gunzip\)/);
  });
});
