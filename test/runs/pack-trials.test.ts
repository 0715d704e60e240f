import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/base/crc32.js';
import { shortestFloat32 } from '../../src/base/float32.js';
import { Random } from '../../src/base/random.js';
import { JournalWriter, packJournal, readJournal, recoverJournal } from '../../src/runs/journal.js';
import { packTrials } from '../../src/runs/pack-trials.js';
import { digitsOf, MOST, numbersOf } from '../../src/runs/schema/digits.js';
import { type Entry, entrySchema, sumOf, type Trial } from '../../src/runs/schema/entry.js';
import { unpackTrials } from '../../src/runs/schema/packed-trials.js';
import { sealedLineAfter } from '../../src/runs/schema/sealed.js';
import { parseTrials } from '../../src/runs/schema/trials.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';
import { temporaryFolder } from '../support/fixtures.js';
import { OWNER } from '../support/journal.js';

function trial(sample: string, condition: string, tokenNlls: readonly number[], fields: Partial<Trial> = {}): Trial {
  const sum = sumOf(tokenNlls);
  return {
    sample,
    condition,
    nll: sum / tokenNlls.length,
    nll_sum: sum,
    num_tokens: tokenNlls.length,
    token_nlls: [...tokenNlls],
    cut: false,
    ...fields,
  };
}

const tempered = (nlls: readonly number[]) =>
  nlls.map((nll) =>
    INVERSE_TEMPERATURES.map((beta, at) => (at === AT_ONE ? nll : shortestFloat32(Math.fround(nll * beta)))),
  );

// With their fields in the order that a journal has them in when it is read.
const OF_EVERY_KIND: readonly Entry[] = [
  trial('a', 'bare', [1.5, 0.25], { prefix_tokens: 0 }),
  trial('a', 'oracle', [1.25, -0.5], {
    prefix_tokens: 3,
    prefix: 'a "text"\n',
    leak: true,
    also_prefixes: [null, 'ü'],
  }),
  trial('a', 'other', [0, 2], { prefix: '', wrong_nlls: [1 / 3, 0.1] }),
  { sample: 'b', rejected: 'the answer is empty' },
  // Another order, fewer conditions, another number of tokens, the same sample again.
  trial('c', 'other', [7, 6, 5]),
  trial('c', 'bare', [3, 2, 1]),
  trial('c', 'oracle', [2.5]),
  trial('a', 'bare', [1.5, 0.25], { prefix_tokens: 0 }),
  trial('d', 'bare', [0.75, 4], { tempered_nlls: tempered([0.75, 4]) }),
  trial('d', 'oracle', [0.5, 3], { tempered_nlls: tempered([0.5, 3]) }),
  trial('d', 'other', [0.5, 3], {
    said: { text: 'yes', tokens: 1, ended: true, contains: true, equals: false, f1: 2 / 3 },
  }),
  { sample: 'e', condition: 'bare', layers: [{ layer: 0, measures: { entropy: 0.1 + 0.2 } }] },
  { sample: 'e', condition: 'oracle', layers: [{ layer: 0, measures: { shift: 1e-13 } }], prefix: 'x' },
].map((entry) => entrySchema.parse(entry));

/** Lines with an end that says their checksum. */
function sealedText(lines: readonly unknown[], end: object): string {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return body + sealedLineAfter(crc32(new TextEncoder().encode(body)), end);
}

