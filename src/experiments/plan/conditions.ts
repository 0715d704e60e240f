/**
 * Which conditions of an experiment a model can be asked. A condition's data say which segments it needs; where a model's inputs have no such
 * segment, the condition is left out and named, with all that is computed from it. A comparison whose baseline is left out may declare another
 * one to stand in for it. What is left is a whole experiment.
 */
import { DkvError } from '../../base/errors.js';
import type { ModelShape } from '../../model/families/family.js';
import type { Encoding } from '../../priming/condition.js';
import { SEGMENTS, type Segment } from '../../priming/input.js';
import type { LeftOut } from '../../runs/schema/configuration.js';
import type { Comparison, ContrastGroup, Experiment } from '../../runs/schema/experiment.js';
import { type DeclaredExperiment, recordedExperiment } from '../declaration/declared.js';

export interface Computable {
  /** The experiment as it is computed: with the baselines that this model has, and masks that name only rows that exist. */
  readonly experiment: Experiment;
  readonly leftOut: readonly LeftOut[];
}

/**
 * @param declared what stands beside it is left out
 * @param segments those that the model's inputs have
 * @throws DkvError INPUT_INVALID where the experiment's own question needs a condition that is left out
 */
export function conditionsFor(
  declared: DeclaredExperiment,
  segments: ReadonlySet<Segment>,
  { absolutePositions }: Pick<ModelShape, 'absolutePositions'> = {},
): Computable {
  const experiment = recordedExperiment(declared);
  const leftOut = leftOutOf(experiment, segments);
  const refusal = refusalOf(experiment, segments);
  if (refusal) throw refusal;
  const names = new Set(leftOut.map(({ condition }) => condition));
  const has = (condition: string) => !names.has(condition);
  const identities = experiment.identities.flatMap(({ relative, ...identity }) =>
    relative && absolutePositions ? [] : [identity],
  );
  const fitted = withMasksOf(withBaselines({ ...experiment, identities }, has), segments);
  return { experiment: leftOut.length > 0 ? restricted(fitted, has) : fitted, leftOut };
}

/** Each comparison with the baseline that is left, the primary one with that of its comparison, each identity with its right side, each contrast with its terms. */
function withBaselines(experiment: Experiment, has: (condition: string) => boolean): Experiment {
  const { primary } = experiment;
  const comparisons = experiment.comparisons.map(({ otherwise, ...comparison }) => ({
    ...comparison,
    ...(otherwise !== undefined && !has(comparison.baseline) && { baseline: otherwise }),
  }));
  const identities = experiment.identities.map(({ otherwise, ...identity }) => ({
    ...identity,
    ...(otherwise !== undefined && !has(identity.right) && { right: otherwise }),
  }));
  const contrasts = experiment.contrasts.map((group) => ({
    ...group,
    contrasts: group.contrasts.map(({ otherwise, ...contrast }) => ({
      ...contrast,
      ...(otherwise !== undefined && !Object.keys(contrast.terms).every(has) && { terms: otherwise }),
    })),
  }));
  const place = experiment.comparisons.findIndex(
    ({ treatment, baseline }) => treatment === primary?.treatment && baseline === primary.baseline,
  );
  const baseline = comparisons[place]?.baseline;
  return {
    ...experiment,
    comparisons,
    ...(primary && baseline && { primary: { ...primary, baseline } }),
    contrasts,
    identities,
  };
}

/** Removes from masks what concerns rows that do not exist, so that a record holds what was computed. */
function withMasksOf(experiment: Experiment, segments: ReadonlySet<Segment>): Experiment {
  const there = (parts: Mask['rows']) => parts.filter((part) => isThere(part, segments));
  const masked = <T extends Encoding>(encoding: T): T => ({
    ...encoding,
    ...(encoding.blocked && {
      blocked: encoding.blocked.map(({ rows, columns }) => ({ rows: there(rows), columns: there(columns) })),
    }),
  });
  const conditions = experiment.conditions.map((condition) => ({
    ...masked(condition),
    ...(condition.also && { also: condition.also.map(masked) }),
  }));
  return { ...experiment, conditions };
}

type Mask = NonNullable<Encoding['blocked']>[number];

/** Tells whether the rows that a mask names exist. The two sides of the published count always do. */
function isThere(part: Mask['rows'][number], segments: ReadonlySet<Segment>): boolean {
  return part === 'counted' || part === 'rest' || segments.has(part);
}

function leftOutOf({ conditions }: Experiment, segments: ReadonlySet<Segment>): LeftOut[] {
  return conditions.flatMap((condition) => {
    const encodings = [condition, ...(condition.also ?? [])];
    const missing = encodings.flatMap((encoding) => missingOf(encoding, segments));
    // Without a document there is what stands around one, or nothing at all.
    if (condition.document === 'none' && !AROUND.some((segment) => segments.has(segment))) missing.push(...AROUND);
    if (missing.length === 0) return [];
    const named = SEGMENTS.filter((segment) => missing.includes(segment))
      .map((segment) => `no ${WORDS[segment] ?? segment}`)
      .join(' and ');
    return { condition: condition.name, reason: `inputs of this model have ${named}` };
  });
}

