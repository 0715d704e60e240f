import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/base/words.js';
import { askForQuery, QUERY_PROMPTS, shownWords } from '../../src/priming/prompts.js';

describe('what a language model is asked', () => {
  it('is the prompt, a blank line and the first 150 words', () => {
    const document = Array.from({ length: 200 }, (_, i) => `w${i}`).join('\n ');
    const shown = shownWords(document);
    expect(splitWords(shown)).toHaveLength(150);
    expect(askForQuery(QUERY_PROMPTS.question, shown)).toBe(
      `Write a short question (5-8 words) that this document answers.\n\nDocument:\n${shown}`,
    );
    expect(shown.startsWith('w0 w1 ')).toBe(true);
  });
});
