// Surrogates of one's own, made by functions. Run it with: dkv run examples/experiments/functions.ts
import { defineExperiment, type SurrogateFunction } from 'directed-kvcache';

/** The longest words of the question: what is given the whole sample is a bound, since it may read the question. */
const longestOfQuestion: SurrogateFunction = ({ query }) => longest(query, 3);

function longest(text: string, count: number): string {
  const words = [...new Set(text.split(/\W+/))].sort((a, b) => b.length - a.length);
  return words.slice(0, count).join(' ');
}

export default defineExperiment({
  id: 'functions',
  title: 'Longest words',
  question: 'Do the longest words of a document stand for its question?',
  data: { dataset: 'ads.csv', columns: { id: 'sku', document: 'text', query: 'question', answer: 'reply' } },
  protocol: { samples: 30 },
  conditions: [
    { name: 'bare', visibility: 'exact' },
    { name: 'longest of question', surrogate: longestOfQuestion, visibility: 'exact' },
    // What is made `of` the document is given no question, and can be made beforehand.
    {
      name: 'longest of document',
      surrogate: { of: 'document', make: ({ document }) => longest(document, 5) },
      visibility: 'exact',
    },
  ],
  comparisons: ['longest of question', 'longest of document'].map((treatment) => ({ treatment, baseline: 'bare' })),
});
