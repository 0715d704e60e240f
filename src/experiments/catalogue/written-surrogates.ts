/** Experiment 05: are queries that a language model writes for a document better surrogates than rules? */
import { defineExperiment } from '../declaration/define.js';
import { design } from './design.js';

const PREFIXES = {
  oracle: 'oracle',
  need: 'llm:need',
  question: 'llm:question',
  keywords: 'llm:keywords',
  template: 'template',
  random: 'random_matched',
};

export const writtenSurrogates = defineExperiment({
  id: 'exp05',
  title: 'Surrogates by a language model',
  question: 'Do queries that a language model writes close more of the gap than a template does?',
  protocol: { samples: 500 },
  ...design({
    ...PREFIXES,
    ...Object.fromEntries(Object.entries(PREFIXES).map(([name, surrogate]) => [`${name}_x4`, `${surrogate}*4`])),
    scrambled_need_x4: 'scramble(llm:need)*4',
  }),
  primary: { treatment: 'need_d', baseline: 'bare_d' },
});
