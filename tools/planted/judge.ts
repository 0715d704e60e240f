/** Verdicts on resamples of planted samples: how often they are right, wrong and undecided, and how often all intervals hold what they should. */
import { Random } from '../../src/base/random.js';
import { independent } from '../../src/stats/dependence.js';
import { mean } from '../../src/stats/describe.js';
import type { Estimate } from '../../src/stats/gains.js';
import {
  LEVEL,
  mechanismOf,
  STEPS,
  type State,
  type Step,
  stateOf,
  type VerdictName,
} from '../../src/stats/mechanism.js';
import { Resamples } from '../../src/stats/resamples.js';
import { robust } from '../../src/stats/robust.js';
import { simultaneousMeans } from '../../src/stats/simultaneous.js';
import { type CellTable, gainOf, PREFIXES, stepsOf } from './cells.js';
import { JUDGED } from './mechanisms.js';

/** Samples of one mechanism: the values of every step of every prefix that is not 0 throughout. Steps that are the same in every sample are one. */
export interface Pool {
  readonly lists: readonly (readonly number[])[];
  /** Of all samples of the pool, a list each. */
  readonly truths: readonly { readonly mean: number; readonly trimmedMean: number }[];
  /** The judged prefix's steps, each with its place among the lists; undefined where it is 0 in every sample. */
  readonly judged: readonly { readonly step: Step; readonly at: number | undefined }[];
}

/** Below this a value is what rounding leaves of rows that are the same. */
const ROUNDING = 1e-9;
const DIGITS = 9;

const NOTHING = 'nothing';

export function poolOf(tables: readonly CellTable[string][]): Pool {
  const lists = new Map<string, number[]>();
  const keys = new Map<string, string>();
  for (const prefix of PREFIXES) {
    for (const terms of Object.values(stepsOf(prefix))) {
      const values = tables.map((table) => gainOf(table, terms));
      const isNothing = values.every((value) => Math.abs(value) <= ROUNDING);
      const key = isNothing ? NOTHING : values.map((value) => value.toFixed(DIGITS)).join();
      keys.set(JSON.stringify(terms), key);
      if (!isNothing) lists.set(key, values);
    }
  }
  const places = new Map([...lists.keys()].map((key, at) => [key, at]));
  const steps = stepsOf(JUDGED);
  return {
    lists: [...lists.values()],
    truths: [...lists.values()].map((list) => ({ mean: mean(list), trimmedMean: robust(list).trimmedMean })),
    judged: STEPS.map((step) => ({ step, at: places.get(keys.get(JSON.stringify(steps[step]))!) })),
  };
}

/** Resamples of so many independent samples are the same for all repeats, so that they are drawn once. */
const shared = new Map<string, Resamples>();

function resamplesOf(size: number, draws: number): Resamples {
  const key = `${size} ${draws}`;
  const made = shared.get(key) ?? new Resamples(independent(size).clusters, new Random('planted', size), { draws });
  shared.set(key, made);
  return made;
}

function drawn({ lists }: Pool, size: number, random: Random): number[][] {
  const places = Array.from({ length: size }, () => random.below(lists[0]!.length));
  return lists.map((list) => places.map((place) => list[place]!));
}

export interface Judging {
  readonly size: number;
  readonly draws: number;
  readonly margin: number;
}

/** What is found on samples that are drawn from a pool. */
export interface Found {
  readonly verdict: VerdictName;
  /** Do the intervals of all means hold the pool's, and those of all trimmed means? */
  readonly holds: { readonly means: boolean; readonly trimmed: boolean };
}

/** Each drawn sample is a cluster. */
export function foundOn(pool: Pool, { size, draws, margin }: Judging, random: Random): Found {
  const { means } = simultaneousMeans(
    drawn(pool, size, random),
    { dependence: independent(size), resamples: resamplesOf(size, draws) },
    LEVEL,
  );
  const states = pool.judged.map(({ step, at }): [Step, State] => [
    step,
    at === undefined ? 'nil' : stateOf(means[at]!, margin),
  ]);
  return {
    verdict: mechanismOf(Object.fromEntries(states) as Record<Step, State>).verdict,
    holds: {
      means: means.every((one, l) => holds(one.mean, pool.truths[l]!.mean)),
      trimmed: means.every((one, l) => holds(one.trimmedMean, pool.truths[l]!.trimmedMean)),
    },
  };
}

function holds({ low, high }: Estimate, truth: number): boolean {
  return low! <= truth && truth <= high!;
}
