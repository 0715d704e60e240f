/** Experiment 04C, which the research planned and never ran: products of another shop. */
import { defineExperiment } from '../declaration/define.js';
import { PRODUCT_RANKING } from './products.js';

export const otherShopRanking = defineExperiment({
  id: 'exp04c',
  title: 'Ranking products of another shop',
  question: 'Does what 04B finds hold on WANDS?',
  protocol: { samples: 400, dataset: 'wands', max_tokens: 8192 },
  ...PRODUCT_RANKING,
  /** A seed of its own: on AdWorld the seed makes the shop, so these are other pools than 04B's. */
  seed: 43,
});
