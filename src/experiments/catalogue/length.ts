/** Experiment 03, length: does priming still help when the answer stands at the start of a longer document? */
import { defineExperiment } from '../declaration/define.js';
import { acrossLengths, ORIGINAL } from './lengths.js';

const LENGTHS = [ORIGINAL, 256, 384, 512, 1024, 2048] as const;

export const length = defineExperiment({
  id: 'exp03',
  title: 'Length',
  question: 'Does priming keep its effect as the document grows?',
  protocol: { samples: 400, max_tokens: 4096 },
  rule: 'length',
  padding: 5000,
  ...acrossLengths({ oracle: 'oracle', doc_kw: 'doc_kw', para: 'para' }, LENGTHS),
  primary: { treatment: 'doc_kw_d@2048', baseline: 'bare_d@2048' },
});
