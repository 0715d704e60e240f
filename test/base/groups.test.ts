import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grouped } from '../../src/base/groups.js';

const groups = (weights: readonly number[], most: number) => [...grouped(weights, most, (weight) => weight)];

describe('groups', () => {
  it('have so many items, the last one what is left', () => {
    expect([...grouped('abcde', 2)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect([...grouped([], 2)]).toEqual([]);
  });

  it('weigh so much, and more only as a single item', () => {
    expect(groups([3, 2, 9, 1, 4, 1], 5)).toEqual([[3, 2], [9], [1, 4], [1]]);
    expect(groups([0, 9, 0, 0, 5], 5)).toEqual([
      [0, 9],
      [0, 0, 5],
    ]);
  });

  it('are the list in order, and no two neighbours would fit together', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 })), fc.integer({ min: 1, max: 30 }), (weights, most) => {
        const cut = groups(weights, most);
        const sums = cut.map((group) => group.reduce((sum, weight) => sum + weight, 0));
        expect(cut.flat()).toEqual(weights);
        for (const [g, group] of cut.entries()) expect(sums[g]! <= most || group.length === 1).toBe(true);
        for (const [g, group] of cut.slice(1).entries()) expect(sums[g]! + group[0]!).toBeGreaterThan(most);
      }),
    );
  });
});
