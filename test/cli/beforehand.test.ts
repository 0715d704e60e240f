/** What can be known before a model is loaded is said before: the model named here would fail to load. */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectWritable } from '../../src/base/files.js';
import { expectRunIds } from '../../src/datasets/trec.js';
import { EXPERIMENT_IDS } from '../../src/experiments/catalogue/ids.js';
import { dkv, jsonLines } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const NO_MODEL = ['--model', './no-such-model'];

describe('before a model is loaded', () => {
  it('ids that a TREC run cannot hold are refused, and no file is touched', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"red lamp","text":"A lamp."}\n{"id":"b","text":"A bed."}\n');
    await writeFile(path.join(cwd, 'queries.jsonl'), '{"_id":"q 1","text":"lamp"}\n');
    await writeFile(path.join(cwd, 'run.txt'), 'of before\n');
    expect((await dkv(['prime', '--input', 'docs.jsonl', '--store', 'store'], { cwd })).exitCode).toBe(0);
    const { exitCode, stderr } = await dkv(
      [
        'rank',
        '--store',
        'store',
        '--queries',
        'queries.jsonl',
        '--candidates',
        'bm25:10',
        '--output',
        'run.txt',
        ...NO_MODEL,
      ],
      { cwd },
    );
    expect(stderr).toContain('2 ids have white space or are empty, the first "q 1"');
    expect(exitCode).toBe(2);
    expect((await readdir(cwd)).sort()).toEqual(['docs.jsonl', 'queries.jsonl', 'run.txt', 'store']);
  });

  it('data without what is scored are refused', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'queries.csv'), 'document,query,answer\nA lamp.,lamp,\nA bed.,bed,\n');
    await writeFile(path.join(cwd, 'answers.csv'), 'document,query,answer\nA lamp.,,24\nA bed.,,36\n');
    for (const [data, message] of [
      ['queries.csv', /queries\.csv has no answers, and exp01 scores answers/],
      ['answers.csv', /2 have no query \(query\)/],
    ] as const) {
      const { exitCode, stderr } = await dkv(['run', 'exp01', '--dataset', data, ...NO_MODEL], { cwd });
      expect(stderr).toMatch(message);
      expect(exitCode).toBe(2);
    }
    expect((await readdir(cwd)).sort()).toEqual(['answers.csv', 'queries.csv']);
  });

  it('places that cannot be written to are refused', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"a","text":"A lamp."}\n');
    await writeFile(path.join(cwd, 'file'), '');
    for (const [args, option] of [
      [['run', 'exp01', '--out', 'file/run'], '--out'],
      [['prime', '--input', 'docs.jsonl', '--store', 'store', '--rejects', 'file/rejects.jsonl'], '--rejects'],
      [['score', '--output', 'file/scores.jsonl'], '--output'],
    ] as const) {
      const { exitCode, stderr } = await dkv([...args, ...NO_MODEL], { cwd });
      expect(stderr).toContain(`${option} file`);
      expect(exitCode).toBe(2);
    }
    expect((await readdir(cwd)).sort()).toEqual(['docs.jsonl', 'file']);
  });

  it('experiments are listed', async () => {
    const { exitCode, stdout, stderr } = await dkv(['list', 'experiments', '--json', ...NO_MODEL]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/--model changes nothing here: --estimate .* --tflops N/);
    expect(jsonLines(stdout).map(({ id }) => id)).toEqual(EXPERIMENT_IDS);
  });
});

describe('expectRunIds', () => {
  it('takes what readers split by white space give back', () => {
    expectRunIds(['a', 'ä/ö#1', '日本', '-']);
    for (const id of ['', ' ', 'a b', 'a\tb', 'a\n', '\u00a0x', '\u2028']) {
      expect(() => expectRunIds(['a', id])).toThrow('white space or is empty');
    }
  });
});

describe('expectWritable', () => {
  it('asks the folder that is there, and makes none', async () => {
    const folder = await temporaryFolder();
    await expectWritable(path.join(folder, 'a', 'b'), '--out');
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('says that a folder may not be written to', async () => {
    const folder = path.join(await temporaryFolder(), 'locked');
    await mkdir(folder);
    await chmod(folder, 0o500);
    await expect(expectWritable(path.join(folder, 'run'), '--out run')).rejects.toMatchObject({
      code: 'FILES_UNUSABLE',
    });
  });
});
