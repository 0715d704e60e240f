/** A number of an arm, such as a temperature, that is fitted on some samples and used on others. */
import type { Partition } from './dependence.js';

const FOLDS = 5;

/**
 * The fold of each sample. Whole clusters are dealt in turn.
 * @throws RangeError for fewer than two clusters: there is nothing to fit on
 */
export function foldsOf(clusters: Partition, samples: number): Int32Array {
  if (clusters.length < 2)
    throw new RangeError(`${clusters.length} clusters of samples; what is fitted on some and used on others needs 2.`);
  const folds = new Int32Array(samples);
  for (const [c, cluster] of clusters.entries()) for (const sample of cluster) folds[sample] = c % FOLDS;
  return folds;
}
