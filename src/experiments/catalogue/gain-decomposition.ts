/** Experiment 2B, decomposition: how much of the oracle's gain is any words, its words, their order; and how many words does it take? */
import { defineExperiment } from '../declaration/define.js';
import { baselineOf, curves, decomposition, design, HIDDEN } from './design.js';

const WORDS = [1, 3, 5, 10, 20, 50];

const { conditions, comparisons } = design({
  oracle: 'oracle',
  scrambled: 'scrambled',
  random_matched: 'random_matched',
  ...Object.fromEntries(WORDS.map((words) => [`random${words}w`, `random${words}`])),
  the_x10: 'static:the*10',
  keyword_x10: 'kw1*10',
});

export const gainDecomposition = defineExperiment({
  id: 'exp2b',
  title: 'Decomposition',
  question: 'How much of the oracle’s gain comes from any words at all, from its words, and from their meaning?',
  protocol: { samples: 500 },
  conditions,
  comparisons: [
    ...comparisons,
    // The semantic gap by hardness: both sides see the same.
    ...HIDDEN.map((suffix) => ({
      treatment: `oracle_${suffix}`,
      baseline: `random_matched_${suffix}`,
      family: 'semantic gap',
    })),
  ],
  primary: { treatment: 'random_matched_d', baseline: baselineOf('d') },
  contrasts: decomposition(),
  curves: curves('Titration', 'words of another document', {
    random: WORDS.map((words) => ({ x: words, name: `random${words}w` })),
  }),
});
