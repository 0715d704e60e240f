/** When an answer is the right one, or holds it. */
import { expect, it } from 'vitest';
import { answerWords, containsWords, wordsF1 } from '../../src/samples/answer-text.js';

it.each([
  ['The  price is €45.50.', ['price', 'is', '€45.50']],
  ['"4.5 kg", or a bit more!', ['4.5', 'kg', 'or', 'bit', 'more']],
  ['10 am - 5 pm', ['10', 'am', '5', 'pm']],
  ["it's the ﬁrst", ["it's", 'first']],
  ['The', ['the']],
  ['%', ['%']],
  [' ', []],
])('takes the words of %j', (text, words) => {
  expect(answerWords(text)).toEqual(words);
});

it('finds an answer in what was said as whole words, one behind the other', () => {
  const holds = (text: string, answer: string) => containsWords(answerWords(text), answerWords(answer));
  expect(holds('It costs 45 euros.', '45 euros')).toBe(true);
  expect(holds('It costs 145 euros.', '45 euros')).toBe(false);
  expect(holds('It costs 4.5 euros.', '45 euros')).toBe(false);
  expect(holds('45 whole euros', '45 euros')).toBe(false);
  expect(holds('The Red Lamp', 'red lamp')).toBe(true);
  expect(holds('', 'red lamp')).toBe(false);
  expect(holds('red lamp', ' ')).toBe(false);
});

it.each([
  ['red lamp', 'red lamp', 1],
  ['red lamp lamp', 'lamp', 0.5],
  ['blue', 'lamp', 0],
  ['', 'lamp', 0],
  ['a big red lamp', 'red lamp here', 2 / 3],
])('gives %j beside %j its F1', (found, wanted, f1) => {
  expect(wordsF1(answerWords(found), answerWords(wanted))).toBeCloseTo(f1, 12);
});
