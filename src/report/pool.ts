/**
 * One experiment of several models or training seeds, taken together: each unit's effects, their signs, and the mean over units where these are enough. Every
 * number is made from the trials.
 */
import { DkvError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { termsOf } from '../experiments/analysis/columns.js';
import { recordedDifferences, scoredIn } from '../experiments/analysis/differences.js';
import { isSelfTest } from '../experiments/analysis/self-tests.js';
import { effectiveClusters } from '../stats/cluster-variance.js';
import type { Dependence } from '../stats/dependence.js';
import { mean } from '../stats/describe.js';
import { type Estimate, estimate, inferredMeans, type Sampling, samplingOf } from '../stats/gains.js';
import { areEnough, FEWEST_FOR_TEST, standardErrorOfMean } from '../stats/mean-inference.js';
import { FEWEST_UNITS, type RandomEffects, randomEffects } from '../stats/random-effects.js';
import { percentilesOf, resampledRobust, robust } from '../stats/robust.js';
import { expectPoolable, type PoolableRun } from './poolable.js';
import { isPrimary, letter } from './words/labels.js';

/** A unit's side of a comparison, in nats per token. */
export interface PooledEffect {
  readonly mean: Estimate;
  /** Cluster-robust, of the mean; null for a single cluster. */
  readonly standardError: number | null;
  readonly trimmedMean: Estimate;
}

/** Units by the sign of what they show, and those of them whose interval does not hold 0. */
interface Signs {
  readonly above: number;
  readonly below: number;
  readonly toldAbove: number;
  readonly toldBelow: number;
}

export interface PooledRuns {
  readonly experiment: string;
  readonly dataset: string;
  /** The number of samples that were asked for. */
  readonly samples: number;
  /** The number of samples that all units scored. The effects are taken over these. */
  readonly common: number;
  /** The number of clusters of the common samples. */
  readonly clusters: number;
  /** True where the caller says that the units are training seeds of one recipe. */
  readonly seeds: boolean;
  readonly smokeRun: boolean;
  readonly units: readonly {
    readonly name: string;
    readonly directory: string;
    readonly model: string;
    readonly precision: string;
    readonly builtIn: boolean;
    /** The number of samples that were scored. */
    readonly scored: number;
  }[];
  readonly comparisons: readonly {
    readonly treatment: string;
    readonly baseline: string;
    readonly primary: boolean;
    /** The effects in the order of the units. */
    readonly effects: readonly PooledEffect[];
    readonly signs: { readonly mean: Signs; readonly trimmedMean: Signs };
    /** The mean over units; null with too few units or clusters, and where a unit's effect does not vary. */
    readonly pooled: RandomEffects | null;
  }[];
  /** The reason why no comparison has a mean over units; null where they have. */
  readonly withoutMean: string | null;
}

/**
 * Takes runs of one experiment together.
 * @param seeds says that the units are training seeds of one recipe; the built-in model may then be one of them
 * @throws DkvError INPUT_INVALID for runs that are not of one experiment, protocol and data, for one model twice, for models that share no table, for runs
 * without trials, and for runs that scored no sample in common
 */
export function poolRuns(runs: readonly PoolableRun[], { seeds = false } = {}): PooledRuns {
  expectPoolable(runs, seeds);
  const { configuration } = runs[0]!.run.summary;
  const { experiment, dataset, samples, seed } = configuration;
  const scored = runs.map(({ run }) => scoredIn(run));
  const common = new Set([...scored[0]!].filter((id) => scored.every((own) => own.has(id))));
  if (common.size === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      'There is no sample that all of these runs scored, so nothing can be compared.',
    );
  }
  const recorded = runs.map(({ run }) => recordedDifferences(run, common));
  const { dependence } = recorded[0]!.depending;
  const compared = experiment.comparisons.filter((one) =>
    runs.every(({ run }) => !isSelfTest(run.summary.configuration, one)),
  );
  const lists = compared.map((comparison) => recorded.map(({ of }) => of(termsOf(comparison))));
  // The draws of each run's own summary.
  const effects = effectsOf(lists, samplingOf(dependence, new Random('bootstrap', seed)));
  const withoutMean = whyNoMean(runs.length, dependence);
  return {
    experiment: experiment.id,
    dataset: `${dataset.name} ${dataset.revision}`,
    samples,
    common: common.size,
    clusters: dependence.clusters.length,
    seeds,
    smokeRun: runs.some(({ run }) => run.summary.smoke_run),
    units: runs.map(({ directory, run: { summary } }, r) => ({
      name: letter(r),
      directory,
      model: summary.configuration.model.name,
      precision: summary.configuration.model.precision,
      builtIn: summary.configuration.model.built_in,
      scored: scored[r]!.size,
    })),
    comparisons: compared.map(({ treatment, baseline }, c) => ({
      treatment,
      baseline,
      primary: isPrimary(experiment, { treatment, baseline }),
      effects: effects[c]!,
      signs: {
        mean: signsOf(effects[c]!.map((effect) => effect.mean)),
        trimmedMean: signsOf(effects[c]!.map((effect) => effect.trimmedMean)),
      },
      pooled: withoutMean === null ? meanOver(effects[c]!, lists[c]!, dependence) : null,
    })),
    withoutMean,
  };
}

/** @param lists of each comparison the differences of each unit */
function effectsOf(lists: readonly (readonly number[][])[], sampling: Sampling): PooledEffect[][] {
  const { dependence, resamples } = sampling;
  const all = lists.flat();
  const means = inferredMeans(all, sampling);
  const replicates = resampledRobust(all, resamples);
  let at = 0;
  return lists.map((units) =>
    units.map((list) => {
      const standardError = standardErrorOfMean(list, dependence);
      return {
        mean: means[at]!,
        standardError: Number.isNaN(standardError) ? null : standardError,
        trimmedMean: estimate(robust(list).trimmedMean, percentilesOf(replicates[at++]!.trimmedMean, resamples)),
      };
    }),
  );
}

function whyNoMean(units: number, { clusters }: Dependence): string | null {
  if (units < FEWEST_UNITS) {
    return `${units} units: how much units differ is not known from fewer than ${FEWEST_UNITS}, so there is no mean over them; what each shows, and its sign, stands below.`;
  }
  if (areEnough(clusters)) return null;
  return `${clusters.length} clusters of samples: sampling errors are not known from fewer than ${FEWEST_FOR_TEST}, so there is no mean over units.`;
}

/** The units were asked the same samples: what a sample shows on average over the units has the covariance of their errors in it. */
function meanOver(
  effects: readonly PooledEffect[],
  lists: readonly (readonly number[])[],
  dependence: Dependence,
): RandomEffects | null {
  const average = lists[0]!.map((_, s) => mean(lists.map((list) => list[s]!)));
  const standardError = standardErrorOfMean(average, dependence);
  if (!(standardError > 0) || effects.some((effect) => !(effect.standardError! > 0))) return null;
  return randomEffects(
    effects.map((effect) => ({ effect: effect.mean.value!, standardError: effect.standardError! })),
    { standardError, freedom: effectiveClusters(dependence.clusters) - 1 },
  );
}

function signsOf(estimates: readonly Estimate[]): Signs {
  const count = (test: (one: Estimate) => boolean) => estimates.filter(test).length;
  return {
    above: count(({ value }) => value! > 0),
    below: count(({ value }) => value! < 0),
    toldAbove: count(({ low }) => low !== null && low > 0),
    toldBelow: count(({ high }) => high !== null && high < 0),
  };
}