const AROUND = ['bos', 'eos'] as const satisfies readonly Segment[];

/** Segments as sentences name them; others go by their own names. */
const WORDS: Readonly<Partial<Record<string, string>>> = { bos: 'BOS', separator: 'line break', eos: 'EOS' };

/**
 * What an encoding needs and does not find. The decoder cannot be shown rows that are not there, and taking BOS off or a line break in changes
 * nothing where there is none: the condition would be another one by another name. A mask may speak of rows that are not there, since nobody sees
 * those, as long as it hides anything at all.
 */
function missingOf({ bos, separator, visibility, blocked = [] }: Encoding, segments: ReadonlySet<Segment>): Segment[] {
  const needed: Segment[] = typeof visibility === 'string' ? [] : [...visibility];
  if (bos === false) needed.push('bos');
  if (separator) needed.push('separator');
  const there = (part: Mask['rows'][number]) => isThere(part, segments);
  const hides = blocked.some(({ rows, columns }) => rows.some(there) && columns.some(there));
  const spoken = hides ? [] : blocked.flatMap(({ rows, columns }) => [...rows, ...columns]);
  return [...needed, ...(spoken as Segment[])].filter((part) => !there(part));
}

/** Why an experiment cannot be run with such a model, INPUT_INVALID: its primary comparison, or what a probe compares with, is not among what is left. */
export function refusalOf(experiment: Experiment, segments: ReadonlySet<Segment>): DkvError | undefined {
  const leftOut = leftOutOf(experiment, segments);
  const reasons = new Map(leftOut.map(({ condition, reason }) => [condition, reason]));
  const { id, unit, primary, comparisons, conditions } = withBaselines(experiment, (name) => !reasons.has(name));
  const refuse = (what: string, condition: string) =>
    new DkvError(
      'INPUT_INVALID',
      `Experiment ${id} cannot be run with this model: ${what} needs the condition "${condition}", and ${reasons.get(condition)}. Choose another experiment, or another model.`,
    );
  const question = primary ?? comparisons[0];
  const lost = [question?.treatment, question?.baseline].find((name) => name !== undefined && reasons.has(name));
  if (lost !== undefined) {
    return refuse(`its primary comparison, ${question!.treatment} against ${question!.baseline},`, lost);
  }
  const bound = unit === 'probe' ? ['bare', 'oracle'].find((name) => reasons.has(name)) : undefined;
  if (bound !== undefined) return refuse('a probe', bound);
  return leftOut.length === conditions.length ? refuse('it', leftOut[0]!.condition) : undefined;
}

/** The fewest treatments that an order can be of, and a choice be made among. */
const FEWEST = { order: 3, selection: 2 };

/** What is left of an experiment with some of its conditions: comparisons, contrasts, curves and orders whose conditions are all there. */
export function restricted(experiment: Experiment, has: (condition: string) => boolean): Experiment {
  const both = ({ treatment, baseline }: Pick<Comparison, 'treatment' | 'baseline'>) => has(treatment) && has(baseline);
  const ofTreatments = <T extends { readonly treatments: string[]; readonly baseline: string }>(
    all: T[],
    few: number,
  ) =>
    all
      .map((one) => ({ ...one, treatments: one.treatments.filter(has) }))
      .filter(({ treatments, baseline }) => treatments.length >= few && has(baseline));
  return {
    ...experiment,
    conditions: experiment.conditions.filter(({ name }) => has(name)),
    comparisons: experiment.comparisons.filter(both).map(({ oracle, control, ...comparison }) => ({
      ...comparison,
      ...(control !== undefined && has(control) && { control }),
      ...(oracle !== undefined && has(oracle) && { oracle }),
    })),
    contrasts: experiment.contrasts.map((group) => contrastsOf(group, has)).filter(({ contrasts }) => contrasts.length),
    curves: experiment.curves
      .map((curve) => ({
        ...curve,
        series: curve.series
          .map((one) => ({ ...one, points: one.points.filter(both) }))
          .filter(({ points }) => points.length > 0),
      }))
      .filter(({ series }) => series.length > 0),
    orders: ofTreatments(experiment.orders, FEWEST.order),
    selections: ofTreatments(experiment.selections, FEWEST.selection),
    identities: experiment.identities.filter(({ left, right }) => has(left) && has(right)),
  };
}

/** The contrasts of which all terms are there. What was a share of a missing contrast has no share. */
function contrastsOf(group: ContrastGroup, has: (condition: string) => boolean): ContrastGroup {
  const left = group.contrasts.filter(({ terms }) => Object.keys(terms).every(has));
  const names = new Set(left.map(({ name }) => name));
  return {
    ...group,
    contrasts: left.map(({ share_of, ...contrast }) => ({
      ...contrast,
      ...(share_of !== undefined && names.has(share_of) && { share_of }),
    })),
    ...(group.family && { family: group.family.filter((name) => names.has(name)) }),
  };
}
