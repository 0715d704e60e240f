/** Experiment 09 of v4: query in the decoder, on models of other families. */
import { defineExperiment } from '../declaration/define.js';
import {
  figures,
  maskContrasts,
  RANDOM_WORDS,
  SMALL_MODELS_PROTOCOL,
  withAndWithoutQuery,
} from './with-and-without-query.js';

export const queryInDecoderOtherModels = defineExperiment({
  id: 'v4-09',
  title: 'Query in the decoder, other models',
  question: 'Do models of other families gain from a prefix too, and does T5, which has neither BOS nor a line break?',
  prompt: 'query',
  protocol: SMALL_MODELS_PROTOCOL,
  ...withAndWithoutQuery({ oracle: 'oracle', random: RANDOM_WORDS }),
  primary: { treatment: 'oracle_d', baseline: 'bare_d' },
  contrasts: [maskContrasts(['oracle', 'random'])],
  authors: figures(
    ['oracle_published', 'random_published', 'bare'],
    ['bare', 'oracle_published', 'random_published', 'bare_nq'],
    {
      'google/flan-t5-base': { d: [0.251139, 0.106984, -0.43849], nll: [3.103867, 2.974068, 3.059759, 2.249124] },
      'google/flan-t5-large': { d: [0.319968, 0.247407, -0.416222], nll: [3.005428, 2.824204, 2.91167, 2.24341] },
      'google/flan-t5-xl': { d: [0.430123, 0.029686, -0.340978], nll: [2.795451, 2.547286, 2.783237, 2.228224] },
      'facebook/bart-large': { d: [0.144103, 0.043415, 0.680014], nll: [3.28426, 3.129109, 3.236846, 4.747819] },
    },
  ),
});
