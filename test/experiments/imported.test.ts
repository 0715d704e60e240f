import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { removePartials } from '../../src/base/files.js';
import { expectNew, runOf, writeImported } from '../../src/experiments/imported/import.js';
import { readAuthorsRecords } from '../../src/experiments/imported/records.js';
import { compareRuns, comparisonMarkdown } from '../../src/report/compare.js';
import { collectRuns, logMarkdown } from '../../src/report/log.js';
import { writeReports } from '../../src/report/report.js';
import { readRun } from '../../src/runs/run-folder.js';
import { cohensD, mean, median } from '../../src/stats/describe.js';
import { reanalyse, reanalysisMarkdown } from '../../tools/authors/reanalysis.js';
import { type MadeRecords, madeRecords, writeCheckpoints, writeNumbers } from '../support/authors-records.js';
import { temporaryFolder } from '../support/fixtures.js';

const FORMS = { checkpoint: writeCheckpoints, numbers: writeNumbers };
type Form = keyof typeof FORMS;

async function written(form: Form, records: Partial<MadeRecords> = madeRecords()): Promise<string> {
  const folder = await temporaryFolder();
  await FORMS[form](folder, records);
  return folder;
}

const nllsOf = (records: MadeRecords, name: keyof MadeRecords, column: string) =>
  records[name].map((row) => Number(row[`nll_${column}`]));

describe('the authors’ records', () => {
  it('are read in both forms, which give the same numbers', async () => {
    const checkpoints = await readAuthorsRecords(await written('checkpoint'));
    const numbers = await readAuthorsRecords(await written('numbers'));
    const plain = (records: typeof numbers) =>
      records.map(({ experiment, samples }) => ({
        experiment,
        samples: samples.map(({ text: _, ...sample }) => sample),
      }));
    expect(plain(checkpoints)).toEqual(plain(numbers));
    expect(checkpoints[0]!.source).toMatchObject({
      file: 'exp01/checkpoint.json',
      form: 'checkpoint',
      recorded_at: '2026-02-03 04:05:06',
    });
    expect(numbers[0]!.source).toMatchObject({ file: 'authors-exp01.jsonl', form: 'numbers', recorded_at: null });
  });

  it('are found below the research’s repository', async () => {
    const folder = await temporaryFolder();
    await writeCheckpoints(path.join(folder, 'archive', 'directed_kvcache_v3', 'results'), madeRecords());
    const [first] = await readAuthorsRecords(folder);
    expect(first!.source.file).toBe('archive/directed_kvcache_v3/results/exp01/checkpoint.json');
  });

  it('give the third experiment the bare document and the oracle of the second', async () => {
    const records = madeRecords();
    const [, , third] = await readAuthorsRecords(await written('numbers', records));
    expect(third!.samples.map(({ nlls }) => nlls.bare)).toEqual(nllsOf(records, 'exp02', 'bare'));
    expect(third!.samples.map(({ nlls }) => nlls.oracle_published)).toEqual(nllsOf(records, 'exp02', 'oracle_trunc'));
    // The mask hides BOS and as many rows as the prefix has tokens.
    expect(third!.samples[0]!.prefixTokens.random1w_published).toBe(1);
    expect(third!.source.with!.file).toBe('authors-exp02.jsonl');
  });
});

