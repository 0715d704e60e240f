/** Experiment 33b: does a surrogate in front of the document help when everything is visible? */
import { defineExperiment } from '../declaration/define.js';
import { design } from './design.js';

export const fullView = defineExperiment({
  id: 'exp33b',
  title: 'Surrogates in full view',
  question: 'How much of the oracle’s gain does a surrogate keep when the decoder sees all of the prefix?',
  protocol: { samples: 200 },
  ...design({
    oracle: 'oracle',
    surr_doc: 'doc_kw',
    surr_para: 'para',
    static: 'static:What are the key facts?',
  }),
  primary: { treatment: 'surr_doc_full', baseline: 'bare' },
});
