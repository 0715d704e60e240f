/** What the names and columns of a run's table on the terminal mean, for those that are in it. */
import type { Summary } from '../../runs/schema/summary.js';
import { boundOf, conditionOf } from './labels.js';

const SUFFIXES = [
  ['_full', 'full', 'the decoder sees prefix and document'],
  [
    '_published',
    'published',
    'the research’s mask: of the first rows as many are hidden as prefix and line break have, so that BOS is hidden and the line break seen (where a model has both)',
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
  const bare = [...used].filter((name) => boundOf(experiment, name) === 'lower bound').map(stem);
  return [
    ...SUFFIXES.filter(([suffix, visibility]) => has(suffix, visibility)).map(
      ([suffix, , meaning]) => `…${suffix}: ${meaning}.`,
    ),
    ...(bare.includes('bare') ? ['bare: the document encoded alone; the decoder sees all of its rows.'] : []),
    ...(bare.includes('bare_d')
      ? ['bare_d: the document encoded alone; the decoder sees only its document’s rows. “…_d” is compared with it.']
      : []),
    COLUMNS,
  ];
}

/** A condition's name without the length behind it. */
function stem(name: string): string {
  return name.split('@')[0]!;
}
