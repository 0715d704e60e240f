/** Run folders that are read again: as they were written, or refused by name. */
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { productRanking } from '../../src/experiments/catalogue/product-ranking.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { readRun, readSummary } from '../../src/runs/run-folder.js';
import { unpackTrials } from '../../src/runs/schema/packed.js';
import { parseRunFiles, type RunFiles } from '../../src/runs/schema/run.js';
import { sealedFile } from '../../src/runs/schema/sealed.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { temporaryFolder } from '../support/fixtures.js';
import { withEstimates } from '../support/older.js';

const FILES = ['run.json', 'summary.json', 'samples.jsonl', 'trials.jsonl'] as const;
const RESULTS = path.resolve(import.meta.dirname, '../../results/built-in');

describe('a run folder', () => {
  it('takes no flipped bit of any of its files for another run', async () => {
    const directory = await temporaryFolder();
    await writeRun(
      directory,
      madeRun(productRanking, {
        samples: 12,
        candidates: 6,
        texts: { document: 'Größe 42', query: 'q', answer: '', target: [] },
      }),
    );
    const wanted = await readRun(directory);
    const random = new Random('flips');
    let refused = 0;
    for (const name of FILES) {
      const file = path.join(directory, name);
      const bytes = await readFile(file);
      for (let flip = 0; flip < 40; flip++) {
        const damaged = Buffer.from(bytes);
        damaged[random.below(bytes.length)]! ^= 1 << random.below(8);
        await writeFile(file, damaged);
        try {
          expect({ ...(await readRun(directory)), record: wanted.record }).toEqual(wanted);
        } catch (error) {
          expect(error).toMatchObject({ code: 'RUN_DAMAGED', message: expect.stringContaining(name) });
          refused++;
        }
      }
      await writeFile(file, bytes);
    }
    expect(await readRun(directory)).toEqual(wanted);
    expect(refused).toBeGreaterThan(155);
  });

  it('is the same from the contents of its files, as texts or as bytes, and damage in them is named', async () => {
    const directory = await temporaryFolder();
    const texts = { document: 'Größe 42 \u{1f600}', query: 'q', answer: '', target: ['▁a'] };
    await writeRun(directory, madeRun(productRanking, { samples: 12, candidates: 6, texts }));
    const wanted = await readRun(directory);
    const bytes = await Promise.all(FILES.map((name) => readFile(path.join(directory, name))));
    const files = <T>(of: (content: Buffer) => T) =>
      Object.fromEntries(FILES.map((name, at) => [name, of(bytes[at]!)])) as Record<keyof RunFiles, T>;
    expect(parseRunFiles(files((content) => content.toString('utf8')))).toEqual(wanted);
    expect(parseRunFiles(files((content) => Uint8Array.from(content)))).toEqual(wanted);
    for (const name of FILES) {
      const damaged = files((content) => content.toString('utf8'));
      damaged[name] = damaged[name].replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10));
      expect(() => parseRunFiles(damaged)).toThrow(
        expect.objectContaining({ code: 'RUN_DAMAGED', message: expect.stringContaining(name) }),
      );
    }
    const broken = { ...files((content) => content.toString('utf8')), 'run.json': 'no\nJSON\n' };
    expect(() => parseRunFiles(broken)).toThrow(/^run\.json: not what was written \(.*no JSON.*\)\. .+$/);
    const empty = { ...files((content) => content.toString('utf8')), 'samples.jsonl': '' };
    expect(() => parseRunFiles(empty)).toThrow('samples.jsonl: empty, and a run has samples. Remove the file');
    const { 'trials.jsonl': _, ...withoutTrials } = files((content) => content.toString('utf8'));
    expect(parseRunFiles(withoutTrials)).toEqual({ ...wanted, trials: [] });
  });

  it('is the same with compressed trials, from its folder and from the contents of its files', async () => {
    const directory = await temporaryFolder();
    await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const wanted = await readRun(directory);
    const { 'trials.jsonl': trials, ...others } = Object.fromEntries(
      await Promise.all(FILES.map(async (name) => [name, await readFile(path.join(directory, name))])),
    ) as Record<keyof RunFiles, Buffer>;
    const packed = gzipSync(trials);
    await writeFile(path.join(directory, 'trials.jsonl.gz'), packed);
    await rm(path.join(directory, 'trials.jsonl'));
    expect(await readRun(directory)).toEqual(wanted);
    expect(parseRunFiles({ ...others, 'trials.jsonl': await unpackTrials(packed) })).toEqual(wanted);
    const still = { ...others, 'trials.jsonl.gz': packed };
    for (const files of [still, { ...others, 'trials.jsonl': packed }]) {
      expect(() => parseRunFiles(files)).toThrow(
        expect.objectContaining({
          code: 'INPUT_INVALID',
          message: expect.stringMatching(/^trials\.jsonl.*unpackTrials/),
        }),
      );
    }
    await expect(unpackTrials(packed.subarray(0, -3))).rejects.toMatchObject({ code: 'RUN_DAMAGED' });
    await writeFile(path.join(directory, 'trials.jsonl.gz'), gzipSync(trials.subarray(trials.indexOf('\n') + 1)));
    await expect(readRun(directory)).rejects.toThrow(/trials\.jsonl\.gz has 4 whole samples/);
  });

  it('whose trials are not those of its summary is refused', async () => {
    const directory = await temporaryFolder();
    await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const file = path.join(directory, 'trials.jsonl');
    const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/);
    await writeFile(file, lines.slice(1).join(''));
    await expect(readRun(directory)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(
        /trials\.jsonl has 4 whole samples and 0 rejected ones, .* from 5 and 0\. .*--resume/,
      ),
    });
    await writeFile(path.join(directory, 'samples.jsonl'), '{"id":"other"}\n');
    await expect(readRun(directory)).rejects.toThrow(/line 1: .* is no sample and condition of this run/);
    await rm(path.join(directory, 'samples.jsonl'));
    await expect(readRun(directory)).rejects.toThrow(/samples\.jsonl is not there/);
  });

  it('that was written before there were checksums is read', async () => {
    const folders = await readdir(RESULTS);
    expect(folders.length).toBeGreaterThan(10);
    for (const folder of folders) {
      const { summary } = await readSummary(path.join(RESULTS, folder));
      const { crc32: _, ...written } = JSON.parse(await readFile(path.join(RESULTS, folder, 'summary.json'), 'utf8'));
      expect(summary).toEqual(withEstimates(written));
    }
    expect((await readRun(path.join(RESULTS, 'v4-03'))).trials).toHaveLength(5500);
    // As it was where the trials were left out.
    const without = await temporaryFolder();
    for (const name of ['run.json', 'samples.jsonl', 'summary.json']) {
      await copyFile(path.join(RESULTS, 'v4-03', name), path.join(without, name));
    }
    expect((await readRun(without)).trials).toEqual([]);
  });

  it('holds the summary that was written, also where a statistic has no value', async () => {
    const directory = await temporaryFolder();
    const run = madeRun(productRanking, { samples: 12, candidates: 6 });
    // Of nothing: no candidate is relevant, so that no pool counts and no difference has a median.
    const samples = run.samples.map((sample) => ({ ...sample, grade: 0 }));
    const summary = summarize(run.summary.configuration, run.trials, samples, run.summary.passes);
    expect(summary.ranking!.comparisons[0]!.differences[0]!.median).toBeNaN();
    await writeRun(directory, { ...run, samples, summary });
    expect((await readSummary(directory)).summary).toEqual(summary);
  });

  it.each([
    ['comparisons.3.gain.d.low', 'low'],
    ['comparisons.3.gain.median', 'none'],
    ['samples.scored', 4.5],
    ['smoke_run', undefined],
    ['passes.encoder', -1],
    ['resampled', 10_000],
  ])('is refused by the name of a field of its summary that is not as it is written: %s, %s', async (field, value) => {
    const directory = await temporaryFolder();
    const summary = await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const changed = structuredClone(summary) as unknown as Record<string, unknown>;
    const names = field.split('.');
    const last = names.pop()!;
    const holder = names.reduce((inside, name) => inside[name] as Record<string, unknown>, changed);
    holder[last] = value;
    await writeFile(path.join(directory, 'summary.json'), sealedFile(changed));
    await expect(readSummary(directory)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(new RegExp(`summary\\.json[^]*${last}[^]*dkv run --resume`)),
    });
  });

  it('is refused when the summary in it is of a run that differs in one field', async () => {
    const directory = await temporaryFolder();
    const summary = await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const configuration = { ...summary.configuration, seed: summary.configuration.seed + 1 };
    await writeFile(path.join(directory, 'summary.json'), sealedFile({ ...summary, configuration }));
    await expect(readSummary(directory)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(/summary\.json is not the summary of the run in run\.json: seed: 1 -> 2$/),
    });
  });

  it('is refused by a condition of its summary that the run does not have', async () => {
    const directory = await temporaryFolder();
    const summary = await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const [first, ...rest] = summary.conditions;
    const conditions = [{ ...first, name: 'another' }, ...rest];
    await writeFile(path.join(directory, 'summary.json'), sealedFile({ ...summary, conditions }));
    await expect(readSummary(directory)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringContaining('"another" is no condition of this run'),
    });
  });
});
