/** What a condition is called where models' inputs are made of other segments. */
import { expect, it } from 'vitest';
import type { Condition } from '../../src/priming/condition.js';
import type { Segment } from '../../src/priming/input.js';
import { describeVisibility } from '../../src/report/words/labels.js';

const CONDITIONS: Readonly<Record<string, Condition>> = {
  bare: { name: 'bare', visibility: 'full' },
  full: { name: 'full', visibility: 'full', surrogate: 'oracle' },
  published: { name: 'published', visibility: 'published', surrogate: 'oracle' },
  exact: { name: 'exact', visibility: 'exact', surrogate: 'oracle' },
  list: { name: 'list', visibility: ['prefix', 'document'], surrogate: 'oracle' },
};

it.each([
  ['as in T5Gemma 2', undefined, ['BOS and document', 'everything', 'line break and document', 'document']],
  [
    'as in T5',
    ['prefix', 'document', 'eos'],
    ['document and end of text', 'everything', 'document and end of text', 'document'],
  ],
  [
    'as in BART',
    ['bos', 'prefix', 'separator', 'document', 'eos'],
    ['BOS, document and end of text', 'everything', 'line break, document and end of text', 'document'],
  ],
  [
    'without a token for the line break',
    ['bos', 'prefix', 'document'],
    ['BOS and document', 'everything', 'the prefix’s last token and document', 'document'],
  ],
  ['unframed', ['prefix', 'separator', 'document'], ['document', 'everything', 'document', 'document']],
] as const)('says what the decoder sees, %s', (_, segments: readonly Segment[] | undefined, words) => {
  const described = Object.values(CONDITIONS).map((condition) => describeVisibility(condition, segments));
  expect(described).toEqual([...words, 'prefix and document']);
});
