/** AdWorld as a collection in BEIR's form, read back as any other. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { adworldCollection } from '../../src/adworld/collection.js';
import { adworldAnswerPools, adworldPools } from '../../src/adworld/pools.js';
import { openPools } from '../../src/datasets/open.js';
import { dkv, jsonLines } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const byId = <T extends { readonly id: string }>(list: readonly T[]) =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1));

describe('dkv data adworld --beir', () => {
  it('writes a collection that the BEIR reader brings back', async () => {
    const folder = path.join(await temporaryFolder(), 'ads');
    const { exitCode } = await dkv(['data', 'adworld', '--count', '5', '--documents', '70', '--beir', folder]);
    expect(exitCode).toBe(0);
    const corpus = jsonLines(await readFile(path.join(folder, 'corpus.jsonl'), 'utf8'));
    expect(corpus).toHaveLength(70);
    expect(new Set(corpus.map(({ _id }) => _id)).size).toBe(70);
    const wanted = adworldPools({ split: 'test', count: 5 });
    const { pools } = await openPools(`beir:${folder}`, { count: 5, seed: 1 });
    expect(byId(pools).map(({ id, query }) => ({ id, query }))).toEqual(wanted.map(({ id, query }) => ({ id, query })));
    for (const [p, { candidates }] of byId(pools).entries()) {
      const judged = wanted[p]!.candidates.map(({ title: _, ...candidate }) => candidate);
      const ids = new Set(judged.map(({ id }) => id));
      expect(byId(candidates.filter(({ id }) => ids.has(id)))).toEqual(byId(judged));
    }
  });

  it('has answers when asked for', async () => {
    const folder = await temporaryFolder();
    await dkv(['data', 'adworld', '--count', '3', '--answers', '--beir', folder]);
    const wanted = adworldAnswerPools({ split: 'test', count: 3 });
    expect(jsonLines(await readFile(path.join(folder, 'queries.jsonl'), 'utf8'))).toEqual(
      wanted.map(({ id, query, answer }) => ({ _id: id, text: query, answer })),
    );
  });

  it('has each document once, the judged ones first, however many others', () => {
    const range = { split: 'test', count: 4, answers: true } as const;
    const few = [...adworldCollection(range).documents];
    const many = [...adworldCollection({ ...range, documents: 300 }).documents];
    expect(many.slice(0, few.length)).toEqual(few);
    expect(new Set(many.map(({ id }) => id)).size).toBe(300);
    expect(() => adworldCollection({ ...range, documents: 5 })).toThrow(
      /judged documents, and 5 in all were asked for/,
    );
  });

  it('refuses parts of it without a folder', async () => {
    const { exitCode, stderr } = await dkv(['data', 'adworld', '--documents', '9']);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('give --beir FOLDER')]);
  });
});