describe('imported runs', () => {
  it('are read, reported and compared like others, and say what they are', async () => {
    const records = madeRecords();
    const out = path.join(await temporaryFolder(), 'deep', 'theirs');
    await writeImported(out, (await readAuthorsRecords(await written('numbers', records))).map(runOf));
    expect((await readdir(out)).sort()).toEqual(['exp01', 'exp02', 'exp2b']);
    const runs = [];
    for (const name of ['exp01', 'exp02', 'exp2b']) {
      const directory = path.join(out, name);
      const { summary, trials } = await readRun(directory);
      expect(summary.configuration.imported!.file).toBe(`authors-${name}.jsonl`);
      expect(summary.configuration.model).toMatchObject({ precision: 'bfloat16', built_in: false });
      expect(summary.smoke_run).toBe(true);
      expect(trials).toHaveLength(12 * summary.conditions.length);
      runs.push({ directory, summary });
    }
    const bare = nllsOf(records, 'exp02', 'bare');
    const gains = nllsOf(records, 'exp02', 'surr_doc_trunc').map((nll, i) => bare[i]! - nll);
    const { summary } = runs[1]!;
    const { gain } = summary.comparisons.find(({ treatment }) => treatment === 'doc_kw_published')!;
    expect(gain.mean.value!).toBeCloseTo(mean(gains), 12);
    expect(gain.d.value).toBeCloseTo(cohensD(gains), 12);
    expect(summary.conditions[0]).toMatchObject({ name: 'bare', leak: null, document_tokens: null });
    // What the research did not score is not there, and no comparison was named beforehand.
    expect(summary.configuration.experiment.primary).toBeUndefined();
    expect(summary.orders).toHaveLength(1);
    const compared = compareRuns([runs[1]!, runs[2]!]);
    expect(comparisonMarkdown(compared)).toContain('| google/t5gemma-2-4b-4b (imported) |');
    expect(logMarkdown(await collectRuns(out))).toContain('| google/t5gemma-2-4b-4b (imported) |');
    const { comparisons } = compared;
    expect(comparisons.find(({ treatment }) => treatment === 'oracle_published')!.effects).not.toContain(null);

    const [markdown] = await writeReports(runs[2]!.directory, runs[2]!.summary, { formats: ['md', 'html'] });
    const report = await readFile(markdown!, 'utf8');
    expect(report).toContain('Imported from authors-exp2b.jsonl');
    expect(report).toContain('known to a step of bfloat16');
    expect(report).toContain('| bare document and oracle from | authors-exp02.jsonl, SHA-256');
    expect(report).not.toMatch(/NaN|\| (undefined|null) |Forward passes/);
  });

  it.each(['checkpoint', 'numbers'] as const)(
    'are known by their bare NLLs and not by their places: %s',
    async (form) => {
      const records = madeRecords();
      // The samples of the first experiment are others, and fewer.
      const first = madeRecords(10).exp01.map((row) => ({ ...row, nll_bare: Number(row.nll_bare) * 2 }));
      const out = path.join(await temporaryFolder(), 'runs');
      const read = await readAuthorsRecords(await written(form, { ...records, exp01: first }));
      await writeImported(out, read.map(runOf));
      const log = await collectRuns(out);
      expect(log.unread).toEqual([]);
      expect(
        log.runs.map(({ folder, sameSamplesAs, partOf, samplesNotCompared }) => [
          folder,
          sameSamplesAs,
          partOf,
          samplesNotCompared,
        ]),
      ).toEqual([
        ['exp01', undefined, undefined, true],
        ['exp02', undefined, undefined, true],
        ['exp2b', 'exp02', undefined, undefined],
      ]);
      expect(logMarkdown(log)).toContain('| not known (samples not compared) |');
    },
  );

  it('appear whole or not at all', async () => {
    const folder = await temporaryFolder();
    const out = path.join(folder, 'theirs');
    const [run] = (await readAuthorsRecords(await written('numbers'))).map(runOf);
    const broken = { ...run!, trials: [{ ...run!.trials[0]!, nll: Number.POSITIVE_INFINITY }] };
    await expect(writeImported(out, [run!, broken])).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
    // What ends the process on the spot removes what is half written.
    const writing = writeImported(out, [run!]);
    while ((await readdir(folder)).length === 0);
    removePartials();
    await writing.catch(() => undefined);
    expect((await readdir(folder)).filter((name) => name !== 'theirs')).toEqual([]);
  });

  it('take no folder that is there', async () => {
    await expect(expectNew(await temporaryFolder())).rejects.toMatchObject({ code: 'RUN_EXISTS' });
  });
});

describe('the reanalysis of docs/authors-records.md', () => {
  it('is of both forms the same, and its shares and gains are those of the numbers', async () => {
    const records = madeRecords(30);
    const of = (form: Form) => written(form, records).then((folder) => reanalyse(folder, 20));
    const found = await of('numbers');
    const tables = reanalysisMarkdown(found);
    expect(reanalysisMarkdown(await of('checkpoint'))).toBe(tables);
    expect(tables).not.toMatch(/NaN|undefined|Infinity/);
    const gains = (from: string, to: string) => {
      const [a, b] = [from, to].map((column) =>
        nllsOf(records, column.startsWith('rand_') ? 'exp2b' : 'exp02', column),
      );
      return a!.map((nll, i) => nll - b![i]!);
    };
    const oracle = gains('bare', 'oracle_trunc');
    const shareOf = (statistic: (list: readonly number[]) => number) =>
      ((100 * statistic(gains('bare', 'rand_matched_trunc'))) / statistic(oracle)).toFixed(1);
    expect(tables).toContain(`| mean | 30 | +${shareOf(mean)} [`);
    expect(tables).toContain(`| median | 30 | +${shareOf(median)} [`);
    expect(tables).toContain(`| oracle_published | +${mean(oracle).toFixed(3)} [`);
    // What the text's check reads is what the tables print.
    expect(found.gains.exp02![0]!.mean.value!).toBeCloseTo(mean(oracle), 5);
    expect(found.shares![1]!.structure.value!.toFixed(1)).toBe(shareOf(median));
  });
});

type Change = (folder: string) => Promise<unknown>;

const edit =
  (name: string, change: (text: string) => string): Change =>
  async (folder) => {
    const file = path.join(folder, name);
    await writeFile(file, change(await readFile(file, 'utf8')));
  };

