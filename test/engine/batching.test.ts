import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paddedLength, planBatches } from '../../src/engine/batching.js';

const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 })), {
  maxLength: 60,
});

describe('padded length', () => {
  it('wastes at most 7 rows up to 256, and an eighth above', () => {
    for (let length = 1; length <= 9000; length++) {
      const waste = paddedLength(length) - length;
      expect(waste).toBeGreaterThanOrEqual(0);
      expect(waste).toBeLessThan(length <= 256 ? 8 : length / 8);
    }
  });

  it('has room for nothing at all', () => {
    expect(paddedLength(0)).toBe(8);
  });

  it('never makes a longer item shorter', () => {
    for (let length = 0; length < 9000; length++)
      expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(paddedLength(length));
  });
});

describe('batches', () => {
  it('hold every item exactly once, in shapes that are their own', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 20_000 }), (parts, budget) => {
        const batches = planBatches(parts, budget);
        expect(batches.flatMap(({ items }) => items).sort((a, b) => a - b)).toEqual(parts.map((_, i) => i));
        for (const { items, shape } of batches) {
          for (const item of items) expect(parts[item]!.map(paddedLength)).toEqual(shape);
          const rows = items.length * (shape[0]! + shape[1]!);
          expect(items.length === 1 || rows <= budget).toBe(true);
        }
      }),
    );
  });

  it('hold items together that read the same rows, and more of them', () => {
    // Eight rows of their own each; 512 in common.
    const batches = planBatches(
      Array.from({ length: 12 }, () => [8, 512]),
      520 + 5 * (8 + 64),
      Array.from({ length: 12 }, (_, item) => item % 2),
    );
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 2, 4, 6, 8, 10],
      [1, 3, 5, 7, 9, 11],
    ]);
  });

  it('pad an item the same in any company', () => {
    fc.assert(
      fc.property(lengths, lengths, (some, others) => {
        const shapeOf = (parts: typeof some, item: number) =>
          planBatches(parts, 4096).find(({ items }) => items.includes(item))!.shape;
        for (const item of some.keys()) {
          expect(shapeOf([...some, ...others], item)).toEqual(shapeOf(some, item));
        }
      }),
    );
  });

  it('are few: only the last of a shape may be short', () => {
    const batches = planBatches(
      Array.from({ length: 10 }, () => [100]),
      4 * 104,
    );
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });
});
