/** Experiment 03 of v4: the first one again, on a dataset with long questions and answers. */
import { defineExperiment } from '../declaration/define.js';
import { design } from './design.js';
import { QUESTION } from './query-in-decoder.js';

export const queryInDecoderElsewhere = defineExperiment({
  id: 'v4-03',
  title: 'Query in the decoder, another dataset',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500, dataset: 'neural-bridge' },
  ...design({ oracle: 'oracle', doc_kw: 'doc_kw', random: 'random_matched' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
});
