/** From a declaration, whose defaults are left out, to an experiment that names only conditions which it has. */
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { didYouMean } from '../../base/near.js';
import { parse } from '../../base/parse.js';
import { bareOf, type Experiment, type Outcome } from '../../runs/schema/experiment.js';
import { measure } from '../../stats/ranking.js';
import { withArms } from './arms.js';
import { type DeclaredExperiment, experimentFileSchema, type StudyDeclaration } from './declared.js';
import { expectFunctions, withoutFunctions } from './functions.js';

/**
 * Checks a declaration and fills in its defaults. A function among its surrogates is replaced by the specification that run records keep of it; the
 * function itself is returned in `functions`.
 * @throws DkvError INPUT_INVALID naming the field, or the condition or function that does not exist
 */
export function defineExperiment(declaration: StudyDeclaration): DeclaredExperiment {
  return parseExperiment(declaration);
}

/** Parses a declaration that comes from elsewhere, such as a file. */
export function parseExperiment(declaration: unknown): DeclaredExperiment {
  const { plain, functions } = withoutFunctions(declaration);
  const given = parse(experimentFileSchema, plain, 'INPUT_INVALID', 'The experiment is not well formed');
  const parsed = withOwnDataset(given, plain);
  expectFunctions(parsed, functions);
  expectConsistent(parsed);
  const whole = withArms(parsed);
  return functions.size > 0 ? { ...whole, functions } : whole;
}

/** Takes a protocol to be for the data that stand in the experiment's file, unless it names others. */
function withOwnDataset(parsed: DeclaredExperiment, declaration: unknown): DeclaredExperiment {
  const { protocol } = declaration as { readonly protocol?: { readonly dataset?: unknown } };
  if (!parsed.data || protocol?.dataset !== undefined) return parsed;
  const { dataset } = parsed.data;
  // Runs know a file by its name alone.
  const name = dataset.includes(':') ? dataset : path.basename(dataset);
  return { ...parsed, protocol: { ...parsed.protocol, dataset: name } };
}

/**
 * Checks that everything that is named exists.
 * @throws DkvError INPUT_INVALID
 */
function expectConsistent(experiment: Experiment): void {
  const { id, conditions, ...rest } = experiment;
  const names = conditions.map((condition) => condition.name);
  const known = new Set(names);
  const invalid = (message: string) => new DkvError('INPUT_INVALID', `Experiment ${id}: ${message}`);
  if (known.size < names.length) throw invalid('two conditions have the same name.');
  const used = [
    ...rest.comparisons.flatMap(({ treatment, baseline, otherwise, control, oracle }) => [
      treatment,
      baseline,
      ...(otherwise ? [otherwise] : []),
      ...(control ? [control] : []),
      ...(oracle ? [oracle] : []),
    ]),
    ...rest.contrasts.flatMap(({ contrasts }) =>
      contrasts.flatMap(({ terms, otherwise = {} }) => Object.keys({ ...terms, ...otherwise })),
    ),
    ...rest.curves.flatMap(({ series }) =>
      series.flatMap(({ points }) => points.flatMap((p) => [p.treatment, p.baseline])),
    ),
    ...rest.identities.flatMap(({ left, right, otherwise }) => [left, right, ...(otherwise ? [otherwise] : [])]),
    ...[...rest.orders, ...rest.selections].flatMap(({ treatments, baseline }) => [...treatments, baseline]),
  ];
  const missing = used.find((condition) => !known.has(condition));
  if (missing !== undefined) {
    throw invalid(`there is no condition "${missing}"; there are: ${names.join(', ')}.${didYouMean(missing, names)}`);
  }
  const unfit = unfitOutcome(experiment, rest.outcomes);
  if (unfit !== undefined) throw invalid(unfit);
  const blind = conditions.find(({ document, visibility }) => document === 'none' && visibility !== 'full');
  if (blind) {
    throw invalid(`the condition "${blind.name}" has no document, of which only visibility "full" shows anything.`);
  }
  for (const name of [...rest.measures, ...(rest.screening ? [rest.screening.measure] : [])]) measure(name);
  if (rest.screening && (rest.unit !== 'pool' || !bareOf(experiment))) {
    throw invalid('a screening is of pools, and needs a condition without a surrogate.');
  }
  const pairs = new Set(rest.comparisons.map(({ treatment, baseline }) => JSON.stringify([treatment, baseline])));
  const needed = [
    ...(rest.primary ? [rest.primary] : []),
    ...rest.curves.flatMap(({ series }) => series.flatMap(({ points }) => points)),
    ...rest.orders.flatMap(({ treatments, baseline }) => treatments.map((treatment) => ({ treatment, baseline }))),
  ];
  const uncompared = needed.find(({ treatment, baseline }) => !pairs.has(JSON.stringify([treatment, baseline])));
  if (uncompared) {
    throw invalid(`${uncompared.treatment} is shown against ${uncompared.baseline}, but no comparison has the two.`);
  }
  for (const { title, contrasts, family = [], verdict } of rest.contrasts) {
    const inGroup = new Set(contrasts.map((contrast) => contrast.name));
    const shares = contrasts.flatMap(({ share_of }) => (share_of ? [share_of] : []));
    const unknown = [...shares, ...family].find((contrast) => !inGroup.has(contrast));
    if (unknown !== undefined) throw invalid(`the contrasts "${title}" have none that is called "${unknown}".`);
    if (verdict !== undefined && !inGroup.has('P0')) {
      throw invalid(`the contrasts "${title}" ask for a verdict and have no P0, the gain of priming.`);
    }
  }
}

/** Why an experiment does not have one of these outcomes; undefined where it may have them all. */
export function unfitOutcome(
  { unit, target }: Pick<Experiment, 'unit' | 'target'>,
  outcomes: readonly Outcome[] = [],
): string | undefined {
  const [first] = outcomes;
  if (first !== undefined && unit !== 'sample') {
    return `the outcome "${first}" is of samples, whose NLLs are compared; its unit is another.`;
  }
  const ofAnswers = outcomes.find((outcome) => outcome !== 'temperature');
  if (ofAnswers === undefined || target === 'answer') return undefined;
  return `the outcome "${ofAnswers}" is of answers, and it scores queries.`;
}