describe('packed trials', () => {
  it('are the journal’s entries, in its order, whatever they hold', () => {
    for (const head of [undefined, OWNER.head]) {
      expect(parseTrials(packTrials(head, OF_EVERY_KIND))).toEqual(OF_EVERY_KIND);
      expect(parseTrials(packTrials(head, []))).toEqual([]);
    }
  });

  it('are counted from near conditions in the largest unit that holds them all', () => {
    const entries = ['a', 'b'].flatMap((sample) => [
      trial(sample, 'bare', [8, 4.25]),
      trial(sample, 'oracle', [1, 0.5], { prefix_tokens: 2 }),
      trial(sample, 'oracle_d', [1.25, 0.5], { prefix_tokens: 2 }),
    ]);
    const [head, ...lines] = packTrials(undefined, entries)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(head).toEqual({
      packed: 1,
      conditions: ['bare', 'oracle', 'oracle_d'],
      after: [null, null, 1],
      fraction_bits: 2,
    });
    expect(lines[0]).toEqual({
      sample: 'a',
      tokens: 2,
      fields: { cut: { values: [false] }, prefix_tokens: { values: [2], at: [null, 0, 0] } },
    });
    expect(numbersOf(lines[2].digits)).toEqual([32, 4, 1, 17, 2, 0, 32, 4, 1, 17, 2, 0]);
    expect(lines[3]).toEqual({ entries: 6, crc32: expect.any(String) });
    // As they were packed before digits stood together.
    const { crc32: _, ...end } = lines[3];
    const { tokens, ...line } = lines[0];
    const rows = {
      ...line,
      token_nlls: [
        [32, 4, 1],
        [17, 2, 0],
      ],
    };
    expect(parseTrials(sealedText([head, rows, { ...rows, sample: 'b' }], end))).toEqual(entries);
    for (const [digits, what] of [
      [['000'], /digits of 3 numbers, which the lines have more of/],
      [['0'.repeat(13)], /digits of 13 numbers, of which the lines have 12/],
      [['000', '00'], /2 digits beside 3/],
      [['00G'], /"G" is no hexadecimal digit/],
      ['0', /line 4: digits/],
    ] as const) {
      expect(() => parseTrials(sealedText([head, ...lines.slice(0, 2), { digits }], end))).toThrow(what);
    }
  });

  it('have digits that are the numbers', () => {
    const numbers = [0, 1, -1, 7, 8, -8, 12345, MOST, -MOST];
    expect(digitsOf([0, -8, 9])).toEqual(['012', '011']);
    expect(numbersOf(digitsOf(numbers))).toEqual(numbers);
    expect(numbersOf(digitsOf([0, 0]))).toEqual([0, 0]);
  });

  it('have every bit of any float32 numbers', () => {
    const random = new Random('packed trials');
    const bits = new DataView(new ArrayBuffer(4));
    const anyFloat = (): number => {
      bits.setUint32(0, random.below(2 ** 32));
      const value = bits.getFloat32(0);
      return Number.isFinite(value) && value !== 0 ? shortestFloat32(value) : anyFloat();
    };
    const near = () => shortestFloat32(Math.fround(random.below(2 ** 24) / 2 ** 20));
    for (const [draw, hasUnit] of [
      [near, true],
      [anyFloat, false],
    ] as const) {
      const entries = Array.from({ length: 40 }, (_, at) =>
        trial(`s${Math.floor(at / 4)}`, `c${at % 4}`, [draw(), draw(), draw()]),
      );
      const text = packTrials(undefined, entries);
      expect(unpackTrials(Buffer.from(text)).head.fraction_bits !== null).toBe(hasUnit);
      expect(parseTrials(text)).toEqual(entries);
    }
  });

  it('are refused by name where a byte was changed or is missing', async () => {
    const text = packTrials(OWNER.head, OF_EVERY_KIND.slice(0, 5));
    for (let at = 0; at < text.length; at += 17) {
      for (const damaged of [`${text.slice(0, at)}~${text.slice(at + 1)}`, text.slice(0, at)]) {
        if (damaged === '' || damaged === text) continue;
        expect(() => parseTrials(damaged), `byte ${at}`).toThrow(expect.objectContaining({ code: 'RUN_DAMAGED' }));
      }
    }
    // What is still of the form of packed trials.
    const changes = [text.replace('"sample":"', '$&x'), text.replace(/,"crc32":"[0-9a-f]{8}"\}\n$/, '}\n')];
    for (const changed of changes) {
      expect(changed).not.toBe(text);
      expect(() => parseTrials(changed)).toThrow(/checksum/);
    }
    const [head, line, , ...rest] = text.split(/(?<=\n)/);
    expect(() => parseTrials([head, line, ...rest].join(''))).toThrow(
      /trials\.jsonl: not what was written .*from a copy/,
    );
  });
});

describe('a packed journal', () => {
  async function written() {
    const directory = await temporaryFolder();
    const file = path.join(directory, 'trials.jsonl');
    const journal = await JournalWriter.open(file, OWNER);
    await journal.append(OF_EVERY_KIND);
    await journal.close();
    return { directory, file, before: await readFile(file, 'utf8') };
  }

  it('takes the journal’s place, and is the same journal again where a run goes on', async () => {
    const { directory, file, before } = await written();
    for (let time = 0; time < 2; time++) {
      await packJournal(file);
      expect(await readdir(directory)).toEqual(['trials.jsonl.gz']);
      expect((await readJournal(file, OWNER))!.entries).toEqual(OF_EVERY_KIND);
      expect((await recoverJournal(file, OWNER)).entries).toEqual(OF_EVERY_KIND);
      // What gunzip makes of it is read as well, and compressed again.
      if (time === 0) {
        const unpacked = gunzipSync(await readFile(`${file}.gz`));
        const other = path.join(await temporaryFolder(), 'trials.jsonl');
        await writeFile(other, unpacked);
        expect((await readJournal(other, OWNER))!.entries).toEqual(OF_EVERY_KIND);
        await packJournal(other);
        expect(gunzipSync(await readFile(`${other}.gz`))).toEqual(unpacked);
      }
    }
    const journal = await JournalWriter.open(file, OWNER);
    await journal.close();
    expect(await readdir(directory)).toEqual(['trials.jsonl']);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('stays bound to its run', async () => {
    const { file } = await written();
    await packJournal(file);
    const other = { ...OWNER, head: { run: { ...OWNER.head.run, seed: 8 } } };
    await expect(readJournal(file, other)).rejects.toThrow(
      /holds the trials of another run: .*seed 7.*This one is .*seed 8/,
    );
    const unbound = path.join(await temporaryFolder(), 'trials.jsonl');
    await writeFile(unbound, packTrials(undefined, OF_EVERY_KIND));
    expect((await readJournal(unbound, OWNER))!.entries).toHaveLength(OF_EVERY_KIND.length);
    await expect(readJournal(unbound, { ...OWNER, isBound: true })).rejects.toThrow(/which run it is of, is not there/);
  });
});
