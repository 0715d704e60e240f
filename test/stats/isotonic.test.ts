import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitIsotonic, isotonicAt } from '../../src/stats/isotonic.js';

interface Case {
  readonly x: number[];
  readonly y: number[];
  readonly at: number[];
  readonly expected: number[];
}
const cases: Record<string, Case> = JSON.parse(
  readFileSync(new URL('../fixtures/stats/isotonic.json', import.meta.url), 'utf8'),
);

describe('isotonic regression', () => {
  it.each(Object.entries(cases))('gives scikit-learn’s values: %s', (_, { x, y, at, expected }) => {
    const fitted = fitIsotonic(x, y);
    for (const [i, place] of at.entries()) expect(isotonicAt(fitted, place)).toBeCloseTo(expected[i]!, 9);
  });

  it('never falls, stays within the data, and keeps their mean', () => {
    const points = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(points, (list) => {
        const [x, y] = [list.map(([value]) => value), list.map(([, value]) => value)];
        const { x: xs, y: ys } = fitIsotonic(x, y);
        expect(ys).toEqual([...ys].sort((a, b) => a - b));
        expect([Math.min(...ys) >= 0, Math.max(...ys) <= 1]).toEqual([true, true]);
        expect(xs).toEqual([...new Set(xs)].sort((a, b) => a - b));
        const fitted = x.reduce((sum, value) => sum + isotonicAt({ x: xs, y: ys }, value), 0);
        expect(fitted).toBeCloseTo(
          y.reduce((a, b) => a + b),
          9,
        );
      }),
    );
  });
});
