/** Experiments that rank products by how likely each makes the shopper's query. */
import type { ExperimentDeclaration } from '../../runs/schema/experiment.js';
import { design } from './design.js';

/** The settings that these experiments share, whatever the shop. */
export const PRODUCT_RANKING = {
  unit: 'pool' as const,
  target: 'query' as const,
  ...design({ oracle: 'oracle', doc_kw: 'doc_kw', template: 'template', title: 'title', random: 'random20' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  /** nDCG by the gains of the research (the grade itself), of ESCI's authors, and 2^grade - 1. */
  measures: [
    'AUC',
    'RR@3',
    'Success@1',
    'nDCG@1',
    'nDCG@3',
    'nDCG@5',
    'nDCG@10',
    'nDCG(gain=esci)@5',
    'nDCG(gain=exponential)@5',
  ],
} satisfies Partial<ExperimentDeclaration>;
