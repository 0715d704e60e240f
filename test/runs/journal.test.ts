import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync, crc32 as nodeCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { JournalWriter, readJournal as read, recoverJournal as recover } from '../../src/runs/journal.js';
import { compressLines } from '../../src/runs/packed.js';
import { type Entry, isTrial } from '../../src/runs/schema/entry.js';
import { sealedFile, sealedLine, unseal } from '../../src/runs/schema/sealed.js';
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

  it('is refused beside one that is not compressed', async () => {
    const { file } = await packed();
    await writeFile(file, text);
    for (const read of [readJournal, recoverJournal, compressLines, openJournal]) {
      await expect(read(file)).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(/trials\.jsonl stands beside .*trials\.jsonl\.gz, .* remove the one/),
      });
    }
    await rm(file);
    expect(await readJournal(file)).toEqual(entries);
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
    const torn = await packed(text.slice(0, -4));
    await expect(recoverJournal(torn.file)).rejects.toThrow(/trials\.jsonl\.gz: its last line, 3, is torn/);
  });
});
