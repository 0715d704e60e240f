/** Experiment 09 of v4: query in the decoder, on models of other families. */
import { defineExperiment } from '../declaration/define.js';
import { maskContrasts, RANDOM_WORDS, SMALL_MODELS_PROTOCOL, withAndWithoutQuery } from './with-and-without-query.js';

export const queryInDecoderOtherModels = defineExperiment({
  id: 'v4-09',
  title: 'Query in the decoder, other models',
  question: 'Do models of other families gain from a prefix too, and does T5, which has neither BOS nor a line break?',
  prompt: 'query',
  protocol: SMALL_MODELS_PROTOCOL,
  ...withAndWithoutQuery({ oracle: 'oracle', random: RANDOM_WORDS }),
  primary: { treatment: 'oracle_d', baseline: 'bare_d' },
  contrasts: [maskContrasts(['oracle', 'random'])],
});
