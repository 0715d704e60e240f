/** The differences that a finished run recorded, sample by sample, for whoever reckons with them again: a plan's power, a mean over models. */
import type { FinishedRun } from '../../runs/schema/run.js';
import { dependenceOf, type UnitDependence, unitOf } from './clusters.js';
import { columnsOf, scoredOf, type Terms, trialsOf, weighted } from './columns.js';

export interface RecordedDifferences {
  /** The differences in nats per token, one for each scored sample. */
  of(terms: Terms): number[];
  /** How these samples depend on each other. */
  readonly depending: UnitDependence;
}

/** Ids of the samples that a run scored. */
export function scoredIn({ trials }: Pick<FinishedRun, 'trials'>): Set<string> {
  return new Set(trials.map(({ sample }) => sample));
}

/**
 * @param run with its trials, whose unit is a sample
 * @param among ids of those scored samples that differences are of, all of them when left out
 */
export function recordedDifferences(
  { summary: { configuration }, samples, trials }: Pick<FinishedRun, 'summary' | 'samples' | 'trials'>,
  among: ReadonlySet<string> = scoredIn({ trials }),
): RecordedDifferences {
  const kept = scoredOf(samples, among);
  const columns = columnsOf(trialsOf(configuration.experiment.conditions, trials, kept), undefined);
  return {
    of: (terms) => weighted(terms, columns.nlls),
    depending: dependenceOf(kept.map(unitOf), samples.map(unitOf), configuration),
  };
}
