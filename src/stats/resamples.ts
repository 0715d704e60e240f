/** Bootstrap resamples of whole clusters, as counts: how often each cluster is drawn. Everything that is computed from them shares them. */
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { Random } from '../base/random.js';
import type { Partition } from './dependence.js';

/** The draws of a bootstrap. With the sample itself they are 10,000, so that 5% is a whole number of them. */
export const RESAMPLES = 9999;

interface ResamplesOptions {
  readonly draws?: number;
  /** The bytes of counts that are kept. Further ones are drawn again each time. */
  readonly keptBytes?: number;
}

const KEPT_BYTES = 2 ** 26;

export class Resamples {
  readonly clusters: Partition;
  readonly draws: number;
  readonly #keptBytes: number;
  readonly #key: readonly number[];
  #kept: Uint8Array | undefined;

  /** @param random names the draws; the same counts come however often they are gone through */
  constructor(
    clusters: Partition,
    random: Random,
    { draws = RESAMPLES, keptBytes = KEPT_BYTES }: ResamplesOptions = {},
  ) {
    this.clusters = clusters;
    this.draws = draws;
    this.#keptBytes = keptBytes;
    this.#key = [random.bits(), random.bits(), random.bits(), random.bits()];
  }

  /**
   * Visits every resample: as many clusters as there are, drawn with replacement.
   * @param visit is given the number of times that each cluster was drawn, only to be read and only until it returns
   */
  forEach(visit: (counts: Uint8Array, draw: number) => void): void {
    const size = this.clusters.length;
    if (this.#kept) {
      for (let draw = 0; draw < this.draws; draw++) visit(this.#kept.subarray(draw * size, (draw + 1) * size), draw);
      return;
    }
    const keeps = size * this.draws <= this.#keptBytes;
    const all = new Uint8Array(keeps ? size * this.draws : size);
    const generator = xoroshiro128plusFromState(this.#key);
    for (let draw = 0; draw < this.draws; draw++) {
      const counts = keeps ? all.subarray(draw * size, (draw + 1) * size) : all.fill(0);
      // 32 random bits as a fraction of the clusters: how often each comes differs by less than one part in a million.
      for (let i = 0; i < size; i++) counts[Math.floor((generator.next() >>> 0) * 2 ** -32 * size)]!++;
      visit(counts, draw);
    }
    if (keeps) this.#kept = all;
  }
}
