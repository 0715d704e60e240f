import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NumpyRandomState } from '../../src/base/numpy-random.js';

interface Fixture {
  readonly cases: readonly {
    readonly seed: number;
    readonly permutations: readonly { readonly size: number; readonly head: number[]; readonly sha256: string }[];
  }[];
  readonly words: string[];
  /** Of 1500, by numpy's own generator after `np.random.seed(42)`. */
  readonly permutation: string;
  readonly choices: readonly { readonly seed: number; readonly size: number; readonly chosen: string }[];
}
const { cases, words, permutation, choices }: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/numpy-random.json', import.meta.url), 'utf8'),
);

const digest = (values: readonly number[]) => createHash('sha256').update(JSON.stringify(values)).digest('hex');

describe("numpy's legacy generator", () => {
  it.each(cases)('draws the same permutations with seed $seed', ({ seed, permutations }) => {
    const state = new NumpyRandomState(seed);
    for (const { size, head, sha256 } of permutations) {
      const drawn = state.permutation(size);
      expect([size, drawn.slice(0, 5)]).toEqual([size, head]);
      expect(digest(drawn)).toBe(sha256);
    }
  });

  it('draws as numpy’s module does when it is seeded', () => {
    expect(digest(new NumpyRandomState(42).permutation(1500))).toBe(permutation);
  });

  it.each(choices)('chooses the same of $size with seed $seed', ({ seed, size, chosen }) => {
    const wanted = chosen === '' ? [] : chosen.split(' ').map(Number);
    expect(new NumpyRandomState(seed).choice([...Array(size).keys()], wanted.length)).toEqual(wanted);
  });

  it('chooses none twice', () => {
    for (const count of [-1, 1.5, 4]) {
      expect(() => new NumpyRandomState(1).choice(['a', 'b', 'c'], count)).toThrow(`${count} different ones of 3`);
    }
  });

  it('chooses the samples that the research chose', () => {
    const heads = { 600: [110, 419, 565, 77, 181], 1200: [1178, 865, 101, 439, 58], 1500: [1116, 1368, 422, 413, 451] };
    for (const [size, head] of Object.entries(heads)) {
      expect(new NumpyRandomState(42).permutation(Number(size)).slice(0, 5)).toEqual(head);
    }
  });

  it('shuffles words', () => {
    expect(new NumpyRandomState(42).shuffle('what is the best time to visit the old town'.split(' '))).toEqual(words);
  });

  it('refuses a seed that numpy refuses', () => {
    for (const seed of [-1, 1.5, 2 ** 32]) expect(() => new NumpyRandomState(seed)).toThrow(RangeError);
  });
});
