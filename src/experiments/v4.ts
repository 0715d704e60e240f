/** Experiments of v4: the decoder reads the query before the answer, as it does in production. */
import { AUTHORS_MODEL, design, published } from './design.js';
import { defineExperiment } from './experiment.js';
import { acrossLengths, ORIGINAL, publishedByLength } from './lengths.js';

const QUESTION = 'With the query in the decoder, what is left for priming to add?';

export const v401 = defineExperiment({
  id: 'v4-01',
  title: 'Query in the decoder',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500 },
  ...design({ oracle: 'oracle', template: 'template', doc_kw: 'doc_kw', random: 'random20' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  authors: {
    model: AUTHORS_MODEL,
    d: {
      ...published({ oracle: 0.228, template: -0.069, doc_kw: 0.148, random: 0.08 }),
      ...published({ oracle: 0.167 }, 'full'),
    },
  },
});

const LENGTHS = [ORIGINAL, 256, 512, 1024, 2048, 4096] as const;

export const v402 = defineExperiment({
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

export const v403 = defineExperiment({
  id: 'v4-03',
  title: 'Query in the decoder, another dataset',
  question: QUESTION,
  prompt: 'query',
  protocol: { samples: 500, dataset: 'neural-bridge' },
  ...design({ oracle: 'oracle', doc_kw: 'doc_kw', random: 'random20' }),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  authors: { model: AUTHORS_MODEL, d: published({ oracle: 0.306, doc_kw: 0.502, random: 0.624 }) },
});
