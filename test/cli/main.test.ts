import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEASURE_KINDS } from '../../src/stats/ranking.js';
import { ADDRESS_FORMS } from '../../src/store/backends/address.js';
import { dkv, dkvAlone, jsonLines } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const { version } = createRequire(import.meta.url)('../../package.json');

describe('a process of its own', () => {
  const model = ['--model', referenceFixture('text')];

  it('says and leaves what one says that goes on to the next command, and ends by itself', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'queries.jsonl'), '{"id":"q","text":"lamp"}\n');
    const lines = '{"id":"a","document":"A lamp for 24 euros.","target":"24 euros"}\n';
    for (const [args, input, status] of [
      [['--version'], '', 0],
      [['rum'], '', 2],
      [['score', ...model], `${lines}oops\n`, 2],
      [['prime', '--input', '-', '--store', 'ads', ...model], lines, 0],
      [['rank', '--store', 'ads', '--queries', 'queries.jsonl', '--candidates', 'all', ...model], '', 0],
      [['run', 'exp01', '--n', '2', '--out', '{}', '--json', ...model], '', 0],
    ] as const) {
      const of = (run: typeof dkv, out: string) =>
        run(
          args.map((arg) => arg.replace('{}', out)),
          { cwd, input },
        );
      const [own, shared] = [await of(dkvAlone, 'own'), await of(dkv, 'shared')];
      expect({ args, ...own }).toMatchObject({ args, exitCode: status });
      // Priming the same again finds it unchanged, and tells its speed.
      if (args[0] === 'prime') expect(shared.exitCode).toBe(own.exitCode);
      else expect(shared).toEqual(own);
    }
  });
});

describe('dkv', () => {
  it('says its version', async () => {
    for (const option of ['--version', '-v', '-V']) {
      expect(await dkv([option])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
    }
  });

  it.each([
    [[]],
    [['run']],
    [['score']],
    [['prime']],
    [['rank']],
    [['evaluate']],
    [['store', 'copy']],
    [['data', 'adworld']],
  ])('helps with %j, and gives examples', async (command) => {
    const { exitCode, stdout } = await dkv([...command, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: dkv');
    expect(stdout).toContain('Examples:');
    expect(stdout).not.toContain('\x1b');
  });

  it('names every form of a store and every measure in its help', async () => {
    const helpOf = async (...command: string[]) => (await dkv([...command, '--help'])).stdout.replace(/\s+/g, ' ');
    const { memory, ...lasting } = ADDRESS_FORMS;
    const beginningsOf = (forms: object) => Object.values(forms).map((form: string) => form.split(' (')[0]!);
    const [prime, look, rank] = [await helpOf('prime'), await helpOf('store', 'stats'), await helpOf('rank')];
    for (const form of beginningsOf(ADDRESS_FORMS)) expect(prime).toContain(form);
    for (const form of beginningsOf(lasting)) expect(look).toContain(form);
    for (const kind of MEASURE_KINDS) expect(rank).toMatch(new RegExp(`[ :]${kind}[@(,]|, ${kind} `));
  });

  it('does not guess at unknown commands and options', async () => {
    expect(await dkv(['rum'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("unknown command 'rum'") });
    expect(await dkv(['run', 'exp01', '--sample', '3'])).toMatchObject({ exitCode: 2 });
  });

  it('lets no control character and no password of a text reach the terminal', async () => {
    const hostile = 'redis:/me:s3cret@cache\x1b[2J\r\x07\x9b31m\u202e';
    for (const args of [[hostile], ['run', hostile], ['run', 'exp01', `--${hostile}`], ['store', 'stats', hostile]]) {
      const { exitCode, stdout, stderr } = await dkv(args);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('[hidden]@cache');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
      expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|s3cret/);
    }
  });

  it('writes built-in data', async () => {
    const { stdout } = await dkv(['data', 'adworld', '--count', '3', '--split', 'validation']);
    const ads = jsonLines(stdout);
    expect(ads.map(({ id }) => id)).toEqual([
      'adworld-validation-00000',
      'adworld-validation-00001',
      'adworld-validation-00002',
    ]);
    expect(ads[0]).toMatchObject({ text: expect.any(String), questions: expect.any(Array) });
    const again = await dkv(['data', 'adworld', '--count', '2', '--split', 'validation']);
    expect(jsonLines(again.stdout)).toEqual(ads.slice(0, 2));
  });

  it('writes pools for ranking', async () => {
    const { stdout } = await dkv(['data', 'adworld', '--count', '2', '--pools']);
    for (const { candidates } of jsonLines(stdout) as { candidates: { grade: number }[] }[]) {
      expect(new Set(candidates.map(({ grade }) => grade))).toEqual(new Set([0, 1, 2, 3]));
    }
  });

  it('describes the data', async () => {
    const stats = ['data', 'adworld', '--count', '50', '--stats'];
    expect((await dkv(stats)).stdout).toMatch(/^advertisements +50, of \d+ categories\nquestions +\d{3}, /);
    expect(JSON.parse((await dkv([...stats, '--json'])).stdout)).toMatchObject({
      ads: 50,
      document_words: { mean: expect.any(Number) },
    });
  });
});
