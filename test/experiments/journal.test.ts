import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Entry, isTrial, JournalWriter, readJournal } from '../../src/experiments/journal.js';
import { temporaryFolder } from '../support/fixtures.js';

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

describe('journal', () => {
  it('is empty where there is none', async () => {
    expect(await readJournal(path.join(await temporaryFolder(), 'trials.jsonl'))).toEqual([]);
  });

  it('gives back what was appended, across openings', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const entries: Entry[] = [trial('a'), { sample: 'b', rejected: 'no answer' }, trial('ü \n " c')];
    for (const part of [entries.slice(0, 2), [], entries.slice(2)]) {
      const journal = await JournalWriter.open(file);
      await journal.append(part);
      await journal.close();
    }
    expect(await readJournal(file)).toEqual(entries);
    expect(entries.map(isTrial)).toEqual([true, false, true]);
  });

  it('drops a torn last line, at whatever byte it was torn, and can be appended to again', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    const whole = `${JSON.stringify(trial('ä'))}\n`;
    const torn = `${JSON.stringify(trial('ö'))}\n`;
    for (let length = 1; length < Buffer.byteLength(torn); length += 7) {
      await writeFile(file, whole);
      await appendFile(file, Buffer.from(torn).subarray(0, length));
      expect(await readJournal(file)).toEqual([trial('ä')]);
      expect(await readFile(file, 'utf8')).toBe(whole);
    }
    const journal = await JournalWriter.open(file);
    await journal.append([trial('c')]);
    await journal.close();
    expect(await readJournal(file)).toEqual([trial('ä'), trial('c')]);
  });

  it('names a whole line that is damaged', async () => {
    const file = path.join(await temporaryFolder(), 'trials.jsonl');
    await writeFile(file, `${JSON.stringify(trial('a'))}\n{"sample":"b"}\n`);
    await expect(readJournal(file)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringContaining('line 2'),
    });
  });
});
