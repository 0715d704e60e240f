/** What the names and columns of a run's table on the terminal mean, for those that are in it. */
import type { Summary } from '../../runs/schema/summary.js';
import { boundOf, conditionOf } from './labels.js';

const SUFFIXES = [
  ['_full', 'full', 'the decoder sees prefix and document'],
  [
    '_published',
    'published',
    'as many leading rows as the prefix and its line break have are hidden, BOS among them: the research’s mask',
  ],
  ['_d', 'exact', 'the decoder sees the document’s rows alone, exactly'],
] as const;

const COLUMNS =
  'gain: NLL of the baseline less that of the condition, per target token: positive is better. trimmed: without the lowest and highest fifth. win: samples with a gain above 0. robust d: the trimmed gain in standard deviations. p, Holm: corrected over the comparisons that see the same. [95%]: interval by clusters.';

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
    ...(bare.includes('bare') ? ['bare: the document encoded alone, everything of it visible.'] : []),
    ...(bare.includes('bare_d')
      ? ['bare_d: the same, its document rows visible alone: what “…_d” is compared with.']
      : []),
    COLUMNS,
  ];
}

/** A condition's name without the length behind it. */
function stem(name: string): string {
  return name.split('@')[0]!;
}
