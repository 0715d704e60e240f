/** What the names and columns of a run's table on the terminal mean, for those that are in it. */
import { surrogate as surrogateOf } from '../../priming/surrogate.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { Summary } from '../../runs/schema/summary.js';
import { boundOf, conditionOf, listed, prefixName, SEGMENTS } from './labels.js';

const SUFFIXES = [
  ['_full', 'full', 'the decoder sees prefix and document'],
  [
    '_published',
    'published',
    'the research’s mask: it hides as many of the first rows as prefix and line break have. Since BOS comes first, BOS and the prefix are hidden and the line break stays visible (where a model has both)',
  ],
  ['_d', 'exact', 'the decoder sees only the document’s rows'],
] as const;

const COLUMNS =
  'gain: the baseline’s NLL less the condition’s, in nats a token of the target; positive is better. trimmed mean: without the lowest and the highest fifth of the samples. win %: samples with a gain above 0. robust d: the trimmed mean in (winsorised) standard deviations. p, Holm: corrected over the comparisons of the same visibility. [95%]: confidence interval, which counts clusters of samples.';

/** One line an entry; none where nothing is compared by NLL. */
export function legend({ configuration: { experiment }, comparisons }: Summary): string[] {
  if (comparisons.length === 0) return [];
  const used = new Set(comparisons.flatMap(({ treatment, baseline }) => [treatment, baseline]));
  const has = (suffix: string, visibility: string) =>
    [...used].some((name) => conditionOf(experiment, name).visibility === visibility && stem(name).endsWith(suffix));
  return [
    ...SUFFIXES.filter(([suffix, visibility]) => has(suffix, visibility)).map(
      ([suffix, , meaning]) => `…${suffix}: ${meaning}.`,
    ),
    ...new Set([...used].flatMap((name) => bareLine(experiment, name))),
    ...new Set([...used].flatMap((name) => prefixLine(experiment, name))),
    COLUMNS,
  ];
}

/** What the decoder sees of a document alone, by the condition and not by its name. */
function bareLine(experiment: Experiment, name: string): string[] {
  const bare = stem(name);
  if (boundOf(experiment, name) !== 'lower bound' || (bare !== 'bare' && bare !== 'bare_d')) return [];
  const compared = bare === 'bare_d' ? ' “…_d” is compared with it.' : '';
  return [`${bare}: the document encoded alone; the decoder sees ${rowsOf(experiment, name)}.${compared}`];
}

function rowsOf(experiment: Experiment, name: string): string {
  const { visibility } = conditionOf(experiment, name);
  if (visibility === 'full') return 'all of its rows';
  if (visibility === 'exact') return 'only its document’s rows';
  // Without a prefix the published mask has no rows to count beside the line break's.
  if (visibility === 'published') return 'what the research’s mask leaves';
  return visibility.length > 0 ? `only ${listed(visibility.map((segment) => SEGMENTS[segment]))}` : 'nothing of it';
}

/** What a prefix is, and whether it can be made before a query is asked. */
function prefixLine(experiment: Experiment, name: string): string[] {
  const bound = boundOf(experiment, name);
  const { surrogate: specification } = conditionOf(experiment, name);
  if (specification === undefined || bound === 'mechanism') return [];
  const { about, needsQuery } = surrogateOf(specification);
  const limit = needsQuery ? '; it needs the query, so it cannot be used for unknown queries' : '';
  return [`${prefixName(experiment, name)}: ${about.replaceAll("'", '’')}${limit}.`];
}

/** A condition's name without the length behind it. */
function stem(name: string): string {
  return name.split('@')[0]!;
}
