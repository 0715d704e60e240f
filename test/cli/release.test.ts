/** What an earlier release read is read as it was, with the numbers that it gave. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dkv, jsonLines } from '../support/dkv.js';

const RELEASE = path.resolve(import.meta.dirname, '../fixtures/inputs/release-0.1.0');

const lines = async (file: string) => jsonLines(await readFile(path.join(RELEASE, file), 'utf8'));

/** As for every comparison of numbers from different machines. */
const TOLERANCE = 1e-4;

function expectNear(now: unknown, then: unknown, where: string): void {
  if (typeof then === 'number' && !Number.isInteger(then)) expect(now, where).toBeCloseTo(then, -Math.log10(TOLERANCE));
  else if (Array.isArray(then)) for (const [at, one] of then.entries()) expectNear((now as unknown[])[at], one, where);
  else expect(now, where).toEqual(then);
}

function expectLines(now: readonly Record<string, unknown>[], then: readonly Record<string, unknown>[]): void {
  expect(now).toHaveLength(then.length);
  for (const [at, before] of then.entries()) {
    expect(Object.keys(now[at]!)).toEqual(expect.arrayContaining(Object.keys(before)));
    for (const [name, value] of Object.entries(before)) expectNear(now[at]![name], value, `line ${at + 1}, ${name}`);
  }
}

describe('release 0.1.0', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(path.join(os.tmpdir(), 'dkv-test-'));
    await cp(RELEASE, cwd, { recursive: true });
    const { exitCode, stdout } = await dkv(['prime', '--input', 'documents.jsonl', '--store', 'store', '--json'], {
      cwd,
    });
    // One of them has no text.
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 5, primed: 4, rejected: 1 });
  });

  afterAll(() => rm(cwd, { recursive: true, force: true }));

  it('scored these lines, and refused these', async () => {
    const { exitCode, stdout } = await dkv(['score', '--input', 'score.jsonl'], { cwd });
    expect(exitCode).toBe(2);
    const [now, then] = [jsonLines(stdout), await lines('scored.jsonl')];
    const isScored = (line: Record<string, unknown>) => !('error' in line);
    expectLines(now.filter(isScored), then.filter(isScored));
    // The words of a refusal may change; the line, its id and the code may not.
    const refusals = (all: typeof then) =>
      all.filter((line) => !isScored(line)).map(({ error, ...rest }) => [rest, (error as { code: string }).code]);
    expect(refusals(now)).toEqual(refusals(then));
  });

  it.each([
    ['all'],
    ['bm25:2'],
    ['candidates.tsv'],
    ['first.run'],
    ['qrels.tsv'],
    ['qrels.txt'],
    ['judged', '--qrels', 'qrels.txt'],
  ])('ranked candidates from %s', async (candidates, ...more) => {
    const args = ['--queries', 'queries.jsonl', '--candidates', candidates, ...more];
    const output = ['--output', 'run.txt', '--details', 'now.jsonl'];
    const { exitCode, stderr } = await dkv(['rank', '--store', 'store', ...args, ...output], { cwd });
    expect(exitCode, stderr).toBe(0);
    const now = jsonLines(await readFile(path.join(cwd, 'now.jsonl'), 'utf8'));
    expectLines(now, await lines(`details-${candidates.replace(':', '-')}.jsonl`));
  });

  it('interpolated with the scores of a first stage', async () => {
    const args = ['--queries', 'queries.jsonl', '--candidates', 'first.run', '--interpolate', '0.3'];
    await dkv(['rank', '--store', 'store', ...args, '--output', 'run.txt'], { cwd });
    const columns = async (file: string) =>
      (await readFile(file, 'utf8')).split('\n').map((line) => line.split(' ').slice(0, 5));
    const [now, then] = [
      await columns(path.join(cwd, 'run.txt')),
      await columns(path.join(RELEASE, 'interpolated.txt')),
    ];
    for (const [at, [query, q0, id, rank, score]] of then.entries()) {
      expect(now[at]!.slice(0, 4)).toEqual([query, q0, id, rank].filter((column) => column !== undefined));
      if (score !== undefined) expectNear(Number(now[at]![4]), Number(score), `line ${at + 1}`);
    }
  });
});
