/** Experiment 3F, amplification: does meaning come out when the prefix is repeated or the document is short? */
import { defineExperiment } from '../declaration/define.js';
import { curves, decomposition, design } from './design.js';

const TIMES = [1, 3, 5, 10, 20];
const FEW_TIMES = [5, 10];

const repeatedly = (name: string, surrogate: string, times: readonly number[]) =>
  Object.fromEntries(times.map((count) => [`${name}_x${count}`, count === 1 ? surrogate : `${surrogate}*${count}`]));

const whole = design({
  ...repeatedly('oracle', 'oracle', TIMES),
  ...repeatedly('random', 'random_matched', TIMES),
  scrambled_x1: 'scrambled',
  ...repeatedly('scrambled', 'scrambled', FEW_TIMES),
  ...repeatedly('content', 'query_kw', FEW_TIMES),
  ...repeatedly('random_content', 'random_kw_matched', FEW_TIMES),
  the: 'the_matched10',
});
const short = design({ oracle: 'oracle' }, { document: { first_words: 30 }, at: '@30w' });

export const amplification = defineExperiment({
  id: 'exp3f',
  title: 'Amplification',
  question: 'Does the prefix’s meaning weigh more when it is repeated, or when the document is short?',
  protocol: { samples: 500 },
  conditions: [...whole.conditions, ...short.conditions],
  comparisons: [...whole.comparisons, ...short.comparisons],
  primary: { treatment: 'oracle_x10_d', baseline: 'bare_d' },
  contrasts: [
    ...decomposition('oracle_x1', 'scrambled_x1', 'random_x1'),
    ...FEW_TIMES.flatMap((count) =>
      decomposition(`oracle_x${count}`, `scrambled_x${count}`, `random_x${count}`).map((group) => ({
        ...group,
        title: `${group.title}, ${count} times`,
      })),
    ),
  ],
  curves: curves('Repetition', 'times', {
    oracle: TIMES.map((x) => ({ x, name: `oracle_x${x}` })),
    random: TIMES.map((x) => ({ x, name: `random_x${x}` })),
  }),
});
