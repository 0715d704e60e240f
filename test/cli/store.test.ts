/** `dkv store`, on stores that `dkv prime` made. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { open } from 'lmdb';
import { beforeEach, describe, expect, it } from 'vitest';
import { adworldLines } from '../../src/adworld/lines.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const ADS = [...adworldLines({ split: 'test', count: 3 })].map((line) => `${line}\n`).join('');

let cwd: string;
const run = (...args: string[]) => dkv(['store', ...args], { cwd });
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(...args, '--json');
  return JSON.parse(stdout);
}

describe('dkv store', () => {
  beforeEach(async () => {
    cwd = await temporaryFolder();
    await dkv(['prime', '--input', '-', '--store', 'ads', '--states', 'int8', '--surrogate', 'doc_kw'], {
      cwd,
      input: ADS,
    });
  });

  it('counts', async () => {
    const { exitCode, stdout } = await run('stats', 'ads');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^documents +3\nrecords +6\nsize +\d+ kB\nprimed with +tiny \(\w{12}\), weights float32, states int8\n/m,
    );
    expect(await json('stats', 'ads')).toMatchObject({
      documents: 3,
      records: 6,
      primed: { states_precision: 'int8', visibility: 'exact' },
      prior: null,
    });
  });

  it('finds damage and takes it out', async () => {
    expect(await run('verify', 'ads')).toMatchObject({
      exitCode: 0,
      stdout: '6 records, 3 documents, 1 note read, 0 damaged.\n',
    });
    const root = open({ path: path.join(cwd, 'ads'), maxDbs: 12, encoding: 'binary' });
    const records = root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' });
    const [key] = [...records.getKeys({ limit: 1 })];
    await records.put(key!, Buffer.from(records.getBinary(key!)!.with(99, 0)));
    await root.close();
    const found = await run('verify', 'ads');
    expect(found).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/checksum does not match[^\n]*\n6 records, 3 documents, 1 note read, 1 damaged/),
    });
    expect(await json('verify', 'ads')).toMatchObject({ records: 6, damaged: [{ key }], removed: 0 });
    expect(await run('verify', 'ads', '--remove')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/taken out/),
    });
    expect(await json('verify', 'ads')).toMatchObject({ records: 5, damaged: [] });
    const again = await dkv(
      ['prime', '--input', '-', '--store', 'ads', '--states', 'int8', '--surrogate', 'doc_kw', '--json'],
      {
        cwd,
        input: ADS,
      },
    );
    expect(JSON.parse(again.stdout)).toMatchObject({ primed: 1, unchanged: 2, encoded: 1 });
  });

  it('tidies', async () => {
    await dkv(
      [
        'prime',
        '--input',
        '-',
        '--store',
        'ads',
        '--states',
        'int8',
        '--surrogate',
        'doc_kw',
        '--no-bare',
        '--replace',
      ],
      {
        cwd,
        input: ADS,
      },
    );
    expect((await run('gc', 'ads')).stdout).toBe('Gone: 0 records (0 bytes) and 0 expired documents.\n');
    expect(await json('gc', 'ads', '--min-age', '0')).toMatchObject({ records: 3, documents: 0 });
    expect(await json('stats', 'ads')).toMatchObject({ records: 3 });
  });

  it('copies, exports and imports, and again', async () => {
    expect((await run('copy', 'ads', 'copy')).stdout).toBe('3 documents, 6 records, 1 note copied.\n');
    expect((await run('copy', 'ads', 'copy')).stdout).toMatch(/^0 documents, .*; 3 were there\.\n$/);
    expect((await run('export', 'copy', 'ads.dkv')).stdout).toBe('3 documents, 6 records, 1 note exported.\n');
    expect(existsSync(path.join(cwd, 'ads.dkv.partial'))).toBe(false);
    expect(await json('import', 'back', 'ads.dkv')).toMatchObject({ documents: 3, records: 6, notes: 1 });
    expect(await json('import', 'back', 'ads.dkv')).toMatchObject({ documents: 0, unchanged: 3 });
    const second = await dkv(
      ['prime', '--input', '-', '--store', 'back', '--states', 'int8', '--surrogate', 'doc_kw', '--json'],
      {
        cwd,
        input: ADS,
      },
    );
    expect(JSON.parse(second.stdout)).toMatchObject({ unchanged: 3, encoded: 0 });
  });

  it('writes to standard output and reads from standard input', async () => {
    const { startDkv } = await import('../support/dkv.js');
    const [from, to] = [
      startDkv(['store', 'export', 'ads', '-'], { cwd }),
      startDkv(['store', 'import', 'piped', '-'], { cwd }),
    ];
    from.stdout.pipe(to.stdin);
    const exitCode = await new Promise((resolve) => to.on('close', resolve));
    expect(exitCode).toBe(0);
    expect(await json('stats', 'piped')).toMatchObject({ documents: 3, records: 6 });
  });

  it('refuses damaged files, other stores, and what is none', async () => {
    await run('export', 'ads', 'ads.dkv');
    const bytes = await readFile(path.join(cwd, 'ads.dkv'));
    await writeFile(path.join(cwd, 'cut.dkv'), bytes.subarray(0, 40_000));
    await dkv(['prime', '--input', '-', '--store', 'other'], { cwd, input: ADS });
    for (const [args, message] of [
      [['import', 'new', 'cut.dkv'], /STORE_DAMAGED: cut\.dkv is damaged: it ends/],
      [['import', 'new', 'none.dkv'], /none\.dkv: no such file/],
      [['import', 'other', 'ads.dkv'], /STORE_MISMATCH.*"primed" \(statesPrecision differ\)/],
      [['copy', 'ads', 'other'], /STORE_MISMATCH/],
      [['stats', 'nowhere'], /nowhere: there is no store/],
      [['verify', 'http://x'], /is no place for a store/],
      [['export', 'ads', 'no/such/folder.dkv'], /no\/such\/folder\.dkv: there is no such file or folder/],
      [['gc', 'ads', '--min-age', 'now'], /with s, m, h or d behind it/],
    ] as [string[], RegExp][]) {
      const { exitCode, stderr } = await run(...args);
      expect(stderr).toMatch(message);
      expect(exitCode).toBeGreaterThan(0);
    }
    expect(existsSync(path.join(cwd, 'nowhere'))).toBe(false);
  });
});
