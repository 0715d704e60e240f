/** Stores that an earlier release made: they give the scores that they gave then, or are refused. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { readProvenance } from '../../src/serving/provenance.js';
import { rank } from '../../src/serving/rank.js';
import { score } from '../../src/serving/score.js';
import { openStore } from '../../src/store/open.js';
import { dkv, jsonLines } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const RELEASE = path.resolve(import.meta.dirname, '../fixtures/store/release-0.1.0');

/** The stores, unpacked into a folder of their own, to which opening them writes. */
async function unpackedRelease(): Promise<string> {
  const folder = await temporaryFolder();
  await cp(RELEASE, folder, { recursive: true });
  for (const precision of ['float32', 'int8']) {
    const file = path.join(folder, precision, 'data.mdb');
    await writeFile(file, gunzipSync(await readFile(`${file}.gz`)));
    await rm(`${file}.gz`);
  }
  return folder;
}

async function ranked(precision: string, variant: string) {
  const cwd = await unpackedRelease();
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

  it('of int8 is refused, by what gives other numbers since', async () => {
    const { exitCode, stderr } = await ranked('int8', variant);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /STORE_MISMATCH.*as int8 by release 0\.1\.0; since then .* smoothed before they are rounded to 8 bits/s,
    );
    expect(stderr).toContain('dkv prime --replace');
  });
});

it('goes on with a store of release 0.1.0 under the name that it knows the model by', async () => {
  const model = await loadModel();
  const store = await openStore(path.join(await unpackedRelease(), 'float32'));
  const note = await readProvenance(store);
  expect(note?.fingerprint).toBe(model.formerly[0]!.fingerprint);
  const before: string[] = [];
  for await (const id of store.ids()) before.push(id);
  const more = await prime(model, store, [{ id: 'new', text: 'The lamp costs nine euros.' }], {});
  expect(more).toMatchObject({ primed: 1, rejected: 0 });
  expect(await readProvenance(store)).toEqual(note);
  const [one, other] = await score(model, store, [
    { id: before[0]!, target: 'lamp' },
    { id: 'new', target: 'nine euros' },
  ]);
  for (const answer of [one, other]) expect(answer).not.toBeInstanceOf(DkvError);
  const stored = await store.getDocument('new', 'bare');
  expect(stored!.record.fingerprint).toBe(note!.fingerprint);
  // Another model's states stay refused.
  const foreign = { ...model, fingerprint: 'f'.repeat(64), formerly: [] };
  expect((await score(foreign, store, [{ id: 'new', target: 'lamp' }]))[0]).toMatchObject({ code: 'STORE_MISMATCH' });
  await expect(rank(foreign, store, []).next()).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
  await store.close();
  await model.close();
});

function expectEqual(now: readonly Record<string, unknown>[], then: readonly Record<string, unknown>[]): void {
  for (const [at, before] of then.entries()) {
    expect(now[at]).toMatchObject({ query: before.query, id: before.id, rank: before.rank, tokens: before.tokens });
    // As for every comparison of numbers from different machines.
    expect(Math.abs((now[at]!.nll as number) - (before.nll as number))).toBeLessThan(1e-4);
  }
}
