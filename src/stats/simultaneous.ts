/**
 * Intervals of several means, and of their trimmed means, that hold all of them at once. Those of means reach as many standard errors as the largest |t*| over all
 * means is, in so many resamples of whole clusters (max-|t|; Romano and Wolf 2005). Of trimmed means the standard deviation of the replicates takes the place of the
 * standard error.
 */
import { mean, standardDeviation } from './describe.js';
import { type Estimate, estimate, finite, type Sampling } from './gains.js';
import { areEnough, criticalTogether, largestTogether, standardErrorOfMean } from './mean-inference.js';
import { resampledRobust, robust } from './robust.js';

export interface SimultaneousMean {
  readonly mean: Estimate;
  readonly trimmedMean: Estimate;
  /** The cluster-robust standard error of the mean; null for a single cluster. */
  readonly standardError: number | null;
}

export interface Simultaneous {
  /** The number of standard errors from a mean to the ends of its interval; null with too few clusters. */
  readonly critical: number | null;
  /** One a list; without ends where there are too few clusters. */
  readonly means: readonly SimultaneousMean[];
}

/**
 * @param lists one or more, each of as many values as there are samples, one or more
 * @param level of all intervals together, .99 say
 */
export function simultaneousMeans(
  lists: readonly (readonly number[])[],
  { dependence, resamples }: Sampling,
  level: number,
): Simultaneous {
  const critical = criticalTogether(lists, dependence, resamples, level);
  const trimmed = lists.map((list) => robust(list).trimmedMean);
  const replicates = resampledRobust(lists, resamples).map((own) => own.trimmedMean);
  const errors = replicates.map(standardDeviation);
  // Of trimmed means that do not vary no replicate is off.
  const off = replicates.map((own, l) =>
    own.map((value) => (errors[l]! > 0 ? Math.abs(value - trimmed[l]!) / errors[l]! : 0)),
  );
  const criticalTrimmed = areEnough(resamples.clusters) ? largestTogether(off, level) : undefined;
  const means = lists.map((list, l): SimultaneousMean => {
    const standardError = standardErrorOfMean(list, dependence);
    return {
      mean: reaching(mean(list), standardError, critical),
      trimmedMean: reaching(trimmed[l]!, errors[l]!, criticalTrimmed),
      standardError: finite(standardError),
    };
  });
  return { critical: finite(critical), means };
}

function reaching(value: number, error: number, critical: number | undefined): Estimate {
  if (critical === undefined) return estimate(value);
  return estimate(value, { low: value - critical * error, high: value + critical * error });
}
