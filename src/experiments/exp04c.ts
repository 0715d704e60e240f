/** Experiment 04C, which the research planned and never ran: products of another shop. */
import { design } from './design.js';
import { PRODUCT_MEASURES, PRODUCT_PREFIXES } from './exp04b.js';
import { defineExperiment } from './experiment.js';

export const exp04c = defineExperiment({
  id: 'exp04c',
  title: 'Ranking products of another shop',
  question: 'Does what 04B finds hold on WANDS?',
  unit: 'pool',
  target: 'query',
  protocol: { samples: 400, dataset: 'wands', max_tokens: 8192 },
  ...design(PRODUCT_PREFIXES),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  measures: PRODUCT_MEASURES,
});
