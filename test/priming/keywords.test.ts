import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keywords, splitWords, topKeywords } from '../../src/priming/keywords.js';
import { SURROGATES } from '../../src/priming/surrogate.js';

const rows: { text: string; words: string[]; keywords: string[]; top5: string[] }[] = JSON.parse(
  readFileSync(new URL('../fixtures/text/keywords.json', import.meta.url), 'utf8'),
);

describe('keywords', () => {
  it(`are Python's, for ${rows.length} texts`, () => {
    for (const row of rows) {
      expect(splitWords(row.text), JSON.stringify(row.text)).toEqual(row.words);
      expect(keywords(row.text), JSON.stringify(row.text)).toEqual(row.keywords);
      expect(topKeywords(row.text, 5), JSON.stringify(row.text)).toEqual(row.top5);
    }
  });
});

describe('surrogates', () => {
  const sample = {
    id: 's',
    document: 'The lamp is green. The green lamp costs 24 euros, and the shade of the lamp is small.',
    query: 'How much does the green lamp cost?',
    answer: '24 euros',
  };

  it('are what the protocol says', () => {
    expect(SURROGATES.oracle.make(sample)).toBe(sample.query);
    expect(SURROGATES.para.make(sample)).toBe('cost lamp green');
    expect(SURROGATES.doc_kw.make(sample)).toBe('lamp green costs euros shade');
  });

  it('have their fallbacks', () => {
    expect(SURROGATES.para.make({ ...sample, query: 'What is it?' })).toBe('What is it?');
    expect(SURROGATES.doc_kw.make({ ...sample, document: 'It is on.' })).toBe('information');
  });

  it('say whether they need the query', () => {
    expect(Object.entries(SURROGATES).map(([name, { needsQuery }]) => [name, needsQuery])).toEqual([
      ['oracle', true],
      ['para', true],
      ['doc_kw', false],
    ]);
  });
});
