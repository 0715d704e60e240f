/** Numbers and comparisons in texts are those of the records: the check on small texts, where it has to fail, and on the texts themselves, where it must not. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LEAST_COVERAGE } from '../src/report/words/notes.js';
import { checkFile, checkText, TEXTS } from '../tools/claims/check.js';
import { readItems, type Value } from '../tools/claims/language.js';
import { recordsIn } from '../tools/claims/records.js';
import { printedLike } from '../tools/claims/text.js';

const ROOT = path.resolve(import.meta.dirname, '..');

const RUN = {
  smoke_run: false,
  configuration: { tokens: 2048 },
  samples: { scored: 12_500 },
  comparisons: [
    { treatment: 'oracle_d', family: 'd', gain: { mean: { value: 1.2375, low: 0.9351, high: 1.54 }, win: 0.94 } },
    { treatment: 'doc_kw_d', family: 'd', gain: { mean: { value: -0.513, low: -0.76, high: -0.266 }, win: 0.26 } },
    { treatment: 'random_d', family: 'd', gain: { mean: { value: -0.0004, low: -0.1, high: 0.05 }, win: 0.5 } },
    { treatment: 'oracle_full', family: 'full', gain: { mean: { value: 1.25, low: 1, high: 1.5 }, win: 1 } },
  ],
  points: [3, 2, 1],
};
const RECORDS: Record<string, Value> = { run: RUN, smoke: { ...RUN, smoke_run: true } };
const records = (name: string) => RECORDS[name]!;

const check = (text: string, generated: readonly string[] = []) => checkText(text, generated, records);
const messages = (text: string) => check(text).findings.map(({ line, message }) => `${line}: ${message}`);

const ORACLE = '<!-- run: comparisons[oracle_d].gain.mean -->';

describe('a text whose numbers are those of its records', () => {
  it.each([
    ['a number', `It gains 1.24. ${ORACLE}`],
    ['a number with its interval', `It gains 1.24 [0.94, 1.54]. ${ORACLE}`],
    ['one without a leading zero', 'It wins .94. <!-- run: comparisons[oracle_d].gain.win -->'],
    ['a percentage', 'It wins 94% of the time. <!-- run: 100 * comparisons[oracle_d].gain.win -->'],
    ['a cost', 'It costs 0.51 [0.27, 0.76]. <!-- run: -comparisons[doc_kw_d].gain.mean -->'],
    [
      'a minus that is none',
      'It gains −0.51 of +1.24. <!-- run: comparisons[doc_kw_d].gain.mean; comparisons[oracle_d].gain.mean -->',
    ],
    ['a zero without a sign', 'It gains 0.00. <!-- run: comparisons[random_d].gain.mean -->'],
    ['thousands', 'Of 12,500 samples. <!-- run: samples.scored -->'],
    ['a limit', 'It wins < .30. <!-- run: comparisons[doc_kw_d].gain.win -->'],
    [
      'a field beside the last one',
      `It gains 1.24 and wins 94%. <!-- run: comparisons[oracle_d].gain.mean; 100 * .win -->`,
    ],
    ['a list', 'From 3 by 2 to 1. <!-- run: points -->'],
    [
      'the second of two comments',
      `It gains 1.24. ${ORACLE} Another 0.51. <!-- run: -comparisons[doc_kw_d].gain.mean -->`,
    ],
    ['a table', `| a | b |\n| --- | ---: |\n| x | 1.24 |\n${ORACLE}`],
    ['a list of points', `- It gains 1.24.\n  ${ORACLE}\n- Of 12,500.\n  <!-- run: samples.scored -->`],
    [
      'a claim',
      'It gains twice as much. <!-- claim: run: comparisons[oracle_d].gain.mean > -2 * comparisons[doc_kw_d].gain.mean -->',
    ],
    ['a word for three times', 'It gains threefold. <!-- claim: run: points[0] = 3 * points[2] -->'],
    [
      'a claim of another bound',
      `It wins about half. <!-- claim: run: comparisons[random_d].gain.win > 0.45 and .win < 0.55 -->`,
    ],
    [
      'a claim in percent',
      `It wins a quarter. <!-- claim: run: 100 * comparisons[doc_kw_d].gain.win > 24 and 100 * .win < 28 -->`,
    ],
    [
      'two thirds',
      'It has two thirds. <!-- claim: run: points[1] = 2 * points[0] / 3 and points[1] / points[0] > .6 and points[1] / points[0] < .7 -->',
    ],
    [
      'words that need no claim',
      `Every gain is 1.24, twice. <!-- run: comparisons[oracle_d].gain.mean; no claim (twice, Every): advice -->`,
    ],
    ['what is left of a whole', 'It fails 6% of the time. <!-- run: 100 * (1 - comparisons[oracle_d].gain.win) -->'],
    [
      'twice and a millionth',
      'Of 25 thousand, 0.0125 million. <!-- run: 2 * samples.scored / 1000; samples.scored / 1000000 -->',
    ],
    ['a field of the configuration', 'With 2048 tokens. <!-- run: configuration.tokens -->'],
    [
      'a number that is no result',
      'With 2048 tokens it gains 1.24. <!-- no result 2048: a limit; run: comparisons[oracle_d].gain.mean -->',
    ],
    ['no result', 'Up to 30 words, twice. <!-- not a result (2): a limit -->'],
    [
      'code, names and links',
      'T5Gemma 2 and `x = 3`, `--n 60`, `e5` in exp02 [here](a/12.md), T5, 8-bit, GPT-2, Apache-2.0, 5.23.0, 95% intervals.\n\n    indented 5\n\n```\nfenced 6\n```',
    ],
    ['indented code behind a span of code', '`x`\n\n    indented 5\n\n    and `span` 6\n'],
    ['a smoke run', 'A smoke run gains 1.24. <!-- smoke: comparisons[oracle_d].gain.mean -->'],
    [
      'what is not checked',
      '<!-- not checked (2): times of one machine -->\n\nIt takes 3 s, half as long.\n\n<!-- end -->\n',
    ],
    [
      'tables in it',
      '<!-- not checked (2): times -->\n\n<!-- all -->\n1\n<!-- end -->\n\nIt takes 3 s.\n\n<!-- end -->\n',
    ],
  ])('passes: %s', (_, text) => {
    expect(messages(text)).toEqual([]);
  });

  it('counts what it has held against records, and what it has not', () => {
    const text = `Of 20 it gains 1.24 [0.94, 1.54]. <!-- no result 20: a limit; run: comparisons[oracle_d].gain.mean -->\n\n<!-- table -->\n1 2\n<!-- end -->\n`;
    const { numbers, claims, exempt } = check(text, ['table']);
    expect({ numbers, claims }).toEqual({ numbers: 3, claims: 0 });
    expect(exempt).toEqual([
      { reason: 'written by a program: table', numbers: 2 },
      { reason: '20: a limit', numbers: 1 },
    ]);
  });
});

describe('a text that says something else', () => {
  it.each([
    ['a wrong digit', `It gains 1.25. ${ORACLE}`, '1.25 is printed, run: comparisons[oracle_d].gain.mean is 1.24'],
    [
      'a digit too many',
      `It gains 1.240. ${ORACLE}`,
      '1.240 is printed, run: comparisons[oracle_d].gain.mean is 1.238',
    ],
    ['a wrong end of an interval', `It gains 1.24 [0.94, 1.55]. ${ORACLE}`, '1.55 is printed'],
    [
      'a number in a paragraph that begins with code',
      'A text.\n\n`dkv run` gains 1.24.',
      'no source is named for 1.24',
    ],
    ['a number in a later line that begins with code', 'A text.\n\n`a` `b`\n`dkv run` gains 1.24.', 'no source'],
    ['a wrong sign', 'It gains 0.51. <!-- run: comparisons[doc_kw_d].gain.mean -->', 'is -0.51'],
    ['a cost that is a gain', 'It costs 1.24. <!-- run: -comparisons[oracle_d].gain.mean -->', 'is -1.24'],
    ['a number below no limit', 'It wins < .20. <!-- run: comparisons[doc_kw_d].gain.win -->', '< .20 is printed'],
    [
      'a field that is not there',
      'It gains 1.24. <!-- run: comparisons[oracle_d].gain.average -->',
      'there is no field "average"',
    ],
    [
      'a condition that is not there',
      'It gains 1.24. <!-- run: comparisons[oracle].gain.mean -->',
      '0 are called "oracle"',
    ],
    ['a number without a source', 'It gains 1.24.', 'no source is named for 1.24'],
    ['one number more than sources', `It gains 1.24 of 7. ${ORACLE}`, 'no source is named for 7'],
    ['one source more than numbers', `It gains. ${ORACLE}`, 'is the source of no number'],
    ['a source in another paragraph', `It gains.\n\n${ORACLE}`, 'is the source of no number'],
    ['a literal', 'It gains 1.24. <!-- run: 1.24 -->', 'it reads no field'],
    ['a claim against a literal', 'It gains more. <!-- claim: 2 > 1 -->', 'it reads no field'],
    ['a claim that does not hold', 'Both gain. <!-- claim: run: comparisons[*].gain.mean > 0 -->', 'does not hold'],
    [
      'a claim that is no sentence',
      'Both gain. <!-- claim: run: comparisons[oracle_d].gain.mean -->',
      'neither true nor false',
    ],
    ['a quantity in words', 'It gains twice as much.', '"twice": no claim shows it'],
    ['a comparison in words', `None but one gains: 1.24. ${ORACLE}`, '"None": no claim shows it'],
    ['an exemption of nothing', 'It gains a lot. <!-- not a result (1): a limit -->', 'exempts nothing'],
    [
      'a waiver of nothing',
      `It gains 1.24. ${ORACLE.replace(' -->', '; no claim (all): says what it is -->')}`,
      'waives nothing',
    ],
    ['a region of nothing', '<!-- not checked (1): times -->\n\nIt takes long.\n\n<!-- end -->', 'exempts nothing'],
    ['a region without an end', '<!-- not checked: times -->\n\nIt takes long.', 'no end'],
    ['an end of nothing', 'It gains.\n\n<!-- end -->', 'nothing has opened'],
    [
      'another number than the exempt one',
      'With 2048 tokens. <!-- no result 1024: a limit -->',
      '"no result 1024" stands for 2048',
    ],
    [
      'a smoke run that is not called one',
      'It gains 1.24. <!-- smoke: comparisons[oracle_d].gain.mean -->',
      'is a smoke run',
    ],
    ['a comment without a word', 'It gains. <!-- -->', 'says nothing'],
    ['an expression that breaks off', 'It gains 1.24. <!-- run: 2 * -->', 'a value is missing'],
    ['an unreadable one', 'It gains 1.24. <!-- run: samples ? 1 -->', 'cannot be read'],
    ['a setting that is no field', 'With 2048 tokens. <!-- run: setting 2048 -->', 'there is no field "setting"'],
    [
      'a number behind what cancels out',
      'It gains 3.7. <!-- run: points[0] - points[0] + 3.7 -->',
      '3.7 is a number of the comment',
    ],
    ['one before it', 'It gains 3.7. <!-- run: 3.7 + points[0] - points[0] -->', '3.7 is a number of the comment'],
    [
      'one in brackets',
      'It gains 3.7. <!-- run: points[0] - (points[0] - (2 + 1.7)) -->',
      '2 is a number of the comment',
    ],
    ['one as a factor', 'It gains 3.7. <!-- run: points[0] / points[0] * 3.7 -->', '3.7 is a number of the comment'],
    ['one in a function', 'It gains 3.7. <!-- run: max(points[2], 3.7) -->', 'max takes fields'],
    ['what is left of another whole', 'It gains 0.7. <!-- run: 3.7 - points[0] -->', '3.7 is a number of the comment'],
    [
      'a field that cancels out',
      'It gains 0. <!-- run: points[0] - points[0] -->',
      'says the same whatever the record holds',
    ],
    [
      'one under two names',
      'It gains 0. <!-- run: comparisons[oracle_d].gain.mean - comparisons[0].gain.mean -->',
      'says the same',
    ],
    [
      'one divided by itself',
      'It gains 10. <!-- run: 10 * points[0] / points[0] -->',
      'says the same whatever the record holds',
    ],
    [
      'a count of what is always so',
      'It gains 3. <!-- run: count(points = points) -->',
      'says the same whatever the record holds',
    ],
    [
      'a claim that is always so',
      'It gains more. <!-- claim: run: points[0] > 2 or points[0] <= 2 -->',
      'says the same',
    ],
    [
      'one that compares a field with itself',
      'It gains more. <!-- claim: run: points[0] = points[0] and 0.5 = 0.5 -->',
      'says the same',
    ],
    [
      'a quantity in words beside a claim of something else',
      'Twice as much. <!-- claim: run: points[0] > 0 -->',
      '"Twice": no claim shows it',
    ],
    [
      'a share in words beside one',
      'A third of it. <!-- claim: run: points[0] > 0.1 -->',
      '"third": no claim shows it',
    ],
    [
      'a quantity with a bound on one side',
      'About half. <!-- claim: run: comparisons[random_d].gain.win > 0.45 -->',
      '"half": no claim shows it',
    ],
    [
      'a quantity far from its bounds',
      'About half. <!-- claim: run: comparisons[random_d].gain.win > 0.1 and .win < 0.9 -->',
      '"half"',
    ],
    [
      'one that is joined',
      'A two-thirds share. <!-- claim: run: points[0] > 0.1 -->',
      '"two-thirds": no claim shows it',
    ],
    ['a word for many times', 'It gains tenfold. <!-- claim: run: points[0] > 2 -->', '"tenfold": no claim shows it'],
    ['times as much', 'It gains many times as much.', '"times as": no claim shows it'],
    ['digits joined with "fold"', 'It gains 10-fold.', 'no source is named for 10'],
    ['a number in backticks', 'It gains `3.7`.', 'no source is named for 3.7'],
    ['one with its unit', 'It gains `+3.7 nats`.', 'no source is named for +3.7'],
    ['one with an exponent', 'It gains `4e-12`.', 'no source is named for 4e-12'],
    ['a decimal that touches letters', 'It gains v3.7.', 'no source is named for 3.7'],
    ['one that touches letters behind it', 'It gains 3.7foo.', 'no source is named for 3.7'],
    ['a number that touches its unit', 'It gains 4nats.', 'no source is named for 4'],
    ['one joined with its unit', 'A 4-nat gain.', 'no source is named for 4'],
    [
      'one number more than are exempt',
      'Up to 30 words, gaining 3.7. <!-- not a result (1): a limit -->',
      'is for 1 and not for the 2',
    ],
    [
      'a quantity more than are exempt',
      'Twice up to 30 words. <!-- not a result (1): a limit -->',
      'is for 1 and not for the 2',
    ],
    [
      'an exemption without a count',
      'Up to 30 words. <!-- not a result: a limit -->',
      'does not state how many numbers it is for: (1)',
    ],
    [
      'one number more in a region',
      '<!-- not checked (1): times -->\n\nIt takes 3 s and gains 3.7.\n\n<!-- end -->',
      'is for 1 and not for the 2',
    ],
    [
      'a region without a count',
      '<!-- not checked: times -->\n\nIt takes 3 s.\n\n<!-- end -->',
      'does not state how many',
    ],
    [
      'a word more than need no claim',
      `All gain 1.24, twice. ${ORACLE.replace(' -->', '; no claim (All): advice -->')}`,
      '"twice": no claim',
    ],
  ])('fails: %s', (_, text, message) => {
    expect(messages(text)).toEqual([expect.stringContaining(message)]);
  });

  it('says how words are waived', () => {
    expect(messages(`All gain 1.24. ${ORACLE.replace(' -->', '; no claim: advice -->')}`)).toEqual([
      expect.stringContaining('"All": no claim shows it'),
      expect.stringContaining('does not name its words'),
    ]);
  });

  it('names the line of the number', () => {
    expect(messages(`Two lines\nof text gain 1.24 and\n9. ${ORACLE}`)).toEqual(['3: no source is named for 9']);
  });

  it('fails where a program is to write and has no place', () => {
    expect(check('It gains.', ['table']).findings).toEqual([
      { line: 1, message: 'no program writes behind <!-- table -->' },
    ]);
  });

  it('is written anew with the present values, as they were printed', () => {
    const text = `It gains 1.3 [+0.9, 1.55] of 13,000, a cost of .4. <!-- run: comparisons[oracle_d].gain.mean; samples.scored; -comparisons[doc_kw_d].gain.mean -->`;
    const { text: written } = check(text);
    expect(written).toMatch(/^It gains 1\.2 \[\+0\.9, 1\.54\] of 12,500, a cost of \.5\. </u);
    expect(messages(written)).toEqual([]);
  });
});

it.each([
  [1234.5, '1,000', '1,235'],
  [-0.25, '.10', '-.25'],
  [-0.25, '−1.0', '−0.3'],
  [4.2e-12, '1e-9', '4e-12'],
  [0.5, '+1', '+1'],
])('%d printed like %s is %s', (value, like, printed) => {
  expect(printedLike(value, like)).toBe(printed);
});

describe('the language of sources', () => {
  const value = (expression: string) => {
    const [item] = readItems(`run: ${expression}`, records);
    return item && 'value' in item ? item.value : item?.error;
  };

  it.each<[string, Value]>([
    ['comparisons[family=d, treatment!=oracle_d].gain.win', [0.26, 0.5]],
    ['comparisons[treatment=*_d].gain.win', [0.94, 0.26, 0.5]],
    ['points[1] + 2 * points[0]', 8],
    ['max(points, samples.scored) - min(points) / 2', 12_499.5],
    ['count(comparisons[*].gain.win >= .5)', 3],
    ['any(comparisons[*].gain.win = 1) and not all(comparisons[*].gain.win = 1)', true],
    ['comparisons[family=d].gain.win > .2 and comparisons[family=d].gain.win < .6', [false, true, true]],
    ['comparisons[0].family = "d" or comparisons[0].family = "full"', true],
    ['abs(-sum(points))', 6],
    ['1 - comparisons[random_d].gain.mean', { value: 1.0004, low: 0.95, high: 1.1 }],
  ])('%s', (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  it.each([
    ['comparisons[family=none].gain', 'nothing fits'],
    ['points[3]', 'there are 3, and so no [3]'],
    ['points + comparisons[*].gain.win', 'cannot be paired'],
    ['samples + points[0]', 'is no number'],
    ['(points[0]', '")" is missing'],
    ['points[0] points[1]', 'is too much'],
  ])('refuses %s', (expression, message) => {
    expect(value(expression)).toContain(message);
  });

  it('wants a record before a field', () => {
    expect(readItems('samples.scored', records)).toEqual([
      { text: 'samples.scored', error: expect.stringContaining('no record is named') },
    ]);
  });
});

describe('the texts of this repository', () => {
  const here = recordsIn(ROOT);

  it.each(Object.keys(TEXTS))('%s says what the records say', (file) => {
    expect(checkFile(ROOT, file, here).findings).toEqual([]);
  });

  it('name no record that is not there', () => {
    expect(readItems('exp99: samples.scored', here)).toEqual([
      { text: 'exp99: samples.scored', error: expect.stringContaining('no record is called "exp99"') },
    ]);
  });

  it('are joined by the banner of reports, whose coverage is the least that was measured', () => {
    const [least] = readItems('docs/benchmarks.md: min(coverage[*].mean)', here);
    expect(least && 'value' in least && printedLike(least.value as number, LEAST_COVERAGE)).toBe(LEAST_COVERAGE);
  });
});
