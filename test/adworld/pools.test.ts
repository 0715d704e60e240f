import { describe, expect, it } from 'vitest';
import { offers } from '../../src/adworld/categories/all.js';
import { adworldPools } from '../../src/adworld/pools.js';

const pools = adworldPools({ split: 'test', count: 150 });

/** The nouns of offers that a text has in the singular, the longest first: "bicycle helmet" before "bicycle". */
function nounsIn(text: string): string[] {
  return offers()
    .map(({ item }) => item.noun)
    .filter((noun) => new RegExp(`\\b${noun}\\b`, 'i').test(text))
    .sort((a, b) => b.length - a.length);
}

describe('pools', () => {
  it('hold every grade, and give the same pools for the same seed whatever is asked for', () => {
    for (const { candidates } of pools) {
      expect(candidates.length).toBe(8);
      expect(new Set(candidates.map(({ grade }) => grade))).toEqual(new Set([0, 1, 2, 3]));
    }
    expect(adworldPools({ split: 'test', count: 3 })).toEqual(pools.slice(0, 3));
    expect(() => adworldPools({ split: 'test', count: 1, candidates: 3 })).toThrow(RangeError);
  });

  it('have unique ids and documents', () => {
    const candidates = pools.flatMap((pool) => pool.candidates);
    expect(new Set(candidates.map(({ id }) => id)).size).toBe(candidates.length);
    expect(new Set(candidates.map(({ document }) => document)).size).toBe(candidates.length);
  });

  it('name the item in exact and substitute candidates and not in irrelevant ones', () => {
    for (const { query, candidates } of pools) {
      const noun = nounsIn(query)[0]!;
      for (const { grade, document } of candidates) {
        if (grade >= 2) expect(document.toLowerCase(), query).toContain(noun.toLowerCase());
        if (grade === 0) expect(nounsIn(document)[0], query).not.toBe(noun);
      }
    }
  });

  it('grade a bound on the price as the texts say it', () => {
    const bounded = pools.filter(({ query }) => /^\D*\d+ euros\D*$/.test(query));
    expect(bounded.length).toBeGreaterThan(10);
    for (const { query, candidates } of bounded) {
      const bound = Number(/(\d+) euros/.exec(query)![1]);
      for (const { grade, document } of candidates.filter((candidate) => candidate.grade === 3)) {
        const amounts = [...document.matchAll(/(?:€|EUR )([\d,.]*\d)|([\d,.]*\d) euros/g)].map((match) =>
          Number((match[1] ?? match[2]!).replaceAll(',', '')),
        );
        expect(Math.min(...amounts), `${query} (${grade}): ${document}`).toBeLessThan(bound);
      }
    }
  });

  it('say in an exact candidate what the query asks for, and miss it in a substitute', () => {
    const colored = pools.flatMap((pool) => {
      const color = /(dark green|navy blue|mustard yellow|turquoise|wine red|mint green|sky blue|light pink)/i.exec(
        pool.query,
      );
      return color ? [{ ...pool, color: color[1]!.toLowerCase() }] : [];
    });
    expect(colored.length).toBeGreaterThan(2);
    for (const { color, candidates } of colored) {
      for (const { grade, document } of candidates) if (grade === 3) expect(document.toLowerCase()).toContain(color);
    }
  });
});
