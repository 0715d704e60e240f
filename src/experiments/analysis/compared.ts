/**
 * What outcomes beside NLLs are compared over: the experiment's comparisons without those of two that are the same by construction, and where a comparison has a
 * control without content, the control against the baseline (machinery) and the treatment against the control (content).
 */
import { DkvError } from '../../base/errors.js';
import { RESUME } from '../../runs/schema/advice.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { Comparison } from '../../runs/schema/experiment.js';
import { correctFamilies, type Estimate, estimate, type Sampling, within } from '../../stats/gains.js';
import { inferMeans, intervalOfMean, pOfMean } from '../../stats/mean-inference.js';
import { isSelfTest } from './self-tests.js';

export type Compared = Pick<Comparison, 'treatment' | 'baseline' | 'family'>;

export function comparedOf(configuration: Configuration): Compared[] {
  const { comparisons } = configuration.experiment;
  const effects = comparisons.filter((comparison) => !isSelfTest(configuration, comparison));
  const parts = effects.flatMap(({ treatment, baseline, control, family = '' }): Compared[] =>
    control === undefined
      ? []
      : [
          { treatment: control, baseline, family: `${family}: machinery` },
          { treatment, baseline: control, family: `${family}: content` },
        ],
  );
  return [...effects, ...parts];
}

/** The names of the conditions that are compared, in the experiment's order. */
export function comparedNames({ experiment }: Configuration, compared: readonly Compared[]): string[] {
  const names = new Set(compared.flatMap(({ treatment, baseline }) => [treatment, baseline]));
  return experiment.conditions.flatMap(({ name }) => (names.has(name) ? [name] : []));
}

/** A mean difference with what its test says, uncorrected. */
export interface Tested {
  readonly mean: Estimate;
  readonly p: number | null;
}

/**
 * Treatment less baseline of each pair, sample by sample.
 * @param range what lies between the least and the greatest value that there can be, 1 of a proportion: no difference is larger
 */
export function differences(
  pairs: readonly Compared[],
  valuesOf: (condition: string) => readonly number[],
  { dependence, resamples }: Sampling,
  range = Number.POSITIVE_INFINITY,
): Tested[] {
  const lists = pairs.map(({ treatment, baseline }) => {
    const before = valuesOf(baseline);
    return valuesOf(treatment).map((value, s) => value - before[s]!);
  });
  return inferMeans(lists, dependence, resamples).map((inference) => ({
    mean: within(estimate(inference.mean, intervalOfMean(inference)), -range, range),
    p: pOfMean(inference) ?? null,
  }));
}

export function holmOf(pairs: readonly Compared[], tested: readonly Tested[]): (number | null)[] {
  const families = pairs.map(({ family }) => family ?? '');
  return correctFamilies(
    families,
    tested.map(({ p }) => p),
  ).map(({ holm }) => holm);
}

/** A field of a trial that the run was asked for. @throws DkvError RUN_DAMAGED where it is missing */
export function askedField<Name extends 'tempered_nlls' | 'wrong_nlls' | 'said'>(
  trial: Trial,
  name: Name,
): NonNullable<Trial[Name]> {
  const value = trial[name];
  if (value !== undefined) return value;
  throw new DkvError(
    'RUN_DAMAGED',
    `The trial of ${trial.sample} under ${trial.condition} has no ${name}, which this run was asked for. Bring the trials back from a copy, or remove them (trials.jsonl or trials.jsonl.gz) and go on with the run (${RESUME}): they are computed anew.`,
  );
}
