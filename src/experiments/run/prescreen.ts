/**
 * Is there anything to measure? A few units tell: data whose answers the model gives without help leave a prefix no room, and candidates that it cannot
 * rank show nothing of what helps to rank them.
 */
import { DkvError } from '../../base/errors.js';
import { type Entry, isTrial } from '../../runs/schema/entry.js';
import { bareOf, type Experiment } from '../../runs/schema/experiment.js';
import type { EarlyEnds } from '../../runs/schema/locked-plan.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { firstPools, screenRanking } from '../analysis/ranking-screen.js';

/** The research's screening of a dataset: the number of samples, and the share of them that may be answered without any help. */
const SCREENED = 20;
const CEILING = { nll: 0.05, share: 0.3 };

export interface Prescreen {
  /** The number of first units that have to be computed. */
  readonly units: number;
  /** @throws DkvError CEILING_REACHED, FLOOR_REACHED */
  refuse(entries: readonly Entry[]): void;
}

interface Ignored {
  readonly ignoreCeiling?: boolean;
  readonly ignoreFloor?: boolean;
}

/** The early ends that a run of the experiment may make, before it has all samples. */
export function earlyEndsOf(
  experiment: Experiment,
  { ignoreCeiling = false, ignoreFloor = false }: Ignored,
): EarlyEnds {
  const { unit, screening } = experiment;
  if (unit === 'sample' && !ignoreCeiling && bareOf(experiment)) return ['ceiling'];
  return unit === 'pool' && screening !== undefined && !ignoreFloor ? ['floor'] : [];
}

/**
 * The check before a run goes on; undefined where none is asked.
 * @param records all units, in the order in which they are computed
 */
export function prescreenOf(
  experiment: Experiment,
  records: readonly SampleRecord[],
  ignored: Ignored,
): Prescreen | undefined {
  const { screening } = experiment;
  const [end] = earlyEndsOf(experiment, ignored);
  if (end === 'ceiling') return { units: SCREENED, refuse: (entries) => refuseCeiling(experiment, entries) };
  if (end === undefined || screening === undefined) return undefined;
  return {
    units: firstPools(records, screening.pools).length,
    refuse: (entries) => refuseFloor(experiment, records, entries),
  };
}

function refuseCeiling(experiment: Experiment, entries: readonly Entry[]): void {
  const bare = bareOf(experiment);
  if (!bare) return;
  const screened = entries
    .filter(isTrial)
    .filter(({ condition }) => condition === bare.name)
    .slice(0, SCREENED);
  const answered = screened.filter(({ nll }) => nll < CEILING.nll).length;
  if (answered <= CEILING.share * screened.length) return;
  throw new DkvError(
    'CEILING_REACHED',
    `The model gives ${answered} of the first ${screened.length} answers below ${CEILING.nll} nats from the bare document: there is no room for a prefix to help. Choose harder data, or go on with --ignore-ceiling.`,
  );
}

function refuseFloor(experiment: Experiment, records: readonly SampleRecord[], entries: readonly Entry[]): void {
  const found = screenRanking(experiment, records, entries.filter(isTrial));
  if (found?.passed !== false) return;
  const { condition, measure, least, pools, mean } = found;
  throw new DkvError(
    'FLOOR_REACHED',
    `Ranked by the bare document (${condition}), the first ${pools} pools have a mean ${measure} of ${mean!.toFixed(3)}; at least ${least} is asked for. What this model hardly ranks shows nothing of what helps to rank it. Choose other data or another model, or go on with --ignore-floor.`,
  );
}
