/** Verdicts on resamples of planted samples: how often they are right, wrong and undecided, and how often all intervals hold what they should. */
import { Random } from '../../src/base/random.js';
import { independent } from '../../src/stats/dependence.js';
import { mean } from '../../src/stats/describe.js';
import { criticalTogether, standardErrorOfMean } from '../../src/stats/mean-inference.js';
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
import { simultaneousMeans } from '../../src/stats/simultaneous.js';
import { type CellTable, gainOf, PREFIXES, stepsOf } from './cells.js';
import { JUDGED } from './mechanisms.js';

/** Samples of one mechanism: the values of every step of every prefix that is not 0 throughout. */
export interface Pool {
  readonly lists: readonly (readonly number[])[];
  /** The judged prefix's steps, each with its place among the lists; undefined where it is 0 in every sample. */
  readonly judged: readonly { readonly step: Step; readonly at: number | undefined }[];
}

/** Below this a value is what rounding leaves of rows that are the same. */
const ROUNDING = 1e-9;

export function poolOf(tables: readonly CellTable[string][]): Pool {
  const lists: number[][] = [];
  const places = new Map<string, number | undefined>();
  for (const prefix of PREFIXES) {
    for (const terms of Object.values(stepsOf(prefix))) {
      const key = JSON.stringify(terms);
      if (places.has(key)) continue;
      const values = tables.map((table) => gainOf(table, terms));
      places.set(key, values.some((value) => Math.abs(value) > ROUNDING) ? lists.push(values) - 1 : undefined);
    }
  }
  const steps = stepsOf(JUDGED);
  return {
    lists,
    judged: STEPS.map((step) => ({ step, at: places.get(JSON.stringify(steps[step])) })),
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

/** The verdict on samples that are drawn from a pool; each is a cluster. */
export function verdictOn(pool: Pool, { size, draws, margin }: Judging, random: Random): VerdictName {
  const dependence = independent(size);
  const { means } = simultaneousMeans(
    drawn(pool, size, random),
    { dependence, resamples: resamplesOf(size, draws) },
    LEVEL,
  );
  const states = pool.judged.map(({ step, at }): [Step, State] => [
    step,
    at === undefined ? 'nil' : stateOf(means[at]!, margin),
  ]);
  return mechanismOf(Object.fromEntries(states) as Record<Step, State>).verdict;
}

/** Do all intervals of drawn samples hold the pool's means? */
export function holdsAll(pool: Pool, { size, draws }: Omit<Judging, 'margin'>, random: Random): boolean {
  const dependence = independent(size);
  const lists = drawn(pool, size, random);
  const critical = criticalTogether(lists, dependence, resamplesOf(size, draws), LEVEL)!;
  return lists.every(
    (list, l) => Math.abs(mean(list) - mean(pool.lists[l]!)) <= critical * standardErrorOfMean(list, dependence),
  );
}
