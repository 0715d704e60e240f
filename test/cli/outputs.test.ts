/** What commands write: never over what they read, whole or not at all, and gone when the command is ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { fileError } from '../../src/base/files.js';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
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

describe('the file of rejects', () => {
  const prime = ['prime', '--input', 'docs.jsonl', '--store', 's', '--model', model, '--rejects'];
  let cwd: string;

  beforeEach(async () => {
    cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"a","text":"A lamp costs 24 euros."}\n');
    await writeFile(path.join(cwd, 'old.jsonl'), 'of an earlier run\n');
  });

  it('of an earlier run goes when all was primed', async () => {
    expect((await dkv([...prime, 'old.jsonl'], { cwd })).exitCode).toBe(0);
    expect(Object.keys(await contents(cwd))).toEqual(['docs.jsonl']);
  });

  it('of an earlier run stays when nothing was', async () => {
    const { exitCode } = await dkv([...prime, 'old.jsonl', '--model', 'nowhere'], { cwd });
    expect(exitCode).toBe(2);
    expect(await contents(cwd)).toHaveProperty(['old.jsonl'], 'of an earlier run\n');
    expect(Object.keys(await contents(cwd))).toHaveLength(2);
  });

  it('is neither a record of a run or of a store, through links too, nor a folder', async () => {
    const kept: [string, string, string][] = [
      ['run', 'run.json', 'trials.jsonl'],
      ['store', 'data.mdb', 'lock.mdb'],
    ];
    for (const [name, record, other] of kept) {
      await mkdir(path.join(cwd, name));
      for (const file of [record, other]) await writeFile(path.join(cwd, name, file), 'precious');
      await symlink(path.join(name, record), path.join(cwd, `to-${record}`));
      for (const file of [path.join(name, record), path.join(name, other), `to-${record}`, name]) {
        const { exitCode, stderr } = await dkv([...prime, file], { cwd });
        expect(stderr).toMatch(/it would be lost|a folder stands where a file is needed/);
        expect(exitCode).toBe(2);
      }
      expect(await contents(path.join(cwd, name))).toEqual({ [record]: 'precious', [other]: 'precious' });
    }
    expect(existsSync(path.join(cwd, 's'))).toBe(false);
  });
});

describe('the standard input and output', () => {
  it('are kept apart from a file like any other', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'lines.jsonl'), LINE);
    await writeFile(path.join(cwd, 'docs.jsonl'), DOCUMENTS);
    for (const [args, input] of [
      [['score', '--output', 'lines.jsonl'], 'lines.jsonl'],
      [['prime', '--input', '-', '--store', 's', '--rejects', 'docs.jsonl'], 'docs.jsonl'],
    ] as const) {
      const { exitCode, stderr } = await redirected(args, { cwd, stdin: path.join(cwd, input) });
      expect(stderr).toContain('are the same file');
      expect(exitCode).toBe(2);
    }
    expect(await contents(cwd)).toEqual({ 'lines.jsonl': LINE, 'docs.jsonl': DOCUMENTS });
  });

  it.runIf(existsSync('/dev/full'))('on a full disk are an error that says so', async () => {
    for (const args of [
      ['data', 'adworld', '--count', '5000'],
      ['data', 'adworld', '--count', '1'],
      ['list', 'experiments'],
    ]) {
      const { exitCode, stderr } = await redirected(args, { stdout: '/dev/full' });
      expect(stderr).toMatch(/^error DISK_FULL: standard output: no room is left/);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(exitCode).toBe(1);
    }
  });
});

/** As a shell does it: `dkv ... < stdin > stdout`. */
async function redirected(
  args: readonly string[],
  { cwd, stdin = '/dev/null', stdout = '/dev/null' }: { cwd?: string; stdin?: string; stdout?: string },
): Promise<{ exitCode: number | null; stderr: string }> {
  const [from, to] = [await open(stdin, 'r'), await open(stdout, 'w')];
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../../dist/cli/main.js'), ...args], {
    cwd,
    stdio: [from.fd, to.fd, 'pipe'],
    env: { ...process.env, DKV_CACHE: path.resolve(process.env.DKV_CACHE!) },
  });
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  for (const handle of [from, to]) await handle.close();
  return { exitCode, stderr };
}

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
