/** Resamples of some of a run's units: those that have a value where others have none. */
import type { Random } from '../../base/random.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import { type Sampling, samplingOf } from '../../stats/gains.js';
import { dependenceOf, type Unit } from './clusters.js';

/**
 * The same units have the same resamples.
 * @param all in the order in which they borrow from each other
 * @returns a function of the ids of units, in the order of their values
 */
export function samplings(
  all: readonly Unit[],
  configuration: Pick<Configuration, 'experiment' | 'dataset' | 'seed'>,
  random: Random,
): (ids: readonly string[]) => Sampling {
  const made = new Map<string, Sampling>();
  const units = new Map(all.map((unit) => [unit.id, unit]));
  return (ids) => {
    const key = JSON.stringify(ids);
    const kept = ids.map((id) => units.get(id)!);
    const sampling = made.get(key) ?? samplingOf(dependenceOf(kept, all, configuration).dependence, random);
    made.set(key, sampling);
    return sampling;
  };
}
