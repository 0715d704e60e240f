/** Experiment 10 of v4: query in the decoder, on T5 of four sizes that was never instruction-tuned. */
import { defineExperiment } from '../declaration/define.js';
import {
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
});
