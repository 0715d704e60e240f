import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paddedLength, paddedMemory, planBatches } from '../../src/engine/batching.js';

const sizes = fc.array(
  fc.record({
    rows: fc.integer({ min: 1, max: 3000 }),
    memory: fc.record({ rows: fc.integer({ min: 0, max: 3000 }), id: fc.integer({ min: 0, max: 5 }) }),
  }),
  { maxLength: 60 },
);

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
    expect(paddedMemory(0)).toBe(32);
  });

  it('never makes a longer item shorter', () => {
    for (let length = 0; length < 9000; length++) {
      expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(paddedLength(length));
      expect(paddedMemory(length + 1)).toBeGreaterThanOrEqual(paddedMemory(length));
      expect(paddedMemory(length)).toBeGreaterThanOrEqual(length);
    }
  });
});

describe('batches', () => {
  it('hold every item exactly once, in shapes that are their own', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 20_000 }), (of, budget) => {
        const batches = planBatches(of, budget);
        expect(batches.flatMap(({ items }) => items).sort((a, b) => a - b)).toEqual(of.map((_, i) => i));
        for (const { items, rows, memoryRows } of batches) {
          for (const item of items) {
            expect(paddedLength(of[item]!.rows)).toBe(rows);
            expect(paddedMemory(of[item]!.memory.rows)).toBe(memoryRows);
          }
          expect(items.length === 1 || items.length * (rows + memoryRows / 8) <= budget).toBe(true);
        }
      }),
    );
  });

  it('hold items together that read the same rows', () => {
    const batches = planBatches(
      Array.from({ length: 12 }, (_, item) => ({ rows: 8, memory: { rows: 512, id: item % 2 } })),
      6 * (8 + 512 / 8),
    );
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 2, 4, 6, 8, 10],
      [1, 3, 5, 7, 9, 11],
    ]);
  });

  it('pad an item the same in any company', () => {
    fc.assert(
      fc.property(sizes, sizes, (some, others) => {
        const shapeOf = (all: typeof some, item: number) => {
          const { rows, memoryRows } = planBatches(all, 4096).find(({ items }) => items.includes(item))!;
          return { rows, memoryRows };
        };
        for (const item of some.keys()) {
          expect(shapeOf([...some, ...others], item)).toEqual(shapeOf(some, item));
        }
      }),
    );
  });

  it('are few: only the last of a shape may be short', () => {
    const batches = planBatches(
      Array.from({ length: 10 }, () => ({ rows: 100 })),
      4 * 104,
    );
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });
});
