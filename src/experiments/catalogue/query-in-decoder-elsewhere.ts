/** Experiment 03 of v4: the first one again, on a dataset with long questions and answers. */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL, design, published } from './design.js';
import { QUESTION } from './query-in-decoder.js';

export const queryInDecoderElsewhere = defineExperiment({
  id: 'v4-03',
  title: 'Query in the decoder, another dataset',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500, dataset: 'neural-bridge' },
  ...design({ oracle: 'oracle', doc_kw: 'doc_kw', random: 'random20' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  authors: { model: AUTHORS_MODEL, d: published({ oracle: 0.306, doc_kw: 0.502, random: 0.624 }) },
});
