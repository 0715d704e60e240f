/** Which samples of a run are not independent of each other. */
import { surrogate } from '../../priming/surrogate.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { SampleRecord } from '../../runs/schema/sample.js';

/**
 * Samples that are not independent stand or fall together in a resample: those of one cluster, and the two that lend each other words
 * where a surrogate borrows from another sample.
 */
export function clustersOf(
  kept: readonly SampleRecord[],
  all: readonly SampleRecord[],
  experiment: Experiment,
): number[][] {
  const borrows = specificationsOf(experiment).some((specification) => surrogate(specification).source === 'other');
  const half = Math.max(2, Math.floor(all.length / 2));
  const place = new Map(all.map(({ id }, index) => [id, index]));
  const groups = new Map<string, number[]>();
  for (const [index, { id, cluster }] of kept.entries()) {
    const key = cluster ?? (borrows ? `pair ${place.get(id)! % half}` : id);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  return [...groups.values()];
}
