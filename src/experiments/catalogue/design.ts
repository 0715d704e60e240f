/** Parts that experiments are put together from. */
import type { Condition } from '../../priming/condition.js';
import type { Comparison, Contrast, ExperimentDeclaration } from '../../runs/schema/experiment.js';

/** How a prefix may be shown, by the suffix of the condition's name. */
export const VISIBILITIES = { full: 'full', published: 'published', d: 'exact' } as const;

export type Suffix = keyof typeof VISIBILITIES;

/** The two suffixes that hide the prefix: the research's mask, and the document alone. */
export const HIDDEN = ['published', 'd'] as const;

/** The lower bound that sees as much as the treatment: hiding BOS must not be taken for priming. */
export function baselineOf(suffix: Suffix, at = ''): string {
  return (suffix === 'd' ? 'bare_d' : 'bare') + at;
}

/** The surrogates, by the names of their conditions. */
export type Prefixes = Readonly<Record<string, string>>;

export interface DesignOptions {
  readonly document?: Condition['document'];
  /** The decoder's prompt, where it is not the experiment's. */
  readonly prompt?: Condition['prompt'];
  /** A text that is added to every name, where the same prefixes are used on several forms of the document or with several prompts. */
  readonly at?: string;
}

/**
 * Every prefix in full, hidden by the published mask and hidden exactly, each against the bare document that sees as much and beside the
 * oracle shown in the same way (where `oracle` is among the prefixes).
 */
export function design(prefixes: Prefixes, { document, prompt, at = '' }: DesignOptions = {}) {
  const shape = { ...(document && { document }), ...(prompt && { prompt }) };
  const conditions: Condition[] = [
    { name: baselineOf('full', at), visibility: 'full', ...shape },
    { name: baselineOf('d', at), visibility: 'exact', ...shape },
  ];
  const comparisons: Comparison[] = [];
  for (const [name, surrogate] of Object.entries(prefixes)) {
    for (const suffix of Object.keys(VISIBILITIES) as Suffix[]) {
      const treatment = `${name}_${suffix}${at}`;
      conditions.push({ name: treatment, surrogate, visibility: VISIBILITIES[suffix], ...shape });
      comparisons.push({
        treatment,
        baseline: baselineOf(suffix, at),
        family: suffix,
        ...('oracle' in prefixes && { oracle: `oracle_${suffix}${at}` }),
      });
    }
  }
  return { conditions, comparisons } satisfies Partial<ExperimentDeclaration>;
}

/** The contrast of baseline minus treatment. */
export function gain(name: string, baseline: string, treatment: string, share_of?: string): Contrast {
  return { name, terms: { [baseline]: 1, [treatment]: -1 }, ...(share_of !== undefined && { share_of }) };
}

/** The contrast of the mean of some conditions minus the mean of others. */
export function groupGain(name: string, worse: readonly string[], better: readonly string[]): Contrast {
  return {
    name,
    terms: Object.fromEntries([
      ...worse.map((condition) => [condition, 1 / worse.length]),
      ...better.map((condition) => [condition, -1 / better.length]),
    ]),
  };
}

const DECOMPOSITION_NOTE =
  'Structure: any words of another document, as many as the query has. Vocabulary: from these to the query’s own words in random order. Semantics: from those to the query. Shares of the oracle’s gain.';

/** The oracle’s gain in three steps, for each way of hiding the prefix. */
export function decomposition(oracle = 'oracle', scrambled = 'scrambled', random = 'random_matched') {
  return HIDDEN.map((suffix) => {
    const [bare, real, words, other] = [
      baselineOf(suffix),
      `${oracle}_${suffix}`,
      `${scrambled}_${suffix}`,
      `${random}_${suffix}`,
    ] as const;
    return {
      title: `Decomposition, ${VISIBILITIES[suffix]}`,
      note: DECOMPOSITION_NOTE,
      decomposition: true,
      contrasts: [
        gain('total', bare, real),
        gain('structure', bare, other, 'total'),
        gain('vocabulary', other, words, 'total'),
        gain('semantics', words, real, 'total'),
      ],
    };
  });
}

/** One curve for each way of showing the prefix. */
export function curves(
  title: string,
  axis: string,
  series: Readonly<Record<string, readonly { x: number | string; name: string; at?: string }[]>>,
  suffixes: readonly Suffix[] = HIDDEN,
) {
  return suffixes.map((suffix) => ({
    title: `${title}, ${VISIBILITIES[suffix]}`,
    axis,
    series: Object.entries(series).map(([name, points]) => ({
      name,
      points: points.map((point) => ({
        x: point.x,
        treatment: `${point.name}_${suffix}${point.at ?? ''}`,
        baseline: baselineOf(suffix, point.at),
      })),
    })),
  }));
}