const rows =
  (name: string, change: (results: Record<string, unknown>[]) => void): Change =>
  (folder) =>
    edit(name, (text) => {
      const checkpoint = JSON.parse(text);
      change(checkpoint.results);
      return JSON.stringify(checkpoint);
    })(folder);

describe('records that are not as they were written', () => {
  it.each([
    [
      'a cut checkpoint',
      'checkpoint',
      edit('exp01/checkpoint.json', (text) => text.slice(0, -40)),
      /exp01.checkpoint\.json: no JSON/,
    ],
    [
      'an unfinished one',
      'checkpoint',
      rows('exp01/checkpoint.json', (all) => all.pop()),
      /11 samples of 12 \(n_total\)/,
    ],
    [
      'a condition that is missing',
      'checkpoint',
      rows('exp02/checkpoint.json', (all) => delete all[3]!.nll_random_trunc),
      /results\.3\.nll_random_trunc: expected a number, found nothing/,
    ],
    [
      'one that is not theirs',
      'checkpoint',
      rows('exp02/checkpoint.json', (all) => (all[0]!.nll_mine = 1)),
      /results\.0: unknown field "nll_mine"/,
    ],
    [
      'finer digits than they have',
      'checkpoint',
      rows('exp02/checkpoint.json', (all) => (all[0]!.nll_bare = 0.123)),
      /results\.0\.nll_bare: expected a number of bfloat16.*found 0\.123/,
    ],
    [
      'no surprise at all',
      'checkpoint',
      rows('exp02/checkpoint.json', (all) => (all[0]!.nll_bare = 0)),
      /results\.0\.nll_bare: expected more than 0, found 0/,
    ],
    [
      'another order of the samples',
      'checkpoint',
      rows('exp02b/checkpoint.json', (all) => all.reverse()),
      /of the same samples in the same order; sample 0 is another in exp02.checkpoint\.json: its texts/,
    ],
    [
      'another sample of as many words',
      'checkpoint',
      rows('exp02b/checkpoint.json', (all) => (all[2]!.query = 'query x')),
      /sample 2 is another in exp02.checkpoint\.json: its texts/,
    ],
    ['no object', 'checkpoint', edit('exp01/checkpoint.json', () => '[]'), /expected an object, found/],
    [
      'a cut line',
      'numbers',
      edit('authors-exp01.jsonl', (text) => text.slice(0, -10)),
      /authors-exp01\.jsonl: its last line has no end/,
    ],
    [
      'a line that is missing',
      'numbers',
      edit('authors-exp02.jsonl', (text) => text.split('\n').toSpliced(4, 1).join('\n')),
      /authors-exp02\.jsonl, line 5: index 5, and 4 was expected/,
    ],
    [
      'lines that are missing at the end',
      'numbers',
      edit('authors-exp02.jsonl', (text) => text.split('\n').toSpliced(9, 3).join('\n')),
      /it has 12, authors-exp02\.jsonl 9/,
    ],
    [
      'numbers of other samples',
      'numbers',
      edit('authors-exp2b.jsonl', (text) => text.replace(/"nll_rand_20w_trunc":[\d.]+/, '"nll_rand_20w_trunc":64')),
      /sample 0 is another in authors-exp02\.jsonl: 20 random words give .* there, 64 here/,
    ],
    [
      'an empty file',
      'numbers',
      edit('authors-exp01.jsonl', () => ''),
      /authors-exp01\.jsonl: its last line has no end/,
    ],
    [
      'both forms',
      'numbers',
      (folder) => writeCheckpoints(folder, { exp02: madeRecords().exp02 }),
      /two records of exp02, exp02.checkpoint\.json and authors-exp02\.jsonl/,
    ],
  ] satisfies [string, Form, Change, RegExp][])('are refused: %s', async (_, form, change, message) => {
    const folder = await written(form);
    await change(folder);
    await expect(readAuthorsRecords(folder)).rejects.toThrow(message);
    await expect(readAuthorsRecords(folder)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('are refused: 2B without 02, nothing at all, no folder, a file', async () => {
    const { exp2b } = madeRecords();
    const alone = await written('numbers', { exp2b });
    await expect(readAuthorsRecords(alone)).rejects.toThrow(/needs the record of experiment 02, which is not there/);
    const empty = await temporaryFolder();
    await mkdir(path.join(empty, 'exp01'));
    await expect(readAuthorsRecords(empty)).rejects.toThrow(/none of the authors’ records is there\. Expected archive/);
    await expect(readAuthorsRecords(path.join(empty, 'x'))).rejects.toThrow(/x: no such folder/);
    await expect(readAuthorsRecords(path.join(alone, 'authors-exp2b.jsonl'))).rejects.toThrow(
      /: a file; give the folder/,
    );
    const few = await written('checkpoint', { exp01: madeRecords(1).exp01 });
    await expect(readAuthorsRecords(few)).rejects.toThrow(/1 samples; two are the fewest/);
  });
});
