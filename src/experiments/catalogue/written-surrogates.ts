/** Experiment 05: are queries that a language model writes for a document better surrogates than rules? */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL, design, published } from './design.js';

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
  authors: {
    model: AUTHORS_MODEL,
    d: published({
      oracle: 0.376,
      oracle_x4: 0.359,
      question: 0.405,
      question_x4: 0.345,
      need: 0.333,
      need_x4: 0.347,
      keywords: 0.291,
      keywords_x4: 0.346,
      template: 0.336,
      template_x4: 0.326,
      random: 0.296,
      random_x4: 0.312,
    }),
  },
});
