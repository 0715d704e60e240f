/** A run under a plan: which plans may be run in a folder, and what its record says of them. */
import { DkvError } from '../../base/errors.js';
import { ownCode } from '../../runs/locked-plan.js';
import { publishRecord, readRecord } from '../../runs/record.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { LockedPlan, PlannedRun } from '../../runs/schema/locked-plan.js';
import type { Unit } from '../plan/unit.js';
import type { RunOptions } from './options.js';
import { earlyEndsOf } from './prescreen.js';

type Asked = Pick<RunOptions, 'directory' | 'plan' | 'ignoreCeiling' | 'ignoreFloor'>;

/**
 * What the record of a run in this folder says, or is to say, of its plan; undefined for a run without one.
 * @throws DkvError RUN_MISMATCH where the folder holds a run that was started without the plan, or under another one; INPUT_INVALID where samples of the
 * plan's pilot are to be run, or the plan is of another experiment or of the future
 */
export async function underPlan(
  experiment: Experiment,
  { directory, plan, ...ignored }: Asked,
  units: readonly Unit[],
): Promise<PlannedRun | undefined> {
  const record = await readRecord(directory);
  if (record) expectPlanOf(directory, record.plan?.locked, plan);
  if (!plan) return undefined;
  const { id } = plan.configuration.experiment;
  if (experiment.id !== id) {
    throw new DkvError(
      'INPUT_INVALID',
      `The plan is for ${id}, not for ${experiment.id}: one of its own comes before it.`,
    );
  }
  expectOthers(plan, units);
  const now = new Date().toISOString();
  if (!record && plan.made_at > now) {
    throw new DkvError(
      'INPUT_INVALID',
      `The plan says that it was made at ${plan.made_at}, and it is ${now}: a plan is made before its run. Look at the machine’s clock.`,
    );
  }
  const code = await ownCode();
  const early_ends = earlyEndsOf(experiment, ignored);
  const before = record?.plan?.computed_by ?? [];
  const isKnown = before.some((one) => one.digest === code.digest && one.early_ends.join() === early_ends.join());
  const computed_by = isKnown ? before : [...before, { ...code, since: now, early_ends }];
  return { locked: plan, computed_by };
}

/** Records in a run's `run.json` that another program goes on with it, so that it names both. */
export async function recordPlan(directory: string, planned: PlannedRun | undefined): Promise<void> {
  const record = await readRecord(directory);
  if (!planned || !record?.plan || record.plan.computed_by.length === planned.computed_by.length) return;
  await publishRecord(directory, { ...record, plan: planned });
}

function expectPlanOf(directory: string, before: LockedPlan | undefined, plan: LockedPlan | undefined): void {
  if (before?.sha256 === plan?.sha256) return;
  const advice = 'Choose another folder with --out';
  if (!before) {
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds a run that was started without a plan, so that this plan was not made before its first trial. ${advice}.`,
    );
  }
  throw new DkvError(
    'RUN_MISMATCH',
    `${directory} holds a run under the plan with the SHA-256 ${before.sha256}, not ${plan ? plan.sha256 : 'one without a plan'}. ${advice}, or give that plan with --plan.`,
  );
}

/** @throws DkvError INPUT_INVALID */
function expectOthers({ pilot }: LockedPlan, units: readonly Unit[]): void {
  const used = new Set(pilot?.samples);
  const again = units.filter(({ sample }) => used.has(sample.id));
  if (again.length === 0) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${again.length} of the samples were in the plan's pilot, ${again[0]!.sample.id} first: what a number of samples was found from cannot be tested on again. Leave them out; "dkv run --plan" does.`,
  );
}
