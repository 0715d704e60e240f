/** The differences that a finished run recorded, sample by sample, for whoever reckons with them again: a plan's power, a mean over models. */
import { Random } from '../../base/random.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import { type Sampling, samplingOf } from '../../stats/gains.js';
import { dependenceOf, type UnitDependence, unitOf } from './clusters.js';
import { columnsOf, type Terms, weighted } from './columns.js';

export interface RecordedDifferences {
  /** Ids of the scored samples, in order. */
  readonly samples: readonly string[];
  /** Differences in nats per token, one a sample. */
  of(terms: Terms): number[];
  /** How the samples depend on each other. */
  readonly depending: UnitDependence;
  /** The same, with the resamples that the run's summary is made with. */
  readonly sampling: Sampling;
}

/** @param run with its trials, whose unit is a sample */
export function recordedDifferences({ summary: { configuration }, samples, trials }: FinishedRun): RecordedDifferences {
  const byCondition = new Map(configuration.experiment.conditions.map(({ name }) => [name, new Map()]));
  for (const trial of trials) byCondition.get(trial.condition)?.set(trial.sample, trial);
  const scored = new Set(trials.map(({ sample }) => sample));
  const kept = samples.filter(({ id }) => scored.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const columns = columnsOf((condition) => kept.map(({ id }) => byCondition.get(condition)!.get(id)!), undefined);
  const depending = dependenceOf(kept.map(unitOf), samples.map(unitOf), configuration);
  return {
    samples: kept.map(({ id }) => id),
    of: (terms) => weighted(terms, columns.nlls),
    depending,
    sampling: samplingOf(depending.dependence, new Random('bootstrap', configuration.seed)),
  };
}
