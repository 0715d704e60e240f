/** The wrong answers that right ones are held against, on AdWorld and on other data. */
import { beforeAll, describe, expect, it } from 'vitest';
import { questionById } from '../../src/adworld/adworld.js';
import { overlaps } from '../../src/adworld/compose.js';
import { adworldDataset } from '../../src/datasets/adworld.js';
import { wrongAnswersOf } from '../../src/experiments/plan/wrong-answers.js';
import { readConfig } from '../../src/model/families/families.js';
import { loadTokenizer, type Tokenizer } from '../../src/model/tokenizer/tokenizer.js';
import { referenceFixture } from '../support/fixtures.js';

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer(referenceFixture('text'), await readConfig(referenceFixture('text')));
});

const SEED = 42;
const ORIGIN = { name: 'lamps', revision: '1' };
const answered = (answers: readonly string[]) =>
  answers.map((answer, i) => ({ id: `row-${i}`, document: 'A lamp.', query: 'Which one?', answer }));
const found = (answers: readonly string[]) => wrongAnswersOf(answered(answers), ORIGIN, SEED, tokenizer);

describe('on AdWorld', () => {
  const data = adworldDataset({ seed: SEED, count: 60 });

  it('are the distractor, up to three answers of the same ad, and values of the same kind', () => {
    const all = wrongAnswersOf(data.samples, data, SEED, tokenizer);
    expect(all.size).toBe(60);
    const seen = new Set<string>();
    for (const { id, answer } of data.samples) {
      const own = all.get(id)!;
      const { ad, question } = questionById(id, SEED)!;
      const from = (name: string) => own.filter((wrong) => wrong.from === name);
      expect(own).toHaveLength(7);
      expect(new Set(own.map(({ text }) => text)).size).toBe(7);
      const { distractor } = ad.facts.find(({ kind }) => kind === question.kind)!;
      expect(from('distractor').map(({ text }) => text)).toEqual(distractor === undefined ? [] : [distractor]);
      expect(from('same document')).toHaveLength(3);
      const told = ad.facts.map(({ value }) => value);
      for (const { text, tokens } of own) {
        expect(tokens).toBe(tokenizer.encode(text).length);
        expect(overlaps(text, answer), `${text} and ${answer}`).toBe(false);
      }
      for (const { text } of from('same document')) expect(told).toContain(text);
      for (const { text } of from('same kind')) expect(overlaps(ad.text, text), text).toBe(false);
      // Only of few kinds are there too few values.
      if (from('other sample').length > 0) expect(from('same kind').length).toBeLessThan(6);
      for (const { from: name } of own) seen.add(name);
    }
    expect(seen).toEqual(new Set(['distractor', 'same document', 'same kind', 'other sample']));
  });

  it('are there for a single ad, too', () => {
    const one = adworldDataset({ seed: SEED, count: 1 });
    expect([...wrongAnswersOf(one.samples, one, SEED, tokenizer).values()].map(({ length }) => length)).toEqual([7]);
  });

  it('are as long as the answer, where there are such', () => {
    const all = wrongAnswersOf(data.samples, data, SEED, tokenizer);
    const near = data.samples.flatMap(({ id, answer }) => {
      const length = tokenizer.encode(answer).length;
      return all.get(id)!.flatMap(({ from, tokens }) => (from === 'same kind' ? [Math.abs(tokens - length) <= 1] : []));
    });
    expect(near.filter(Boolean).length).toBeGreaterThan(0.8 * near.length);
  });
});

describe('on other data', () => {
  const numbers = Array.from({ length: 12 }, (_, i) => `${i + 3} euros`);
  const names = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent', 'radio', 'sofa', 'stool', 'mug'];

  it('are of the same type and length as far as there are such, and the same ones every time', () => {
    const all = found([...numbers, ...names]);
    expect(all).toEqual(found([...numbers, ...names]));
    for (const [i, answer] of [...numbers, ...names].entries()) {
      const own = all.get(`row-${i}`)!;
      expect(own.map(({ from }) => from)).toEqual(Array(7).fill('other sample'));
      for (const { text } of own) {
        expect(text).not.toBe(answer);
        expect(numbers.includes(text)).toBe(numbers.includes(answer));
      }
    }
    const few = found([...names.slice(0, 5), ...numbers])
      .get('row-0')!
      .map(({ text }) => text);
    expect(few.filter((text) => names.includes(text)).sort()).toEqual(names.slice(1, 5).sort());
    expect(few).toHaveLength(7);
  });

  it('do not say what the right one says', () => {
    const same = ['the Desk', 'desk.', 'a desk', 'desk lamp', ...names];
    for (const i of [0, 1, 2]) {
      for (const { text } of found(same).get(`row-${i}`)!) expect(text.toLowerCase()).not.toContain('desk');
    }
  });

  it('are asked for where there are enough, and of samples that have an answer', () => {
    expect(() => found(names.slice(0, 7))).toThrow('against 7 wrong ones, and the data have 6 for row-0');
    expect([...found([' ', ...names.slice(0, 8)]).keys()]).not.toContain('row-0');
  });
});
