/**
 * Experiment 07: is it the prefix's content or the document's positions? Two by two: the document's rows may attend the prefix or not; they
 * stand behind the prefix or where they stand without it.
 */
import type { Condition } from '../../priming/condition.js';
import { defineExperiment } from '../declaration/define.js';
import { baselineOf, design, gain, HIDDEN, type Suffix, VISIBILITIES } from './design.js';

const { conditions, comparisons } = design({ oracle: 'oracle', random: 'random_matched' });

const random = (name: string, suffix: Suffix, change: Partial<Condition>): Condition => ({
  name: `${name}_${suffix}`,
  surrogate: 'random_matched',
  visibility: VISIBILITIES[suffix],
  ...change,
});

/** The published count knows no segments: what it hides, BOS and prefix, is what the rest may not attend. An end of text would hand it on. */
const BLOCKED = {
  published: [{ rows: ['rest' as const], columns: ['counted' as const] }],
  d: [
    { rows: ['separator' as const, 'document' as const, 'eos' as const], columns: ['bos' as const, 'prefix' as const] },
  ],
};

const CELLS = ['shifted', 'blocked', 'neutralized'];

export const positionsOrContent = defineExperiment({
  id: 'exp07',
  title: 'Positions or content',
  question: 'Does a prefix act through attention in the encoder, or by moving the document to other positions?',
  protocol: { samples: 500 },
  conditions: [
    ...conditions,
    ...HIDDEN.flatMap((suffix) => [
      random('shifted', suffix, { positions: 'after_prefix' }),
      random('blocked', suffix, { blocked: BLOCKED[suffix] }),
      random('neutralized', suffix, { positions: 'prefix_last' }),
    ]),
  ],
  comparisons: [
    ...comparisons,
    ...HIDDEN.flatMap((suffix) =>
      CELLS.map((cell) => ({
        treatment: `${cell}_${suffix}`,
        baseline: baselineOf(suffix),
        oracle: `oracle_${suffix}`,
        family: suffix,
      })),
    ),
  ],
  primary: { treatment: 'neutralized_d', baseline: 'bare_d' },
  contrasts: HIDDEN.map((suffix) => {
    const [bare, shifted, neutralized, both] = [
      baselineOf(suffix),
      `shifted_${suffix}`,
      `neutralized_${suffix}`,
      `random_${suffix}`,
    ] as const;
    return {
      title: `Two by two, ${VISIBILITIES[suffix]}`,
      note: 'Prefix attended or not, document moved or not; main effects are means over the other factor.',
      contrasts: [
        gain('both', bare, both),
        {
          name: 'prefix attended',
          terms: { [bare]: 0.5, [shifted]: 0.5, [neutralized]: -0.5, [both]: -0.5 },
          share_of: 'both',
        },
        {
          name: 'document moved',
          terms: { [bare]: 0.5, [neutralized]: 0.5, [shifted]: -0.5, [both]: -0.5 },
          share_of: 'both',
        },
        { name: 'interaction', terms: { [bare]: -1, [shifted]: 1, [neutralized]: 1, [both]: -1 } },
      ],
      equivalence_margin: 0.1,
    };
  }),
});
