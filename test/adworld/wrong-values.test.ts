/** Wrong answers to the questions of ads: false for the ad, of the same sort, and the same ones every time. */
import { describe, expect, it } from 'vitest';
import { generateAd, questionById } from '../../src/adworld/adworld.js';
import { overlaps } from '../../src/adworld/compose.js';
import { wrongValues } from '../../src/adworld/wrong-values.js';

const SEED = 42;
const ads = Array.from({ length: 40 }, (_, index) => generateAd({ seed: SEED, split: 'test', index }));

describe('wrong values of an ad', () => {
  it('are told nowhere in it as the answer, and differ from it and from each other', () => {
    for (const { id, text, facts } of ads) {
      const { question } = questionById(id, SEED)!;
      const { distractor, sameAd, sameKind } = wrongValues(id, SEED, 21)!;
      expect(distractor).toBe(facts.find(({ kind }) => kind === question.kind)!.distractor);
      expect(sameAd).toEqual(facts.filter(({ kind }) => kind !== question.kind).map(({ value }) => value));
      for (const value of sameKind) expect(overlaps(text, value), `${id}: ${value}`).toBe(false);
      const all = [question.answer, ...(distractor === undefined ? [] : [distractor]), ...sameAd, ...sameKind];
      for (const [i, value] of all.entries()) {
        for (const other of all.slice(i + 1)) expect(overlaps(value, other), `${id}: ${value}, ${other}`).toBe(false);
      }
    }
  });

  it('are written as the ad writes its values', () => {
    const priced = ads.flatMap(({ id }) => {
      const { kind, answer } = questionById(id, SEED)!.question;
      return kind === 'price' ? [{ id, answer }] : [];
    });
    expect(priced.length).toBeGreaterThan(1);
    for (const { id, answer } of priced) {
      const form = (price: string) => price.replace(/[\d.,]+/, '#');
      expect(new Set(wrongValues(id, SEED, 14)!.sameKind.map(form))).toEqual(new Set([form(answer)]));
    }
  });

  it('are the same when they are asked for again, however many', () => {
    const [{ id }] = ads as [(typeof ads)[number]];
    expect(wrongValues(id, SEED, 21)).toEqual(wrongValues(id, SEED, 21));
    expect(wrongValues(id, SEED, 21)!.sameKind.slice(0, 7)).toEqual(wrongValues(id, SEED, 7)!.sameKind);
    expect(wrongValues('faq-00001', SEED, 7)).toBeUndefined();
  });
});
