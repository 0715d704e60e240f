/** Experiment 02 of v4: the decoder reads the query, and the document grows. */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL } from './design.js';
import { acrossLengths, ORIGINAL, publishedByLength } from './lengths.js';

const LENGTHS = [ORIGINAL, 256, 512, 1024, 2048, 4096] as const;

export const queryInDecoderByLength = defineExperiment({
  id: 'v4-02',
  title: 'Query in the decoder, by length',
  question: 'With the query in the decoder, does priming matter more in longer documents?',
  prompt: 'query',
  protocol: { samples: 400, max_tokens: 4608 },
  rule: 'length',
  padding: 20_000,
  padding_step: 100,
  ...acrossLengths({ oracle: 'oracle', doc_kw: 'doc_kw', random: 'random20' }, LENGTHS),
  primary: { treatment: 'doc_kw_d@4096', baseline: 'bare_d@4096' },
  authors: {
    model: AUTHORS_MODEL,
    d: publishedByLength(LENGTHS, {
      oracle: [0.238, 0.352, 0.323, 0.439, 0.392, 0.426],
      doc_kw: [0.165, 0.364, 0.33, 0.399, 0.396, 0.396],
      random: [-0.028, 0.254, 0.271, 0.357, 0.284, 0.221],
    }),
  },
});
