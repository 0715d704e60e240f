/** What came of a plan: its test on the run's samples, and what is not as planned. */
import { deviationsAtStart } from '../../runs/deviations.js';
import { type Deviation, NATS, type PlannedRun, type PlanOutcome } from '../../runs/schema/locked-plan.js';
import type { Summary } from '../../runs/schema/summary.js';
import { estimate, finite, type Sampling } from '../../stats/gains.js';
import { equivalenceOfMean, inferMeans, intervalOfMean, pOfMean } from '../../stats/mean-inference.js';
import { EXCLUSIONS } from '../plan/exclusions.js';
import { type Columns, termsOf, weighted } from './columns.js';

/**
 * @param summary of the run, without what came of its plan
 * @param units samples or pools that were scored
 */
export function planOutcome(
  planned: PlannedRun,
  summary: Summary,
  units: number,
  columns: Columns,
  sampling: Sampling,
): PlanOutcome {
  const { locked } = planned;
  const atEnd = deviationsAtEnd(planned, summary, units);
  // How many were asked for and how many were scored is one deviation.
  const isSaidAtEnd = ({ of }: Deviation) => of === 'number of samples' && atEnd.some((one) => one.of === of);
  return {
    sha256: locked.sha256,
    test: locked.test,
    ...tested(locked.test, summary, columns, sampling),
    deviations: [
      ...deviationsAtStart(planned, summary.configuration, EXCLUSIONS).filter((one) => !isSaidAtEnd(one)),
      ...atEnd,
    ],
  };
}

const UNDEFINED = { mean: estimate(Number.NaN), p: null };

function tested(
  test: PlanOutcome['test'],
  { configuration, ranking }: Summary,
  columns: Columns,
  { dependence, resamples }: Sampling,
): Pick<PlanOutcome, 'mean' | 'p'> {
  const { treatment, baseline, measure, hypothesis, margin } = test;
  if (measure !== NATS) {
    const place = ranking?.measures.findIndex(({ name }) => name === measure) ?? -1;
    const compared = ranking?.comparisons.find((one) => one.treatment === treatment && one.baseline === baseline);
    const difference = compared?.differences[place];
    return difference ? { mean: difference.mean, p: difference.p.mean ?? null } : UNDEFINED;
  }
  const names = new Set(configuration.experiment.conditions.map(({ name }) => name));
  if (configuration.experiment.unit !== 'sample' || !names.has(treatment) || !names.has(baseline)) return UNDEFINED;
  const [inference] = inferMeans([weighted(termsOf(test), columns.nlls)], dependence, resamples);
  const p = hypothesis === 'difference' ? pOfMean(inference!) : equivalenceOfMean(inference!, margin);
  return { mean: estimate(inference!.mean, intervalOfMean(inference!)), p: finite(p) };
}

function deviationsAtEnd({ locked }: PlannedRun, { samples }: Summary, units: number): Deviation[] {
  const { configuration, clusters } = locked;
  const found: Deviation[] = [];
  if (units !== configuration.samples) {
    found.push({
      of: 'number of samples',
      field: 'scored',
      planned: String(configuration.samples),
      found: `${units}, with ${samples.rejected.length} rejected`,
    });
  }
  const { by = 'unknown' } = samples.dependence ?? {};
  const number = samples.clusters;
  // Fewer samples have fewer clusters, and that they are fewer is said already.
  if (by !== clusters.by || (units === configuration.samples && number !== clusters.number)) {
    found.push({
      of: 'clusters',
      field: 'clusters',
      planned: `${clusters.number} by ${clusters.by}`,
      found: `${number} by ${by}`,
    });
  }
  return found;
}
