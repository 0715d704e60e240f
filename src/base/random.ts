/**
 * Seeded randomness, always passed in and never global.
 *
 * A generator is named by a key such as `('adworld', 'train', 17)`: the same key gives the same stream on every machine, and
 * streams of different keys are independent, so item 17 is the same whether 20 or 20,000 items are made.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export class Random {
  readonly #generator: RandomGenerator;

  /** @param key the stream's name; its SHA-256 gives the 128 bits of state */
  constructor(...key: readonly (string | number)[]) {
    const digest = createHash('sha256').update(JSON.stringify(key)).digest();
    this.#generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return uniformInt(this.#generator, 0, bound - 1);
  }

  /** An integer in [low, high], both included. */
  between(low: number, high: number): number {
    return uniformInt(this.#generator, low, high);
  }

  /** 32 random bits, as a signed integer. */
  bits(): number {
    return uniformInt(this.#generator, -0x80000000, 0x7fffffff);
  }

  /** A number in [0, 1) with 53 random bits. */
  float(): number {
    return uniformFloat64(this.#generator);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One element of a non-empty list. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('Random.pick: the list is empty');
    return list[this.below(list.length)]!;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  /** `count` different elements in random order; the whole list, shuffled, when it is shorter. */
  sample<T>(list: readonly T[], count: number): T[] {
    return this.shuffle(list).slice(0, count);
  }
}
