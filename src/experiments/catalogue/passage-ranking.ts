/** Experiment 04A: do primed caches rank the passage with the answer above the others of a web search? */
import { defineExperiment } from '../declaration/define.js';
import { design } from './design.js';

export const passageRanking = defineExperiment({
  id: 'exp04a',
  title: 'Ranking passages by the answer',
  question: 'Does priming help to tell the passage that holds the answer from the others?',
  unit: 'pool',
  protocol: { samples: 400, max_tokens: 8192 },
  ...design({
    oracle: 'oracle',
    doc_kw: 'doc_kw',
    template: 'template',
    static_fact: 'static:What are the key facts I need to know?',
    random: 'random20',
  }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  measures: ['AUC', 'RR@3', 'Success@1', 'Success@3', 'AP', 'P@1', 'nDCG@10'],
});
