import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/base/words.js';
import { keywords, topKeywords } from '../../src/priming/keywords.js';

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
