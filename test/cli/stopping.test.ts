/** Ctrl-C is heard by whatever a command is doing, and what asks for too much is refused before it begins. */
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { dkv, startDkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const model = referenceFixture('text');

describe('Ctrl-C', () => {
  it.each([
    ['while data are made', ['run', 'exp01', '--n', '200000', '--model', model]],
    ['while pools are made', ['run', 'exp04c', '--n', '200000', '--model', model]],
    ['while figures are computed', ['data', 'adworld', '--count', '200000', '--stats']],
    ['while a collection is made', ['data', 'adworld', '--count', '200000', '--beir', 'ads']],
    [
      'while a file is written that nobody waits for',
      ['data', 'adworld', '--count', '100000000', '--output', '/dev/null'],
    ],
  ])('is heard %s, and leaves nothing behind', async (_, args) => {
    const cwd = await temporaryFolder();
    const child = startDkv(args, { cwd });
    const ended = once(child, 'close');
    // At it, and far from the end.
    if (args[0] === 'run') while (!String((await once(child.stderr, 'data'))[0]).includes('Making 200,000'));
    else await setTimeout(1500);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    const [exitCode, signal] = await ended;
    expect(signal ?? exitCode).toBe(args[0] === 'run' ? 130 : 'SIGINT');
    const left = (await readdir(cwd, { recursive: true })).filter((name) => !/^ads(.qrels)?$/.test(name));
    expect(left).toEqual([]);
  });
});

describe('what asks for too much', () => {
  it.each([
    ['samples', ['run', 'exp01', '--n', '1000000000', '--model', model], /more than AdWorld makes for a run/],
    ['figures', ['data', 'adworld', '--count', '1000000000', '--stats'], /at most 200000/],
    ['queries', ['data', 'adworld', '--count', '1000000000', '--beir', 'ads'], /at most 200000/],
    ['repetitions', ['prime', '--surrogate', 'static:x*99999999'], /up to 10000/],
    ['words', ['prime', '--surrogate', 'kw99999999'], /up to 10000/],
    ['nesting', ['prime', '--surrogate', `${'scramble('.repeat(5000)}doc_kw${')'.repeat(5000)}`], /nested 4 times/],
  ])('is refused: %s', async (_, args, message) => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"a","text":"A lamp."}\n');
    const all = args[0] === 'prime' ? [...args, '--input', 'docs.jsonl', '--store', 'store', '--model', model] : args;
    const { exitCode, stderr } = await dkv(all, { cwd });
    expect(stderr).toMatch(message);
    expect(stderr.length).toBeLessThan(1000);
    expect(exitCode).toBe(2);
    expect(await readdir(cwd)).toEqual(['docs.jsonl']);
  });
});
