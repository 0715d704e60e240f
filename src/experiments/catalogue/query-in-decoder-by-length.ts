/** Experiment 02 of v4: the decoder reads the query, and the document grows. */
import { defineExperiment } from '../declaration/define.js';
import { acrossLengths, ORIGINAL } from './lengths.js';

const LENGTHS = [ORIGINAL, 256, 512, 1024, 2048, 4096] as const;

export const queryInDecoderByLength = defineExperiment({
  id: 'v4-02',
  title: 'Query in the decoder, by length',
  question: 'With the query in the decoder, does priming matter more in longer documents?',
  prompt: 'query',
  protocol: { samples: 500, max_tokens: 4608 },
  rule: 'length',
  padding: 10_000,
  ...acrossLengths({ oracle: 'oracle', doc_kw: 'doc_kw', random: 'random_matched' }, LENGTHS),
  primary: { treatment: 'doc_kw_d@4096', baseline: 'bare_d@4096' },
});
