/**
 * Arms that any experiment may be given: conditions that say what of a gain is the prefix's content, what is the document's, and whether it hangs on how the
 * scored text begins. They are conditions, comparisons and contrasts like any others; a record has them all.
 */
import { DkvError } from '../../base/errors.js';
import { type Condition, conditionSchema, type Encoding } from '../../priming/condition.js';
import { NEUTRAL } from '../../priming/surrogate.js';
import {
  type Arm,
  bareOf,
  type Comparison,
  type ContrastGroup,
  type Experiment,
} from '../../runs/schema/experiment.js';

const NO_DOCUMENT = 'no_document';

/** How the target begins, by what stands behind the names of conditions. */
const FORMS = { space: 'space', line: 'line' } as const satisfies Record<
  string,
  NonNullable<Condition['before_target']>
>;

type Parts = Pick<Experiment, 'conditions' | 'comparisons' | 'contrasts'>;

/**
 * The experiment with what its arms add; what is there already stays as it is, so that an experiment from a record is the same again.
 * @throws DkvError INPUT_INVALID where an arm does not fit the experiment
 */
export function withArms<E extends Experiment>(experiment: E): E {
  const { arms = [] } = experiment;
  if (arms.length > 0 && experiment.unit === 'probe') {
    throw refusal(experiment, arms[0]!, 'is of what is scored, and a probe scores nothing');
  }
  return IN_TURN.filter(([arm]) => arms.includes(arm)).reduce(
    (whole, [, parts]) => added(whole, parts(whole)),
    experiment,
  );
}

/** Controls come last: what the others compare has controls, too, however often arms are asked for. */
const IN_TURN: readonly (readonly [arm: Arm, parts: (experiment: Experiment) => Parts])[] = [
  ['no_document', withoutDocument],
  ['target_form', withTargetForms],
  ['machinery', withControls],
];

function refusal({ id }: Experiment, arm: Arm, why: string): DkvError {
  return new DkvError('INPUT_INVALID', `Experiment ${id}: the arm "${arm}" ${why}.`);
}

/** Comparisons are those of the parts, which may have changed; conditions and contrasts of theirs are put behind the others. */
function added<E extends Experiment>(experiment: E, parts: Parts): E {
  const { comparisons, contrasts } = parts;
  // With their fields in the order of the schema, as those of a record are.
  const conditions = parts.conditions.map((condition) => conditionSchema.parse(condition));
  const known = new Map(experiment.conditions.map((condition) => [condition.name, JSON.stringify(condition)]));
  const other = conditions.find((condition) => {
    const own = known.get(condition.name);
    return own !== undefined && own !== JSON.stringify(condition);
  });
  if (other) {
    throw new DkvError(
      'INPUT_INVALID',
      `Experiment ${experiment.id}: an arm adds the condition "${other.name}", and there is another one of that name. Rename it.`,
    );
  }
  const titles = new Set(experiment.contrasts.map(({ title }) => title));
  return {
    ...experiment,
    conditions: [...experiment.conditions, ...conditions.filter(({ name }) => !known.has(name))],
    comparisons,
    contrasts: [...experiment.contrasts, ...contrasts.filter(({ title }) => !titles.has(title))],
  };
}

const CONTROL_NOTE =
  'The control is the same condition with a prefix without content, "the" as often as the prefix has tokens, and the same rows hidden. Machinery: what the control gains over the baseline. Content: what the prefix gains over the control. The two add up to the gain.';

/** Beside every prefix that is compared with a document without one. */
function withControls(experiment: Experiment): Parts {
  const { conditions, unit } = experiment;
  const byName = new Map(conditions.map((condition) => [condition.name, condition]));
  const controlled = experiment.comparisons.map((comparison) => {
    const treatment = byName.get(comparison.treatment)!;
    const isPlain = specificationsIn(byName.get(comparison.baseline)!).length === 0;
    const own = specificationsIn(treatment);
    if (!isPlain || own.length === 0 || own.every(isNeutral)) return { comparison };
    const control: Condition = { ...neutral(treatment), name: `${treatment.name}_neutral` };
    return {
      comparison: { ...comparison, control: control.name },
      control,
    };
  });
  const controls = new Map(controlled.flatMap(({ control }) => (control ? [[control.name, control] as const] : [])));
  if (controls.size === 0)
    throw refusal(experiment, 'machinery', 'is of prefixes, and none is compared with a document without one');
  const comparisons = controlled.map(({ comparison }) => comparison);
  return {
    conditions: [...controls.values()],
    // A ranking has no contrasts: there the two parts are comparisons.
    comparisons: unit === 'pool' ? dividedOf(comparisons) : comparisons,
    contrasts: unit === 'pool' ? [] : controlContrasts(comparisons, (name) => shownBy(byName.get(name)!)),
  };
}

