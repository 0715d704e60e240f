/** Experiment 01 of v4: the decoder reads the query before the answer, as it does in production. */
import { defineExperiment } from '../declaration/define.js';
import { design } from './design.js';

/** The question of this experiment and of the one that repeats it on other data. */
export const QUESTION = 'With the query in the decoder, what is left for priming to add?';

export const queryInDecoder = defineExperiment({
  id: 'v4-01',
  title: 'Query in the decoder',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500 },
  ...design({ oracle: 'oracle', template: 'template', doc_kw: 'doc_kw', random: 'random_matched' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
});
