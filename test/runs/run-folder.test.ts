/** Run folders that are read again: as they were written, or refused by name. */
import { copyFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { summarize } from '../../src/experiments/analysis/summarize.js';
import { productRanking } from '../../src/experiments/catalogue/product-ranking.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { packRun, readRun, readSummary, writeSummary } from '../../src/runs/run-folder.js';
import { unpackLines } from '../../src/runs/schema/packed.js';
import { parseRunFiles, type RunFiles } from '../../src/runs/schema/run.js';
import { sealedFile, sealedLine } from '../../src/runs/schema/sealed.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { temporaryFolder } from '../support/fixtures.js';
import { withEstimates } from '../support/older.js';

const FILES = ['run.json', 'summary.json', 'samples.jsonl', 'trials.jsonl'] as const;
const RELEASE = path.resolve(import.meta.dirname, '../fixtures/runs/release-0.1.0');
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

  it('is the same with compressed trials, samples or summary, from its folder and from the contents of its files', async () => {
    const directory = await temporaryFolder();
    await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const wanted = await readRun(directory);
    const files = Object.fromEntries(
      await Promise.all(FILES.map(async (name) => [name, await readFile(path.join(directory, name))])),
    ) as Record<keyof RunFiles, Buffer>;
    for (const name of ['trials.jsonl', 'samples.jsonl', 'summary.json'] as const) {
      const packed = gzipSync(files[name]);
      const file = path.join(directory, `${name}.gz`);
      await writeFile(file, packed);
      expect(await readRun(directory)).toEqual(wanted);
      const [, second] = files[name].toString().split(/(?<=\n)/);
      await writeFile(path.join(directory, name), files[name].toString().replace(second!, ''));
      await expect(readRun(directory)).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(`${name} .* and .*${name}\\.gz .* are both there and say different things`),
      });
      await rm(path.join(directory, name));
      expect(await readRun(directory)).toEqual(wanted);
      expect(parseRunFiles({ ...files, [name]: await unpackLines(packed, `${name}.gz`) })).toEqual(wanted);
      const { [name]: _, ...others } = files;
      for (const still of [
        { ...others, [`${name}.gz`]: packed },
        { ...files, [name]: packed },
      ]) {
        expect(() => parseRunFiles(still as RunFiles)).toThrow(
          expect.objectContaining({
            code: 'INPUT_INVALID',
            message: expect.stringMatching(`^${name}.* compressed.* Unpack it with unpackLines`),
          }),
        );
      }
      const damage = { code: 'RUN_DAMAGED', message: expect.stringMatching(`${name}\\.gz: not what gzip wrote`) };
      await expect(unpackLines(packed.subarray(0, -3), `${name}.gz`)).rejects.toMatchObject(damage);
      for (const bytes of [packed.subarray(0, -9), files[name], Buffer.alloc(0)]) {
        await writeFile(file, bytes);
        await expect(readRun(directory)).rejects.toMatchObject(damage);
      }
      if (name !== 'summary.json') {
        await writeFile(file, gzipSync(files[name].subarray(0, -1)));
        await expect(readRun(directory)).rejects.toThrow(new RegExp(`${name}\\.gz: its last line, 5|6, is torn`));
      }
      await writeFile(file, gzipSync(files[name].toString().replace(/"sample":"|"id":"|"value": /, '$&1')));
      await expect(readRun(directory)).rejects.toThrow(new RegExp(`${name}\\.gz(, line [12])?: .*checksum`));
      await writeFile(file, packed);
    }
    expect(await readRun(directory)).toEqual(wanted);
    // A summary that is made again stays in its form.
    await rm(path.join(directory, 'summary.json.gz'));
    for (const name of ['summary.json', 'summary.json.gz']) {
      if (name.endsWith('.gz')) await packRun(directory);
      await writeSummary(directory, wanted.summary);
      expect((await readdir(directory)).filter((one) => one.startsWith('summary'))).toEqual([name]);
      expect(await readRun(directory)).toEqual(wanted);
    }
    const [head, , ...rest] = files['trials.jsonl'].toString().split(/(?<=\n)/);
    await writeFile(path.join(directory, 'trials.jsonl.gz'), gzipSync([head, ...rest].join('')));
    await expect(readRun(directory)).rejects.toThrow(/trials\.jsonl\.gz has 4 whole samples/);
  });

  it('whose trials are not those of its summary is refused', async () => {
    const directory = await temporaryFolder();
    await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const file = path.join(directory, 'trials.jsonl');
    const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/);
    await writeFile(file, [lines[0], ...lines.slice(2)].join(''));
    await expect(readRun(directory)).rejects.toMatchObject({
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(
        /trials\.jsonl has 4 whole samples and 0 rejected ones, .* from 5 and 0\. .*--resume/,
      ),
    });
    await rm(path.join(directory, 'samples.jsonl'));
    await expect(readRun(directory)).rejects.toThrow(/samples\.jsonl is not there/);
  });

  describe('with trials of another run of the same samples and conditions', () => {
    const RUN = madeRun(truncation, { samples: 5 });
    const OTHER = madeRun(truncation, { samples: 5, draw: 1 });

    async function written() {
      const [directory, other] = [await temporaryFolder(), await temporaryFolder()];
      await writeRun(directory, RUN);
      await writeRun(other, OTHER);
      return { directory, other, file: path.join(directory, 'trials.jsonl') };
    }

    const linesOf = async (directory: string) =>
      (await readFile(path.join(directory, 'trials.jsonl'), 'utf8')).split(/(?<=\n)/);
    const contents = async (directory: string) =>
      Object.fromEntries(
        await Promise.all(FILES.map(async (name) => [name, await readFile(path.join(directory, name))])),
      ) as Record<keyof RunFiles, Buffer>;

    it('is refused by the run that they are of, whichever way they are kept', async () => {
      const { directory, other, file } = await written();
      const [own, strange] = [await readFile(file), await readFile(path.join(other, 'trials.jsonl'))];
      const begun = JSON.parse(await readFile(path.join(other, 'run.json'), 'utf8')).started_at;
      const refused = {
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(`holds the trials of another run: .*, N 5, seed 1, begun ${begun}\\. This one`),
      };
      const files = await contents(directory);
      await writeFile(file, strange);
      await expect(readRun(directory)).rejects.toMatchObject(refused);
      expect(() => parseRunFiles({ ...files, 'trials.jsonl': strange })).toThrow(expect.objectContaining(refused));
      await rm(file);
      await writeFile(`${file}.gz`, gzipSync(strange));
      await expect(readRun(directory)).rejects.toMatchObject(refused);
      await writeFile(`${file}.gz`, gzipSync(own));
      expect((await readRun(directory)).trials).toEqual(RUN.trials);
    });

    it('is refused where single lines are another run’s, or where nothing says whose they are', async () => {
      const { directory, other, file } = await written();
      const [[head, ...own], [, ...strange]] = [await linesOf(directory), await linesOf(other)];
      await writeFile(file, [head, ...own.slice(1), strange[0]].join(''));
      await expect(readRun(directory)).rejects.toThrow(/trials\.jsonl, line \d+: .*checksum is of other bytes/);
      const { crc32: _, ...strangers } = JSON.parse(strange[0]!);
      await writeFile(file, [head, ...own.slice(1), sealedLine(strangers)].join(''));
      await expect(readRun(directory)).rejects.toThrow(/trials\.jsonl, line \d+: .*checksum is of other bytes/);
      await writeFile(file, strange.join(''));
      await expect(readRun(directory)).rejects.toThrow(/line.* which run it is of, is not there: it may be another’s/);
      const old = strange.map((line) => line.replace(/,"crc32":"[0-9a-f]{8}"/, ''));
      await writeFile(file, old.map((line) => sealedLine(JSON.parse(line))).join(''));
      await expect(readRun(directory)).rejects.toThrow(/is not there: it may be another’s/);
      // A damaged first line may be removed like any other.
      await writeFile(file, [head!.replace('made-up', 'made-uq'), ...own].join(''));
      await expect(readRun(directory)).rejects.toThrow(/trials\.jsonl, line 1: not what was written/);
      await writeFile(file, own.join(''));
      expect((await readRun(directory)).trials).toEqual(RUN.trials);
    });

    it('is refused by their means where the run is older than first lines', async () => {
      const { directory, file } = await written();
      const {
        bound,
        samples_crc32,
        crc32: _,
        ...record
      } = JSON.parse((await contents(directory))['run.json'].toString());
      expect([bound, samples_crc32]).toEqual([true, expect.stringMatching(/^[0-9a-f]{8}$/)]);
      await writeFile(path.join(directory, 'run.json'), sealedFile(record));
      await writeFile(file, RUN.trials.map(sealedLine).join(''));
      expect((await readRun(directory)).trials).toEqual(RUN.trials);
      await writeFile(file, OTHER.trials.map(sealedLine).join(''));
      await expect(readRun(directory)).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(
          /trials\.jsonl has a mean NLL of .* under \w+, summary\.json one of .* not of one run/,
        ),
      });
      await writeFile(path.join(directory, 'samples.jsonl'), '{"id":"other"}\n');
      await expect(readRun(directory)).rejects.toThrow(/line 1: .* is no sample and condition of this run/);
    });
  });

  it('with measurements of another run is refused by their means', async () => {
    const directory = await temporaryFolder();
    await cp(path.join(RELEASE, 'probe'), directory, { recursive: true });
    const file = path.join(directory, 'trials.jsonl');
    const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/);
    await readRun(directory);
    const at = lines.findIndex((line) => line.includes('"to_prefix"'));
    const { crc32: _, ...look } = JSON.parse(lines[at]!);
    const { layer, measures } = look.layers[1];
    for (const [changed, found] of [
      [{ ...measures, to_prefix: measures.to_prefix + 1e-6 }, 'a mean to_prefix in layer'],
      [{ shift: 1 }, 'a mean'],
    ] as const) {
      look.layers[1] = { layer, measures: changed };
      await writeFile(file, lines.with(at, `${JSON.stringify(look)}\n`).join(''));
      await expect(readRun(directory)).rejects.toMatchObject({
        code: 'RUN_DAMAGED',
        message: expect.stringMatching(`trials\\.jsonl has ${found}.* under ${look.condition}, summary\\.json one of`),
      });
    }
  });

  it('with samples of another run is refused, whichever way they are kept', async () => {
    const [directory, other] = [await temporaryFolder(), await temporaryFolder()];
    const run = madeRun(truncation, { samples: 5 });
    await writeRun(directory, run);
    await writeRun(other, { ...run, samples: run.samples.map((sample) => ({ ...sample, cluster: 'one' })) });
    const file = path.join(directory, 'samples.jsonl');
    const [own, strange] = [await readFile(file), await readFile(path.join(other, 'samples.jsonl'))];
    const files = Object.fromEntries(
      await Promise.all(FILES.map(async (name) => [name, await readFile(path.join(directory, name))])),
    ) as Record<keyof RunFiles, Buffer>;
    const refused = {
      code: 'RUN_DAMAGED',
      message: expect.stringMatching(/samples\.jsonl.*: its CRC-32 is .{8}, that/),
    };
    const turned = Buffer.from(
      own
        .toString()
        .split(/(?<=\n)/)
        .reverse()
        .join(''),
    );
    for (const samples of [strange, turned]) {
      await writeFile(file, samples);
      await expect(readRun(directory)).rejects.toMatchObject(refused);
      expect(() => parseRunFiles({ ...files, 'samples.jsonl': samples })).toThrow(expect.objectContaining(refused));
    }
    await rm(file);
    await writeFile(`${file}.gz`, gzipSync(strange));
    await expect(readRun(directory)).rejects.toMatchObject(refused);
    await writeFile(`${file}.gz`, gzipSync(own));
    expect((await readRun(directory)).samples).toEqual(run.samples);
    // A record that names the other samples is not the one that the journal is of.
    const { crc32: _, ...record } = JSON.parse(files['run.json'].toString());
    const { samples_crc32 } = JSON.parse(await readFile(path.join(other, 'run.json'), 'utf8'));
    await writeFile(path.join(directory, 'run.json'), sealedFile({ ...record, samples_crc32 }));
    await writeFile(`${file}.gz`, gzipSync(strange));
    await expect(readRun(directory)).rejects.toThrow('trials.jsonl holds the trials of another run');
  });

  it('that was written before there were checksums is read', async () => {
    const folders = await readdir(RESULTS);
    expect(folders.length).toBeGreaterThan(10);
    for (const folder of folders) {
      const { summary } = await readSummary(path.join(RESULTS, folder));
      const packed = await readFile(path.join(RESULTS, folder, 'summary.json.gz'));
      const { crc32: _, ...written } = JSON.parse(gunzipSync(packed).toString());
      expect(summary).toEqual(withEstimates(written));
    }
    expect((await readRun(path.join(RESULTS, 'v4-03'))).trials).toHaveLength(5500);
    // As it was where the trials were left out.
    const without = await temporaryFolder();
    for (const name of ['run.json', 'samples.jsonl.gz', 'summary.json.gz']) {
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
      message: expect.stringMatching(new RegExp(`summary\\.json[^]*${last}[^]*dkv run exp01 .* --resume`)),
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
