/**
 * What a comparison of BM25 and caches says, and what it does not: which system to rank with, which cache is the best, and whether to re-rank BM25's
 * documents with the model at all. A pure function of the comparison.
 *
 * A system is shown to be better than another if the difference's interval lies above 0 and its p, corrected over all pairs of systems, is below
 * .05. Without such evidence the simpler one stands: BM25 before bare documents, these before variants.
 */
import type { Estimate } from '../stats/gains.js';
import type { SystemComparison } from '../stats/systems.js';
import { BARE } from './variants.js';

/** The name of BM25 among the systems. */
export const BM25 = 'bm25';

/** The name of the model as a full cross-encoder among the systems: an upper bound, which no verdict recommends. */
export const CROSS_ENCODER = 'cross-encoder';

/** The chance of any false evidence in the whole comparison. */
const SIGNIFICANCE = 0.05;

/** A system and what the comparison shows about it. */
export interface Standing {
  readonly system: string;
  /** The mean of the measure over the queries with a relevant document; null where there are none. */
  readonly mean: number | null;
  /** The systems, among those that it was chosen from, that it is shown to be better than. */
  readonly betterThan: readonly string[];
  /** The systems with another mean that it is not shown to be better than. */
  readonly undecided: readonly string[];
}

/** One system's mean minus another's. */
export interface Margin {
  readonly treatment: string;
  readonly baseline: string;
  readonly difference: Estimate;
  readonly holm: number | null;
}

export interface Verdict {
  readonly measure: string;
  /** The number of pairs of systems that the p-values are corrected over. */
  readonly comparisons: number;
  /** The number of queries with a relevant document. */
  readonly queries: number;
  /** The number of queries below which no difference between so many systems can be shown, however large it is. */
  readonly queriesNeeded: number;
  /**
   * The best of all systems by the evidence: no other system is shown to be better, and a simpler system is preferred unless this one is shown to
   * be better.
   */
  readonly best: Standing;
  /** The best of the model's caches, by the same rule. */
  readonly bestCache: Standing;
  /**
   * `yes` where a cache is shown to be better than BM25; `no` where BM25 is shown to be better than the cache with the highest mean; null without
   * BM25.
   */
  readonly rerank: 'yes' | 'no' | 'undecided' | null;
  /** The difference behind that answer: a cache minus BM25. */
  readonly rerankMargin: Margin | null;
}

/** @param primary one of the comparison's measures */
export function verdictOf({ measures, systems, comparisons }: SystemComparison, primary: string): Verdict {
  const m = measures.findIndex(({ name }) => name === primary);
  const means = new Map(systems.map(({ name, means }) => [name, means[m]?.value ?? null]));
  const margins = new Map<string, Margin>();
  for (const { treatment, baseline, differences, holm } of comparisons) {
    const difference = differences[m]?.mean ?? { value: null, low: null, high: null };
    margins.set(pairOf(treatment, baseline), { treatment, baseline, difference, holm: holm[m] ?? null });
    margins.set(pairOf(baseline, treatment), {
      treatment: baseline,
      baseline: treatment,
      difference: negative(difference),
      holm: holm[m] ?? null,
    });
  }
  const isBetter = (a: string, b: string) => {
    const { difference, holm } = margins.get(pairOf(a, b)) ?? {};
    return (difference?.low ?? 0) > 0 && (holm ?? 1) < SIGNIFICANCE;
  };
  const order = (name: string) => means.get(name) ?? Number.NEGATIVE_INFINITY;
  const standingOf = (system: string, names: readonly string[]): Standing => {
    const others = names.filter((name) => name !== system);
    return {
      system,
      mean: means.get(system) ?? null,
      betterThan: others.filter((name) => isBetter(system, name)),
      undecided: others.filter((name) => !isBetter(system, name) && order(name) !== order(system)),
    };
  };
  const names = systems.map(({ name }) => name).filter((name) => name !== CROSS_ENCODER);
  const caches = names.filter((name) => name !== BM25);
  const bestSystem = bestOf(names, isBetter, order);
  const best = standingOf(bestSystem, names);
  const hasBm25 = names.length > caches.length;
  // Where a cache is better than BM25, the best of those; otherwise the one with the highest mean, which is the hardest for BM25 to be better than.
  const highest = caches.reduce((high, name) => (order(name) > order(high) ? name : high));
  const contender = best.system === BM25 ? highest : best.system;
  const rerank = isBetter(contender, BM25) ? 'yes' : isBetter(BM25, contender) ? 'no' : 'undecided';
  return {
    measure: primary,
    comparisons: comparisons.length,
    queries: measures[m]?.queries ?? 0,
    queriesNeeded: queriesNeeded(comparisons.length),
    best,
    // A cache that is shown to be better than BM25 has more to say for it than one that is not.
    bestCache: standingOf(bestSystem === BM25 ? bestOf(caches, isBetter, order) : bestSystem, caches),
    rerank: hasBm25 ? rerank : null,
    rerankMargin: hasBm25 ? margins.get(pairOf(contender, BM25))! : null,
  };
}

/**
 * The first name, unless others are shown to be better than it: then, of those that none of the others is better than, a simpler one first, and of equally
 * simple ones the one with the highest mean.
 */
function bestOf(
  names: readonly string[],
  isBetter: (a: string, b: string) => boolean,
  order: (name: string) => number,
): string {
  const [first] = names as [string, ...string[]];
  const better = names.filter((name) => isBetter(name, first));
  const undominated = better.filter((name) => !better.some((other) => isBetter(other, name)));
  return undominated.find((name) => name === BARE) ?? undominated.sort((a, b) => order(b) - order(a))[0] ?? first;
}

/**
 * The least number of queries that can show a difference. Random signs of n differences give 2^n sums, of which two are as far from 0 as can be, so
 * p is never below 2^(1-n).
 */
function queriesNeeded(comparisons: number): number {
  return comparisons === 0 ? 1 : Math.floor(Math.log2(comparisons / SIGNIFICANCE)) + 2;
}

function pairOf(a: string, b: string): string {
  return JSON.stringify([a, b]);
}

function negative({ value, low, high }: Estimate): Estimate {
  const minus = (x: number | null) => (x === null ? null : 0 - x);
  return { value: minus(value), low: minus(high), high: minus(low) };
}
