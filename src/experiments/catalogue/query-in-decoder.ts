/** Experiment 01 of v4: the decoder reads the query before the answer, as it does in production. */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL, design, published } from './design.js';

/** Of this experiment and of the one that repeats it on other data. */
export const QUESTION = 'With the query in the decoder, what is left for priming to add?';

export const queryInDecoder = defineExperiment({
  id: 'v4-01',
  title: 'Query in the decoder',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500 },
  ...design({ oracle: 'oracle', template: 'template', doc_kw: 'doc_kw', random: 'random20' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  authors: {
    model: AUTHORS_MODEL,
    d: {
      ...published({ oracle: 0.228, template: -0.069, doc_kw: 0.148, random: 0.08 }),
      ...published({ oracle: 0.167 }, 'full'),
    },
  },
});