function specificationsIn(condition: Condition): string[] {
  return [condition, ...(condition.also ?? [])].flatMap(({ surrogate }) => surrogate ?? []);
}

function isNeutral(specification: string): boolean {
  return specification.startsWith(`${NEUTRAL}(`);
}

function neutral(condition: Condition): Condition {
  const of = <T extends Encoding>(encoding: T): T =>
    encoding.surrogate === undefined || isNeutral(encoding.surrogate)
      ? encoding
      : { ...encoding, surrogate: `${NEUTRAL}(${encoding.surrogate})` };
  return { ...of(condition), ...(condition.also && { also: condition.also.map(of) }) };
}

/** Adds to each comparison its control against the baseline, and its treatment against the control. */
function dividedOf(comparisons: readonly Comparison[]): Comparison[] {
  const has = (treatment: string, baseline: string) =>
    comparisons.some((other) => other.treatment === treatment && other.baseline === baseline);
  const parts = comparisons.flatMap(({ treatment, baseline, control, family = '' }) =>
    control === undefined
      ? []
      : [
          { treatment: control, baseline, family: `${family} machinery`.trim() },
          { treatment, baseline: control, family: `${family} content`.trim() },
        ],
  );
  return [...comparisons, ...parts.filter(({ treatment, baseline }) => !has(treatment, baseline))];
}

/** What the decoder sees, in a title. */
function shownBy({ visibility, before_target }: Condition): string {
  const named = typeof visibility === 'string' ? visibility : visibility.join('+');
  return before_target ? `${named}, other beginnings of the target` : named;
}

function controlContrasts(comparisons: readonly Comparison[], shown: (condition: string) => string): ContrastGroup[] {
  const groups = new Map<string, Comparison[]>();
  for (const comparison of comparisons) {
    if (comparison.control === undefined) continue;
    const key = shown(comparison.treatment);
    groups.set(key, [...(groups.get(key) ?? []), comparison]);
  }
  return [...groups].map(([key, members]) => ({
    title: `Machinery and content, ${key}`,
    note: CONTROL_NOTE,
    decomposition: false,
    contrasts: members.flatMap(({ treatment, baseline, control }) => [
      { name: `${treatment}: gain`, terms: { [baseline]: 1, [treatment]: -1 } },
      { name: `${treatment}: machinery`, terms: { [baseline]: 1, [control!]: -1 }, share_of: `${treatment}: gain` },
      { name: `${treatment}: content`, terms: { [control!]: 1, [treatment]: -1 }, share_of: `${treatment}: gain` },
    ]),
    family: members.flatMap(({ treatment }) => [`${treatment}: machinery`, `${treatment}: content`]),
  }));
}

/** How well a model knows the answers that it is asked for without any document. */
function withoutDocument(experiment: Experiment): Parts {
  const bare = bareOf(experiment);
  if (experiment.unit === 'pool')
    throw refusal(experiment, 'no_document', 'is of samples: without documents all candidates are one');
  if (!bare) throw refusal(experiment, 'no_document', 'needs a condition that is the document alone');
  const { prompt } = bare;
  const condition: Condition = {
    name: NO_DOCUMENT,
    document: 'none',
    visibility: 'full',
    ...(prompt && { prompt }),
  };
  const comparison = { treatment: bare.name, baseline: NO_DOCUMENT, family: 'the document itself' };
  return { conditions: [condition], comparisons: withComparisons(experiment, [comparison]), contrasts: [] };
}

/** The primary comparison again, with a blank or a line break before the target. */
function withTargetForms(experiment: Experiment): Parts {
  const { conditions, comparisons } = experiment;
  const primary = experiment.primary ?? comparisons[0];
  if (!primary) throw refusal(experiment, 'target_form', 'needs a comparison');
  const forms = Object.entries(FORMS).map(([form, before_target]) => ({
    conditions: [primary.baseline, primary.treatment].map((name): Condition => {
      const own = conditions.find((condition) => condition.name === name)!;
      return { ...own, name: `${name}_${form}`, before_target };
    }),
    comparison: {
      treatment: `${primary.treatment}_${form}`,
      baseline: `${primary.baseline}_${form}`,
      family: 'form of the target',
    },
  }));
  return {
    conditions: forms.flatMap((form) => form.conditions),
    comparisons: withComparisons(
      experiment,
      forms.map(({ comparison }) => comparison),
    ),
    contrasts: [],
  };
}

function withComparisons({ comparisons }: Experiment, more: readonly Comparison[]): Comparison[] {
  const has = ({ treatment, baseline }: Comparison) =>
    comparisons.some((other) => other.treatment === treatment && other.baseline === baseline);
  return [...comparisons, ...more.filter((comparison) => !has(comparison))];
}
