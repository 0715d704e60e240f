/** Experiment 06: short answers, where the document decides. */
import { defineExperiment } from '../declaration/define.js';
import { decomposition, design } from './design.js';

export const factoidAnswers = defineExperiment({
  id: 'exp06',
  title: 'Factoid answers',
  question: 'Does meaning matter more where the answer is a few words?',
  protocol: { samples: 500 },
  seed: 43,
  rule: 'factoid',
  ...design({
    oracle: 'oracle',
    scrambled: 'scrambled',
    template: 'template',
    random: 'random_matched',
    doc_kw: 'doc_kw',
    oracle_x4: 'oracle*4',
    random_x4: 'random_matched*4',
    template_x4: 'template*4',
  }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  contrasts: decomposition('oracle', 'scrambled', 'random'),
});
