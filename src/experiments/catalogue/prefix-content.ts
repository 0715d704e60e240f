/** Experiment 04 of v4: what the prefix should say, when the decoder reads the query. */
import { defineExperiment } from '../declaration/define.js';
import { baselineOf, design, gain, HIDDEN, VISIBILITIES } from './design.js';

const KEYWORD_COUNTS = [1, 3, 5, 10, 20];

export const prefixContent = defineExperiment({
  id: 'v4-04',
  title: 'Query in the decoder, what the prefix says',
  question: 'Which content of the document makes the best prefix, and does it have to be this document’s?',
  prompt: 'query',
  protocol: { samples: 500 },
  ...design({
    oracle: 'oracle',
    ...Object.fromEntries(KEYWORD_COUNTS.map((count) => [`kw${count}`, `kw${count}`])),
    wrong_kw5: 'wrong_kw5',
    pos_kw5: 'pos_kw5',
    random: 'random_matched',
    first_sentence: 'lead_full',
  }),
  primary: { treatment: 'kw5_d', baseline: 'bare_d' },
  contrasts: HIDDEN.map((suffix) => ({
    title: `Whose keywords, ${VISIBILITIES[suffix]}`,
    note: 'Positive: the first is better.',
    contrasts: [
      gain('own over another document’s keywords', `wrong_kw5_${suffix}`, `kw5_${suffix}`),
      gain('keywords by part of speech over by frequency', `kw5_${suffix}`, `pos_kw5_${suffix}`),
      gain('another document’s keywords over its first words', `random_${suffix}`, `wrong_kw5_${suffix}`),
    ],
  })),
  selections: HIDDEN.map((suffix) => ({
    title: `Number of keywords, ${VISIBILITIES[suffix]}`,
    treatments: KEYWORD_COUNTS.map((count) => `kw${count}_${suffix}`),
    baseline: baselineOf(suffix),
  })),
});
