/**
 * numpy's legacy generator (`numpy.random.RandomState`), as far as samples were drawn with it: MT19937 seeded by Knuth's recurrence, and
 * shuffling by masked rejection. The research chose its samples and random words so, and the same seed must choose the same ones here. What
 * is new in this project draws from `random.ts`.
 */
import { mersenne } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export class NumpyRandomState {
  readonly #generator: RandomGenerator;

  /** @param seed 0 to 2^32 - 1 */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new RangeError(`NumpyRandomState: the seed ${seed} is not an integer from 0 to 2^32 - 1`);
    }
    this.#generator = mersenne(seed | 0);
  }

  /** A shuffled copy: `RandomState.shuffle`. */
  shuffle<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.#upTo(i);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  /** The integers below `count` in random order: `RandomState.permutation`. */
  permutation(count: number): number[] {
    return this.shuffle([...Array(count).keys()]);
  }

  /**
   * Items of the list, each at most once, in random order: `RandomState.choice` with `replace=False`.
   * @param count at most the list's length
   */
  choice<T>(list: readonly T[], count: number): T[] {
    if (!Number.isInteger(count) || count < 0 || count > list.length) {
      throw new RangeError(`NumpyRandomState: ${count} different ones of ${list.length} cannot be chosen`);
    }
    return this.shuffle(list).slice(0, count);
  }

  /** An integer in [0, highest]: as many low bits as it has, drawn until they are small enough. */
  #upTo(highest: number): number {
    const mask = 0xffffffff >>> Math.clz32(highest);
    for (;;) {
      const value = (this.#generator.next() & mask) >>> 0;
      if (value <= highest) return value;
    }
  }
}
