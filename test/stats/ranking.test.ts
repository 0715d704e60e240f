import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { measure, rank } from '../../src/stats/ranking.js';

interface Case {
  readonly id: string;
  readonly grades: Record<string, number>;
  readonly scores: Record<string, number>;
  readonly measures: Record<string, number>;
}
const { cases }: { cases: Case[] } = JSON.parse(
  readFileSync(new URL('../fixtures/stats/ranking.json', import.meta.url), 'utf8'),
);
const names = [...new Set(cases.flatMap(({ measures }) => Object.keys(measures)))];

describe('measures of rankings, against ir_measures and scipy', () => {
  it('has fixtures of every kind', () => {
    expect(names).toHaveLength(19);
  });

  it.each(names)('%s', (name) => {
    let compared = 0;
    for (const { id, grades, scores, measures } of cases) {
      const found = measure(name).of(new Map(Object.entries(scores)), new Map(Object.entries(grades)));
      const wanted = measures[name];
      // The reference gives 0 where there is nothing to find.
      if (found === undefined) expect([id, wanted ?? 0]).toEqual([id, 0]);
      else {
        expect(Math.abs(found - wanted!), id).toBeLessThan(1e-9);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(25);
  });

  it.each(['nDCG@0', 'ndcg@10', 'P', 'AUC@3', 'RR(gain=linear)', 'nDCG(rel=2)', 'nDCG(gain=cubic)', '', 'AP(rel=x)'])(
    'refuses "%s"',
    (name) => {
      expect(() => measure(name)).toThrow(/There is no measure/);
    },
  );
});

describe('ties', () => {
  it('go by document id, descending, whatever the order of the input', () => {
    const scores = { a: 1, c: 1, b: 1, é: 1, z: 2 };
    const entries = Object.entries(scores);
    expect(rank(new Map(entries))).toEqual(['z', 'é', 'c', 'b', 'a']);
    expect(rank(new Map(entries.reverse()))).toEqual(['z', 'é', 'c', 'b', 'a']);
  });

  it('are what single precision cannot tell apart', () => {
    expect(
      rank(
        new Map([
          ['a', 0.1 + 1e-12],
          ['b', 0.1],
        ]),
      ),
    ).toEqual(['b', 'a']);
  });
});
