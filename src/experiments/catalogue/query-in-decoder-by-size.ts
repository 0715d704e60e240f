/** Experiment 10 of v4: query in the decoder, on T5 of four sizes that was never instruction-tuned. */
import { defineExperiment } from '../declaration/define.js';
import {
  figures,
  maskContrasts,
  RANDOM_WORDS,
  SMALL_MODELS_PROTOCOL,
  whereTheQueryStands,
  withAndWithoutQuery,
} from './with-and-without-query.js';

const asked = withAndWithoutQuery({ oracle: 'oracle', doc_kw: 'doc_kw', random: RANDOM_WORDS }, { oracle: 'oracle' });

export const queryInDecoderBySize = defineExperiment({
  id: 'v4-10',
  title: 'Query in the decoder, T5 by size',
  question: 'Does a T5 that was never tuned to instructions gain from a prefix, and does its size decide how much?',
  prompt: 'query',
  protocol: SMALL_MODELS_PROTOCOL,
  ...asked,
  comparisons: [
    ...asked.comparisons,
    ...(['published', 'd'] as const).map((suffix) => ({
      treatment: `doc_kw_${suffix}`,
      baseline: `random_${suffix}`,
      family: 'content',
    })),
  ],
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  contrasts: [...whereTheQueryStands(), maskContrasts(['oracle', 'doc_kw', 'random'])],
  authors: figures(
    [
      'oracle_published',
      'doc_kw_published',
      'random_published',
      'oracle_published_nq',
      'bare',
      'doc_kw_published over random_published',
    ],
    ['bare', 'oracle_published', 'doc_kw_published', 'random_published', 'bare_nq', 'oracle_published_nq'],
    {
      'google-t5/t5-small': {
        d: [0.419, 0.284, 0.209, -0.361, 0.484, 0.163],
        nll: [3.4657, 2.9427, 3.2971, 3.3613, 4.6728, 4.8844],
      },
      'google-t5/t5-base': {
        d: [0.528, 0.501, 0.46, 0.199, 0.653, 0.386],
        nll: [3.3831, 2.7337, 2.9642, 3.1822, 6.0422, 5.9313],
      },
      'google-t5/t5-large': {
        d: [0.531, 0.51, 0.459, 0.241, 0.736, 0.36],
        nll: [3.1952, 2.4385, 2.6031, 2.8181, 7.7976, 7.7466],
      },
      'google-t5/t5-3b': {
        d: [0.508, 0.533, 0.395, 0.01, 0.585, 0.292],
        nll: [3.2464, 2.3993, 2.5948, 2.7744, 9.4647, 9.4282],
      },
    },
  ),
});
