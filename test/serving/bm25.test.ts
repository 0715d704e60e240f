/** BM25 against bm25s, and over a store's texts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Bm25 } from '../../src/serving/bm25.js';

interface Fixture {
  readonly documents: readonly string[];
  readonly cases: readonly { readonly query: string; readonly scores: readonly number[] }[];
}
const { documents, cases }: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/bm25.json', import.meta.url), 'utf8'),
);

describe('BM25', () => {
  const index = new Bm25();
  for (const [i, text] of documents.entries()) index.add(`d${i}`, text);

  it.each(cases)('scores "$query" as bm25s does', ({ query, scores }) => {
    const found = index.score(
      query,
      Array.from(documents, (_, i) => `d${i}`),
    );
    for (const [i, wanted] of scores.entries()) expect(found[i]).toBeCloseTo(wanted, 12);
    const ranked = index.search(query, 5);
    expect(ranked.map(({ score }) => score)).toEqual([...ranked.map(({ score }) => score)].sort((a, b) => b - a));
    expect(ranked[0]!.score).toBeCloseTo(Math.max(...scores), 12);
    expect(ranked.length).toBe(Math.min(5, scores.filter((score) => score > 0).length));
  });

  it('puts equal documents in the descending order of their ids, whatever the order in which they came', () => {
    for (const ids of [
      ['a', 'c', 'b'],
      ['c', 'b', 'a'],
    ]) {
      const equal = new Bm25();
      for (const id of ids) equal.add(id, 'Two red shoes');
      expect(equal.search('shoes', 2).map(({ id }) => id)).toEqual(['c', 'b']);
      expect(equal.score('blue hats', ['a', 'nowhere'])).toEqual([0, undefined]);
    }
  });
});
