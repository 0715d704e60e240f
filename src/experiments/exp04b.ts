/** Experiment 04B: the same for products, scored by how likely each makes the shopper's query. */
import { AUTHORS_MODEL, design } from './design.js';
import { defineExperiment } from './experiment.js';

/** Gains of the research (the grade itself), of the task's authors, and 2^grade - 1. */
export const PRODUCT_MEASURES = [
  'AUC',
  'RR@3',
  'Success@1',
  'nDCG@1',
  'nDCG@3',
  'nDCG@5',
  'nDCG(gain=esci)@5',
  'nDCG(gain=exponential)@5',
];

export const PRODUCT_PREFIXES = {
  oracle: 'oracle',
  doc_kw: 'doc_kw',
  template: 'template',
  title: 'title',
  random: 'random20',
};

export const exp04b = defineExperiment({
  id: 'exp04b',
  title: 'Ranking products by the query',
  question: 'Does priming a product’s text help to rank it by the likelihood of the query?',
  unit: 'pool',
  target: 'query',
  protocol: { samples: 400, dataset: 'esci', max_tokens: 8192 },
  ...design(PRODUCT_PREFIXES),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  measures: PRODUCT_MEASURES,
  authors: { model: AUTHORS_MODEL, d: { oracle_published: -0.269, title_published: -0.245 } },
});
