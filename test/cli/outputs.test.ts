/** What commands write: never over what they read, whole or not at all, and gone when the command is ended. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { link, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { defineExperiment } from '../../src/experiments/experiment.js';
import { fileError } from '../../src/files.js';
import { dkv, startDkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const model = referenceFixture('text');
const LINE = '{"document":"The lamp costs 24 euros.","target":"24 euros"}\n';
const DOCUMENTS = '{"id":"a","text":"A lamp costs 24 euros."}\n{"id":"b"}\n';

describe('outputs and inputs', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeFile(path.join(folder, 'lines.jsonl'), LINE);
    await writeFile(path.join(folder, 'docs.jsonl'), DOCUMENTS);
    await writeFile(path.join(folder, 'queries.jsonl'), '{"_id":"q","text":"lamp"}\n');
    await writeFile(path.join(folder, 'judged.txt'), 'q 0 a 1\n');
    await symlink('docs.jsonl', path.join(folder, 'link.jsonl'));
    await link(path.join(folder, 'docs.jsonl'), path.join(folder, 'hard.jsonl'));
    await symlink('.', path.join(folder, 'here'));
  });

  it.each([
    ['score over its input', ['score', '--input', 'lines.jsonl', '--output', 'lines.jsonl'], '--output'],
    ['score through a linked folder', ['score', '--input', 'lines.jsonl', '--output', 'here/lines.jsonl'], '--output'],
    [
      'rejects over the input',
      ['prime', '--input', 'docs.jsonl', '--store', 's', '--rejects', 'docs.jsonl'],
      '--rejects',
    ],
    ['rejects over a link', ['prime', '--input', 'docs.jsonl', '--store', 's', '--rejects', 'link.jsonl'], '--rejects'],
    [
      'rejects over a hard link',
      ['prime', '--input', 'docs.jsonl', '--store', 's', '--rejects', './hard.jsonl'],
      '--rejects',
    ],
    [
      'rejects over the reference queries',
      ['prime', '--input', 'docs.jsonl', '--store', 's', '--prior', 'queries.jsonl', '--rejects', 'queries.jsonl'],
      '--rejects',
    ],
    [
      'a run over the queries',
      ['rank', '--store', 's', '--queries', 'queries.jsonl', '--output', 'queries.jsonl'],
      '--output',
    ],
    [
      'details over the judgements',
      ['rank', '--store', 's', '--queries', 'queries.jsonl', '--qrels', 'judged.txt', '--details', 'judged.txt'],
      '--details',
    ],
    [
      'two outputs in one file',
      ['rank', '--store', 's', '--queries', 'queries.jsonl', '--output', 'r.txt', '--details', './r.txt'],
      '--details',
    ],
  ])('refuses %s', async (_, args, option) => {
    const before = await contents(folder);
    const { exitCode, stderr } = await dkv(args, { cwd: folder });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(option);
    expect(stderr).toContain('are the same file');
    expect(await contents(folder)).toEqual(before);
  });

  it('leaves the records of a run and of a store alone', async () => {
    const runs = path.join(await temporaryFolder(), 'runs');
    await mkdir(runs);
    await writeFile(path.join(runs, 'run.json'), '{}');
    await writeFile(path.join(runs, 'data.mdb'), 'pages');
    for (const name of ['trials.jsonl', 'run.json', 'data.mdb', 'lock.mdb']) {
      const { exitCode, stderr } = await dkv(['data', 'adworld', '--output', path.join(runs, name)]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('it would be lost');
    }
    expect((await readdir(runs)).sort()).toEqual(['data.mdb', 'run.json']);
  });
});

describe('a file that is written', () => {
  it('stays what it was when the command fails, and nothing is left beside it', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'scores.jsonl'), 'precious\n');
    const { exitCode } = await dkv(['score', '--output', 'scores.jsonl', '--model', 'nowhere/at-all/x'], {
      cwd,
      input: LINE,
    });
    expect(exitCode).toBe(2);
    expect(await contents(cwd)).toEqual({ 'scores.jsonl': 'precious\n' });
  });

  it('keeps its link and its permissions', async () => {
    const cwd = await temporaryFolder();
    await mkdir(path.join(cwd, 'real'));
    await writeFile(path.join(cwd, 'real', 'ads.jsonl'), 'old\n', { mode: 0o604 });
    await symlink(path.join('real', 'ads.jsonl'), path.join(cwd, 'ads.jsonl'));
    expect((await dkv(['data', 'adworld', '--count', '2', '--output', 'ads.jsonl'], { cwd })).exitCode).toBe(0);
    const written = await readFile(path.join(cwd, 'real', 'ads.jsonl'), 'utf8');
    expect(written.trim().split('\n')).toHaveLength(2);
    expect((await readdir(path.join(cwd, 'real'))).sort()).toEqual(['ads.jsonl']);
  });

  it('may be a device', async () => {
    const { exitCode } = await dkv(['data', 'adworld', '--count', '2', '--output', '/dev/null']);
    expect(exitCode).toBe(0);
  });

  it.each(['SIGHUP', 'SIGTERM', 'SIGINT'] as const)('is not left half done by %s', async (signal) => {
    const cwd = await temporaryFolder();
    const child = startDkv(['data', 'adworld', '--count', '10000000', '--output', 'ads.jsonl'], { cwd });
    const ended = once(child, 'close');
    while ((await readdir(cwd)).length === 0) await setTimeout(20);
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('a run folder', () => {
  it('is worked on by one process at a time', async () => {
    const out = path.join(await temporaryFolder(), 'run');
    const args = ['run', 'exp01', '--n', '400', '--out', out, '--model', model, '--resume'];
    const first = startDkv(args);
    const ended = once(first, 'close');
    while (!existsSync(path.join(out, 'trials.jsonl'))) await setTimeout(20);
    const second = await dkv(args);
    expect(second.exitCode).toBe(2);
    expect(second.stderr).toContain('RUN_BUSY');
    expect(second.stderr).toContain(`process ${first.pid}`);
    first.kill('SIGHUP');
    expect(await ended).toEqual([130, null]);
    expect(existsSync(path.join(out, 'run.lock'))).toBe(false);
  });

  it.each(['../outside', 'a/b', '..', '', '.hidden', 'x'.repeat(101), 'a\nb'])('is not named by the id %j', (id) => {
    const declaration = { id, title: 't', question: 'q', conditions: [{ name: 'bare', visibility: 'full' as const }] };
    expect(() => defineExperiment(declaration)).toThrow(/id/);
  });
});

describe('what the file system refuses', () => {
  it('is an error that says what to do', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'file'), '');
    const cases: [string[], string, NodeJS.ProcessEnv?][] = [
      [['data', 'adworld', '--output', 'file/ads.jsonl'], 'a file stands where a folder is needed'],
      [['data', 'adworld', '--output', 'none/ads.jsonl'], 'no such file or folder'],
      [['data', 'adworld', '--output', '.'], 'a folder stands where a file is needed'],
      [['data', 'adworld', '--beir', 'file/x'], 'a file stands where a folder is needed'],
      [['run', 'exp01', '--n', '3', '--model', model, '--out', 'file/run'], 'a file stands where a folder is needed'],
      [['score', '--model', model], 'Set DKV_CACHE', { DKV_CACHE: path.join(cwd, 'file', 'cache') }],
    ];
    for (const [args, message, env] of cases) {
      const { exitCode, stderr } = await dkv(args, { cwd, input: LINE, ...(env && { env }) });
      expect(stderr).toContain(message);
      expect(stderr).not.toContain('defect');
      expect(exitCode).toBe(2);
    }
    expect(await readdir(cwd)).toEqual(['file']);
  });

  it('is told from a defect by its code', () => {
    const full = Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write' });
    expect(fileError(full, 'runs')).toMatchObject({ code: 'DISK_FULL' });
    const open = Object.assign(new Error('x'), { code: 'EMFILE', syscall: 'open' });
    expect(fileError(open, 'runs')).toMatchObject({
      code: 'FILES_UNUSABLE',
      message: expect.stringContaining('ulimit'),
    });
    const other = new TypeError('x is not a function');
    expect(fileError(other, 'runs')).toBe(other);
  });
});

async function contents(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isFile());
  return Object.fromEntries(
    await Promise.all(names.map(async ({ name }) => [name, await readFile(path.join(folder, name), 'utf8')] as const)),
  );
}
