import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/base/words.js';
import { queryIn } from '../../src/priming/answers.js';
import { CLEANED, REFUSED } from '../support/answers.js';

describe('the query in an answer', () => {
  it.each(CLEANED)('of %j', (answer, query) => {
    expect(queryIn(answer)).toEqual({ query, shortened: false });
    // What has been cleaned is clean.
    expect(queryIn(query)).toEqual({ query, shortened: false });
  });

  it.each(REFUSED)('is none in %j', (answer, reason) => {
    expect(queryIn(answer)).toEqual({ reason: expect.stringContaining(reason) });
  });

  it.each([
    ['1. lamp\n2. desk\n3. green', 'lamp desk green'],
    ['- lamp\n- desk light\n- green', 'lamp desk light green'],
    ['Here are the keywords:\n\n* lamp\n* desk', 'lamp desk'],
    ['1. **lamp**\n2. **desk**', 'lamp desk'],
    ['a. 1\n1. 2\n1. 3\n1. 4\n1. 5\n1. 6', '1 2 3 4 5'],
    ['lamp desk green', 'lamp desk green'],
    ['lamp desk\n\nThese are the words.', 'lamp desk'],
  ])('of a list of keywords, %j', (answer, query) => {
    expect(queryIn(answer, { keywords: true })).toEqual({ query, shortened: false });
  });

  it.each([
    ['cheap green desk la', { query: 'cheap green desk', shortened: true }],
    ['cheap green desk lamp\nI chose these wor', { query: 'cheap green desk lamp', shortened: false }],
    ['"cheap green desk la', { query: 'cheap green desk', shortened: true }],
    ['Sure! Here is a short web search:\n\ncheap gre', { query: 'cheap', shortened: true }],
    ['cheap green desk lamp\n', { query: 'cheap green desk lamp', shortened: false }],
    ['Lamp', { reason: 'it breaks off within its first word' }],
    ['Sure! Here is a short web search', { reason: expect.any(String) }],
    [`${'word '.repeat(20)}wo`, { query: 'word '.repeat(15).trim(), shortened: false }],
    ['<think>The document is ab', { reason: 'its thoughts break off before an answer comes' }],
  ])('where the tokens ended, %j', (answer, outcome) => {
    expect(queryIn(answer, { cutOff: true })).toEqual(outcome);
  });

  it('is one line of at most 15 words of the answer, free of markers', () => {
    const piece = fc.constantFrom(
      ...[
        'lamp',
        ' ',
        '\n',
        '"',
        '’',
        'é',
        '日本',
        '\r\n',
        'desk?',
        '\u2028',
        '<think>',
        '</think>',
        '<|im_end|>',
        '```',
        '**',
      ],
      ...[
        '1. ',
        '- ',
        'User:',
        'Sure! ',
        'Here is a query: ',
        '{',
        '}',
        '<end_of_turn>',
        '[/INST]',
        '\x1b',
        '#',
        '<s>',
        ':',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, cutOff) => {
        const { query } = queryIn(pieces.join(''), { cutOff });
        if (query === undefined) return;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
        expect(query).not.toMatch(/[\r\n\u2028\x1b]|<\/?think|<\||```|\*\*|\[\/?INST|of_turn/);
        expect(splitWords(query).length).toBeLessThanOrEqual(15);
        expect(query).toMatch(/[\p{L}\p{N}]/u);
      }),
    );
  });

  it('is found in time that grows with the answer alone', () => {
    for (const unit of [
      '<think>',
      '</think>',
      '<|',
      '*',
      '_a',
      '#',
      '1. ',
      'Sure! ',
      'here is ',
      '```',
      'User: ',
      '[',
      '{',
      ' ',
      '\n',
    ]) {
      expect(queryIn(unit.repeat(20_000))).toBeDefined();
    }
  });
});
