/** Experiment 04B: do primed caches rank products by the likelihood of the query? */
import { defineExperiment } from '../declaration/define.js';
import { PRODUCT_RANKING } from './products.js';

export const productRanking = defineExperiment({
  id: 'exp04b',
  title: 'Ranking products by the query',
  question: 'Does priming a product’s text help to rank it by the likelihood of the query?',
  protocol: { samples: 400, dataset: 'esci', max_tokens: 8192 },
  ...PRODUCT_RANKING,
  screening: { measure: 'AUC', least: 0.55, pools: 20 },
});
