/** Where a run is not what its plan says, as far as that is known before its first trial. */
import { type Change, type Configuration, changes, decisive } from './schema/configuration.js';
import type { Deviation, LockedPlan, PlannedRun } from './schema/locked-plan.js';

const NOTHING = 'nothing';

/**
 * @param run the plan, and who computes
 * @param configuration what the run is
 * @param exclusions rules by which samples are rejected now
 */
export function deviationsAtStart(
  { locked, computed_by }: PlannedRun,
  configuration: Configuration,
  exclusions: readonly string[],
): Deviation[] {
  const found = changes(comparable(locked.configuration), comparable(configuration))
    // The same model under another name, such as that of a folder.
    .filter(
      ({ field }) =>
        field !== 'model.name' || locked.configuration.model.fingerprint !== configuration.model.fingerprint,
    )
    .map(deviationOf);
  const rules = changes(locked.exclusions, exclusions).map((change) => ({
    ...deviationOf(change),
    of: 'exclusions' as const,
  }));
  return [...found, ...rules, ...ofCode(locked, computed_by)];
}

/** What decides numbers, without the experiment's seed, which is the run's. */
function comparable(whole: Configuration) {
  const { experiment, ...configuration } = decisive(whole);
  const { seed: _, ...asked } = experiment;
  return { ...configuration, experiment: asked };
}

function ofCode({ code, early_ends: planned }: LockedPlan, computedBy: PlannedRun['computed_by']): Deviation[] {
  return computedBy.flatMap(({ version, digest, early_ends: found }) => [
    ...(digest === code.digest
      ? []
      : [
          {
            of: 'code' as const,
            field: 'code',
            planned: `${code.version}, ${code.digest}`,
            found: `${version}, ${digest}`,
          },
        ]),
    ...(found.join() === planned.join()
      ? []
      : [{ of: 'early end' as const, field: 'early_ends', planned: namesOf(planned), found: namesOf(found) }]),
  ]);
}

function namesOf(names: readonly string[]): string {
  return names.length > 0 ? names.join(' and ') : NOTHING;
}

function deviationOf({ field, before = NOTHING, now = NOTHING }: Change): Deviation {
  return { of: kindOf(field), field, planned: before, found: now };
}

/** The kinds of deviation, by the beginning of a field. The first that matches counts. */
const KINDS: readonly (readonly [pattern: RegExp, of: Deviation['of']])[] = [
  [/^samples$/, 'number of samples'],
  [/^experiment\.primary\b/, 'primary comparison'],
  [/^experiment\..*equivalence_margin$/, 'margin'],
  [/^(experiment|left_out)\b/, 'definition'],
  [/^(dataset|seed)\b/, 'data'],
  [/^model\b/, 'model'],
];

function kindOf(field: string): Deviation['of'] {
  return KINDS.find(([pattern]) => pattern.test(field))?.[1] ?? 'settings';
}

/** Describes a deviation in a sentence, without its full stop. */
export function describeDeviation({ of, field, planned, found }: Deviation): string {
  const name = field === of ? of : `${of}, ${field}`;
  return `${name}: planned ${planned}, found ${found}`;
}
