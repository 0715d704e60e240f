/** Does the bare document rank at all? An experiment's screening, of its first pools. */
import type { Trial } from '../../runs/schema/entry.js';
import { bareOf, type Experiment } from '../../runs/schema/experiment.js';
import type { ScreeningSummary } from '../../runs/schema/ranking.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { mean } from '../../stats/describe.js';
import { finite } from '../../stats/gains.js';
import { measure } from '../../stats/ranking.js';
import { rankedPools, valuesOf } from './ranked-pools.js';

/**
 * The candidates of the first pools.
 * @param records all candidates, in the order in which they are scored
 */
export function firstPools(records: readonly SampleRecord[], count: number): SampleRecord[] {
  const first = new Set([...new Set(records.map(({ pool }) => pool))].slice(0, count));
  return records.filter(({ pool }) => first.has(pool));
}

/**
 * Screens the first pools; undefined where the experiment declares no screening.
 * @param records all that were to be scored, in that order
 */
export function screenRanking(
  { screening, conditions }: Pick<Experiment, 'screening' | 'conditions'>,
  records: readonly SampleRecord[],
  trials: readonly Trial[],
): ScreeningSummary | undefined {
  const bare = bareOf({ conditions });
  if (!screening || !bare) return undefined;
  const first = firstPools(records, screening.pools);
  const trialsById = new Map(
    trials.filter(({ condition }) => condition === bare.name).map((trial) => [trial.sample, trial]),
  );
  const scored = first.filter(({ id }) => trialsById.has(id));
  const scoredTrials = scored.map(({ id }) => trialsById.get(id)!);
  const pools = rankedPools(scored, first);
  const values = pools
    .map((pool) => valuesOf([measure(screening.measure)], pool, scoredTrials)[0])
    .filter((value) => value !== undefined);
  const found = finite(mean(values));
  return {
    condition: bare.name,
    measure: screening.measure,
    least: screening.least,
    pools: values.length,
    mean: found,
    passed: pools.length < screening.pools || found === null ? null : found >= screening.least,
  };
}
