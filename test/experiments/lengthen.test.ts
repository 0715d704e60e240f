import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { lengthen } from '../../src/experiments/plan/lengthen.js';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { referenceFixture } from '../support/fixtures.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(referenceFixture('text'), await readConfig(referenceFixture('text')));
});

/** The protocol's rule, text after text and word after word. */
function wordByWord(document: string, tokens: number, padding: readonly string[], start: number): string {
  const count = (text: string) => tokenizer.encodeFramed(text).length;
  let text = document;
  for (let at = start; count(text) < tokens; at++) {
    const passage = padding[at % padding.length]!;
    if (count(`${text}\n\n${passage}`) < tokens) text += `\n\n${passage}`;
    else {
      const words = passage.split(' ');
      for (let taken = 1; count(text) < tokens; taken++) {
        const longer = `${text}\n\n${words.slice(0, taken).join(' ')}`;
        if (count(longer) >= tokens) return longer;
      }
    }
  }
  return text;
}

describe('a longer document', () => {
  it('is what adding word by word gives', () => {
    const word = fc.constantFrom('lamp', 'costs', '24', 'euros.', 'green', 'the', 'Zorblax', 'a');
    const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(
        text,
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.nat(9),
        fc.nat(150),
        (document, padding, start, tokens) => {
          const made = lengthen(tokenizer, document, tokens, padding, start);
          expect(made).toBe(wordByWord(document, tokens, padding, start));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is the document itself when that is long enough or there is nothing to add', () => {
    expect(lengthen(tokenizer, 'The lamp.', 2, ['more'], 0)).toBe('The lamp.');
    expect(lengthen(tokenizer, 'The lamp.', 200, [], 0)).toBe('The lamp.');
  });
});
