import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Conditions,
  costOf,
  type Group,
  mostByMemory,
  nextBatch,
  paddedLength,
  paddedMemory,
  shapeOf,
  type Waiting,
} from '../../src/engine/batching.js';
import { PRIORITIES } from '../../src/engine/engine.js';
import { ReadyItems } from '../../src/engine/ready-items.js';

const sizes = fc.array(
  fc.record({
    rows: fc.integer({ min: 1, max: 3000 }),
    memory: fc.record({ rows: fc.integer({ min: 0, max: 3000 }), id: fc.integer({ min: 0, max: 5 }) }),
  }),
  { minLength: 1, maxLength: 30 },
);

const CALM: Conditions = {
  batchTokens: 100,
  heads: { encoder: 12, decoder: 16 },
  freeRunners: 1,
  now: 0,
  freeSince: 0,
  waitMs: 3,
  mostRows: () => Number.POSITIVE_INFINITY,
  company: () => 1,
};

const group = (count: number, rows = 8, kind = 'score', memoryRows = 0): Group => ({ kind, rows, memoryRows, count });
const request = (groups: readonly Group[], own: Partial<Waiting> = {}): Waiting => ({
  priority: 'interactive',
  since: 0,
  groups,
  ...own,
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

describe('the next batch', () => {
  it('is none when nothing waits', () => {
    expect(nextBatch([], CALM)).toBeUndefined();
  });

  it('has the most costly items of who came first, then what fits to them from those behind', () => {
    const waiting = [
      request([group(2, 8), group(3, 16)]),
      request([group(1, 8), group(2, 24)]),
      request([group(9, 16), group(1, 16, 'encode')]),
    ];
    expect(nextBatch(waiting, CALM)).toEqual({
      kind: 'score',
      rows: 16,
      memoryRows: 0,
      takes: [
        { request: 0, count: 3 },
        { request: 2, count: 3 },
      ],
    });
  });

  it('counts rows that are only read for an eighth', () => {
    const waiting = [request([group(9, 8, 'score', 128)])];
    expect(nextBatch(waiting, CALM)).toMatchObject({ memoryRows: 128, takes: [{ request: 0, count: 4 }] });
  });

  it('has fewer long items than their rows would allow, for the memory of their scores', () => {
    const many = { ...CALM, batchTokens: 1e6 };
    // 12 heads of 1,024 x 1,024 float32 scores, and as much that is added to them: 101 MB of the 250 MB.
    expect(mostByMemory({ rows: 1024, memoryRows: 0 }, many.heads)).toBeCloseTo(250 / 100.66, 3);
    // 16 heads of 512 x (512 + 2,048).
    expect(mostByMemory({ rows: 512, memoryRows: 2048 }, many.heads)).toBeCloseTo(250 / 167.77, 3);
    for (const [item, count] of [
      [group(99, 128, 'encode'), 99],
      [group(99, 1024, 'encode'), 2],
      [group(99, 2048, 'encode'), 1],
      [group(99, 8, 'score', 2048), 99],
      [group(99, 512, 'score', 2048), 1],
    ] as const) {
      expect(nextBatch([request([item])], many)).toMatchObject({ takes: [{ request: 0, count }] });
    }
  });

  it('has one item that is too large for any', () => {
    expect(nextBatch([request([group(3, 512)])], CALM)).toMatchObject({ takes: [{ request: 0, count: 1 }] });
  });

  it('is of the interactive requests as long as there are some, whoever came first', () => {
    const waiting = [request([group(9, 64)], { priority: 'bulk' }), request([group(1)]), request([group(2)])];
    expect(nextBatch(waiting, CALM)).toMatchObject({
      rows: 8,
      takes: [
        { request: 1, count: 1 },
        { request: 2, count: 2 },
      ],
    });
    expect(nextBatch([waiting[0]!, request([group(1)], { priority: 'bulk' })], CALM)).toMatchObject({ rows: 64 });
  });

  it('leaves something for every runner that is free', () => {
    const waiting = [request([group(9)])];
    expect(nextBatch(waiting, { ...CALM, freeRunners: 2 })).toMatchObject({ takes: [{ request: 0, count: 4 }] });
    const two = [request([group(1)]), request([group(1)])];
    expect(nextBatch(two, { ...CALM, freeRunners: 2 })).toMatchObject({ takes: [{ request: 0, count: 1 }] });
    expect(nextBatch(two, CALM)).toMatchObject({ takes: [{ count: 1 }, { count: 1 }] });
  });

  it('takes no longer than it may, as far as is known, but has an item', () => {
    const waiting = [request([group(9)])];
    for (const [rows, count] of [
      [0, 1],
      [8, 1],
      [31, 3],
      [1000, 9],
    ] as const) {
      expect(nextBatch(waiting, { ...CALM, mostRows: () => rows })).toMatchObject({ takes: [{ request: 0, count }] });
    }
  });

  it('waits for as many as were there last, and not longer than it may', () => {
    const two = [request([group(1)]), request([group(1)])];
    const company = () => 3;
    expect(nextBatch(two, { ...CALM, company, now: 1 })).toBe(2);
    expect(nextBatch(two, { ...CALM, company, now: 3 })).toMatchObject({ takes: [{ count: 1 }, { count: 1 }] });
    expect(nextBatch([...two, request([group(1)])], { ...CALM, company })).toMatchObject({ kind: 'score' });
    expect(nextBatch(two, { ...CALM, company, waitMs: 0 })).toMatchObject({ kind: 'score' });
    // Since the runner is free, and since there is a request.
    expect(nextBatch(two, { ...CALM, company, now: 9, freeSince: 7 })).toBe(1);
    expect(nextBatch([request([group(1)], { since: 8 })], { ...CALM, company, now: 9 })).toBe(2);
    // What is full already has nothing to wait for.
    expect(nextBatch([request([group(99)])], { ...CALM, company })).toMatchObject({ takes: [{ count: 12 }] });
    expect(nextBatch([request([group(1)])], CALM)).toMatchObject({ takes: [{ count: 1 }] });
  });

  it('has no other company for a request that has to be alone', () => {
    const waiting = [request([group(2)]), request([group(2)], { isAlone: true }), request([group(1)])];
    expect(nextBatch(waiting, CALM)).toMatchObject({ takes: [{ request: 0 }, { request: 2 }] });
    const company = () => 9;
    expect(nextBatch(waiting.slice(1), { ...CALM, company })).toMatchObject({ takes: [{ request: 0, count: 2 }] });
  });

  it('comes to every item once, in a shape that is its own, within the budget', () => {
    const requests = fc.array(fc.record({ priority: fc.constantFrom(...PRIORITIES), sizes }), { maxLength: 5 });
    fc.assert(
      fc.property(
        requests,
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 3 }),
        (of, batchTokens, freeRunners) => {
          const ready = of.map(({ sizes: own }) => {
            const items = new ReadyItems();
            for (const [place, size] of own.entries()) items.add(place, place % 3 ? 'a' : 'b', size);
            return items;
          });
          const seen = of.map((): number[] => []);
          let bulkSeen = false;
          for (;;) {
            const places = [...of.keys()].filter((at) => ready[at]!.count > 0);
            const waiting = places.map((at) => request(ready[at]!.groups(), { priority: of[at]!.priority }));
            const choice = nextBatch(waiting, { ...CALM, batchTokens, freeRunners });
            if (choice === undefined) break;
            if (typeof choice === 'number') throw new Error('it waits');
            let count = 0;
            for (const take of choice.takes) {
              const at = places[take.request]!;
              bulkSeen ||= of[at]!.priority === 'bulk';
              expect(of[at]!.priority).toBe(bulkSeen ? 'bulk' : 'interactive');
              for (const place of ready[at]!.take(choice, take.count)) {
                expect(shapeOf(of[at]!.sizes[place]!)).toEqual({ rows: choice.rows, memoryRows: choice.memoryRows });
                expect(place % 3 ? 'a' : 'b').toBe(choice.kind);
                seen[at]!.push(place);
                count++;
              }
            }
            expect(count === 1 || count * costOf(choice) <= batchTokens).toBe(true);
          }
          for (const [at, { sizes: own }] of of.entries()) {
            expect(seen[at]!.sort((a, b) => a - b)).toEqual([...own.keys()]);
          }
        },
      ),
    );
  });
});

describe('items of a request', () => {
  it('are taken together that read the same rows', () => {
    const items = new ReadyItems();
    for (let place = 0; place < 12; place++)
      items.add(place, 'score', { rows: 8, memory: { rows: 512, id: place % 2 } });
    const [group] = items.groups();
    expect(group).toEqual({ kind: 'score', rows: 8, memoryRows: 512, count: 12 });
    expect(items.take(group!, 6)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(items.take(group!, 6)).toEqual([1, 3, 5, 7, 9, 11]);
    expect(items.groups()).toEqual([]);
  });
});
