/** Experiment 03, length: does priming still help when the answer stands at the start of a longer document? */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL } from './design.js';
import { acrossLengths, ORIGINAL, publishedByLength } from './lengths.js';

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
  authors: {
    model: AUTHORS_MODEL,
    d: publishedByLength(LENGTHS, {
      oracle: [0.384, 0.435, 0.447, 0.442, 0.452, 0.392],
      doc_kw: [0.34, 0.413, 0.363, 0.368, 0.343, 0.333],
      para: [0.334, 0.369, 0.324, 0.349, 0.28, 0.365],
    }),
  },
});
