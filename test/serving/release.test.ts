/** Stores that an earlier release made: they give the scores that they gave then, or are refused. */
import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dkv, jsonLines } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const RELEASE = path.resolve(import.meta.dirname, '../fixtures/store/release-0.1.0');

async function ranked(precision: string, variant: string) {
  const cwd = await temporaryFolder();
  // Opening a store writes to its folder.
  await cp(RELEASE, cwd, { recursive: true });
  const args = [
    '--queries',
    'queries.jsonl',
    '--candidates',
    'bm25:10',
    '--variant',
    variant,
    '--precision',
    precision,
  ];
  const { exitCode, stderr } = await dkv(
    ['rank', '--store', precision, ...args, '--output', 'run.txt', '--details', 'now.jsonl'],
    {
      cwd,
    },
  );
  const lines = async (file: string) => jsonLines(await readFile(file, 'utf8'));
  const then = await lines(path.join(RELEASE, `${precision}.${variant}.jsonl`));
  return { exitCode, stderr, then, now: exitCode === 0 ? await lines(path.join(cwd, 'now.jsonl')) : undefined };
}

describe.each(['bare', 'doc_kw'])('a store of release 0.1.0, variant %s', (variant) => {
  it('of float32 ranks as it did', async () => {
    const { stderr, then, now } = await ranked('float32', variant);
    expect(now, stderr).toHaveLength(then.length);
    expectEqual(now!, then);
  });

  it('of int8 ranks as it did, or is refused', async () => {
    const { exitCode, stderr, then, now } = await ranked('int8', variant);
    if (now) return expectEqual(now, then);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('STORE_MISMATCH');
  });
});

function expectEqual(now: readonly Record<string, unknown>[], then: readonly Record<string, unknown>[]): void {
  for (const [at, before] of then.entries()) {
    expect(now[at]).toMatchObject({ query: before.query, id: before.id, rank: before.rank, tokens: before.tokens });
    // As for every comparison of numbers from different machines.
    expect(Math.abs((now[at]!.nll as number) - (before.nll as number))).toBeLessThan(1e-4);
  }
}
