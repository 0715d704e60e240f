import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/priming/keywords.js';
import { askForQuery, QUERY_PROMPTS, shownWords, tidyAnswer } from '../../src/priming/prompts.js';

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

describe('what is kept of an answer', () => {
  it.each([
    ['cheap green desk lamp', 'cheap green desk lamp'],
    ['  "cheap green lamp"  \n', 'cheap green lamp'],
    ['\n\n“What does the lamp cost?”\nI chose this because', 'What does the lamp cost?'],
    ["'lamp' and 'desk'", "lamp' and 'desk"],
    ['`lamp`\r\nmore', 'lamp'],
    ['lamp   desk\tshade', 'lamp desk shade'],
    ['""', ''],
    ['', ''],
    [Array.from({ length: 20 }, (_, i) => `w${i}`).join(' '), Array.from({ length: 15 }, (_, i) => `w${i}`).join(' ')],
  ])('of %j', (answer, kept) => {
    expect(tidyAnswer(answer)).toBe(kept);
  });

  it('is one line of at most 15 words, taken from the answer in order', () => {
    const piece = fc.constantFrom('lamp', ' ', '\n', '"', '’', 'é', '日本', '\r\n', 'desk?', '\u2028');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        const answer = pieces.join('');
        const kept = tidyAnswer(answer);
        expect(kept).not.toMatch(/[\r\n]/);
        expect(splitWords(kept).length).toBeLessThanOrEqual(15);
        expect(splitWords(answer).join(' ')).toContain(kept);
      }),
    );
  });
});
