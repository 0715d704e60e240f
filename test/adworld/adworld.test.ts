import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ad, Split } from '../../src/adworld/ad.js';
import { adworldSamples, generateAd } from '../../src/adworld/adworld.js';
import { categories, offerOf, offers } from '../../src/adworld/categories/all.js';
import { overlaps } from '../../src/adworld/compose.js';
import { adworldLines } from '../../src/adworld/lines.js';
import { adworldStatistics } from '../../src/adworld/statistics.js';
import { ADWORLD_VERSION } from '../../src/adworld/version.js';
import { wordCount } from '../../src/base/words.js';

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];
const adOf = fc
  .record({ seed: fc.nat(), split: fc.constantFrom(...SPLITS), index: fc.nat(1_000_000) })
  .map((request): Ad => generateAd(request));

describe('determinism', () => {
  it('gives the same ad for the same seed, split and index', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...SPLITS), fc.nat(100_000), (seed, split, index) => {
        expect(generateAd({ seed, split, index })).toEqual(generateAd({ seed, split, index }));
      }),
      { numRuns: 30 },
    );
  });

  it('gives a longer list that begins with the shorter one', () => {
    expect(adworldSamples({ split: 'test', count: 40 }).slice(0, 15)).toEqual(
      adworldSamples({ split: 'test', count: 15 }),
    );
    const lines = [...adworldLines({ split: 'train', seed: 3, count: 12 })];
    expect(lines.slice(0, 5)).toEqual([...adworldLines({ split: 'train', seed: 3, count: 5 })]);
  });

  it('gives other ads for other seeds and splits', () => {
    const texts = SPLITS.flatMap((split) => [0, 1].map((seed) => generateAd({ seed, split, index: 5 }).text));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('is the dataset that its version names', () => {
    const digest = createHash('sha256');
    for (const split of SPLITS) for (const line of adworldLines({ split, count: 100 })) digest.update(`${line}\n`);
    // A change here is a new dataset: raise ADWORLD_VERSION, and train the built-in model again.
    expect([ADWORLD_VERSION, digest.digest('hex')]).toEqual([
      '1',
      'cbb8e339aaf9957590bf7406f75f3b81c0bdf8694dfbb8125e7ee1a7bb9d2999',
    ]);
  });
});

describe('an ad', () => {
  it('has 6 to 12 facts in 30 to 300 words and at least four questions with different answers', () => {
    fc.assert(
      fc.property(adOf, (ad) => {
        expect(wordCount(ad.text)).toBeGreaterThanOrEqual(30);
        expect(wordCount(ad.text)).toBeLessThanOrEqual(300);
        expect(ad.facts.length).toBeGreaterThanOrEqual(6);
        expect(ad.facts.length).toBeLessThanOrEqual(12);
        expect(new Set(ad.questions.map(({ answer }) => answer)).size).toBe(ad.questions.length);
        expect(ad.questions.length).toBeGreaterThanOrEqual(4);
      }),
      { numRuns: 300 },
    );
  });

  it('supports every answer literally, and no answer is a distractor, part of one or given away by the query', () => {
    fc.assert(
      fc.property(adOf, (ad) => {
        const distractors = ad.facts.flatMap(({ distractor }) => distractor ?? []);
        for (const distractor of distractors) expect(ad.text.toLowerCase()).toContain(distractor.toLowerCase());
        for (const { query, answer, kind } of ad.questions) {
          expect(ad.text).toContain(answer);
          expect(wordCount(answer)).toBeLessThanOrEqual(12);
          expect(overlaps(query, answer)).toBe(false);
          for (const distractor of distractors) expect(overlaps(distractor, answer)).toBe(false);
          for (const fact of ad.facts) if (fact.kind !== kind) expect(overlaps(fact.value, answer)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not answer its unanswerable questions', () => {
    fc.assert(
      fc.property(adOf, (ad) => {
        const kinds = new Set(ad.questions.map(({ kind }) => kind));
        for (const { kind } of ad.unanswerable) expect(kinds.has(kind)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('reads well: spaces, articles, doubled words, open slots', () => {
    const slip =
      / {2}|^ | $|[{}]|undefined|\b(the|a|an|is|of|in|for|and) \1\b| [.,;!?]|\.\.|\b[Aa] [aeio]|\b[Aa]n [b-df-gj-km-npqtv-z]|\ba hour/i;
    fc.assert(
      fc.property(adOf, (ad) => {
        for (const text of [ad.text, ad.title, ...ad.questions.map(({ query }) => query)]) {
          expect(text.replace(/\b[Aa] (?:euro|one|uni|use)/g, '')).not.toMatch(slip);
        }
        expect(ad.text).toMatch(/^[\p{Lu}\p{N}€$£].*[.!?]$/u);
      }),
      { numRuns: 300 },
    );
  });

  it('never asks in the words of a surrogate', () => {
    const surrogate = /^(?:what is \S+|what are the key facts.*|how do i do this|what is this about)[?.]?$/i;
    fc.assert(
      fc.property(adOf, (ad) => {
        for (const { query } of [...ad.questions, ...ad.unanswerable]) expect(query).not.toMatch(surrogate);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the world', () => {
  it('has at least 12 categories and 10 kinds of question, all of which occur', () => {
    const ads = Array.from({ length: 600 }, (_, index) => generateAd({ split: 'test', index }));
    expect(categories().length).toBeGreaterThanOrEqual(12);
    expect(new Set(ads.map(({ category }) => category)).size).toBe(categories().length);
    expect(new Set(ads.flatMap(({ questions }) => questions.map(({ kind }) => kind))).size).toBeGreaterThanOrEqual(70);
    expect(new Set(ads.flatMap(({ questions }) => questions.map(({ style }) => style))).size).toBe(4);
  });

  it('tells distractors for a good share of the facts', () => {
    const facts = Array.from({ length: 300 }, (_, index) => generateAd({ split: 'test', index })).flatMap(
      (ad) => ad.facts,
    );
    const share = facts.filter(({ distractor }) => distractor !== undefined).length / facts.length;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.6);
  });

  it('knows every complement as an offer, and no two offers of one name', () => {
    for (const { item } of offers())
      for (const noun of item.complements ?? []) expect(offerOf(noun), noun).toBeDefined();
    expect(new Set(offers().map(({ item }) => item.noun)).size).toBe(offers().length);
  });
});

describe('samples', () => {
  it('are one for an ad, with stable ids and a question of that ad', () => {
    const samples = adworldSamples({ split: 'test', count: 50 });
    expect(samples[17]!.id).toBe('adworld-test-00017');
    expect(new Set(samples.map(({ document }) => document)).size).toBe(50);
    for (const [index, sample] of samples.entries()) {
      const { text, questions } = generateAd({ split: 'test', index });
      expect(sample.document).toBe(text);
      expect(questions.map(({ query, answer }) => [query, answer])).toContainEqual([sample.query, sample.answer]);
    }
  });
});

describe('statistics', () => {
  it('describe a range', () => {
    const statistics = adworldStatistics({ split: 'test', count: 200 });
    expect(statistics.ads).toBe(200);
    expect(statistics.documentWords.mean).toBeGreaterThan(60);
    expect(statistics.documentWords.mean).toBeLessThan(120);
    expect(statistics.answerPosition.lowest).toBeGreaterThanOrEqual(0);
    expect(statistics.answerPosition.highest).toBeLessThan(1);
    expect(statistics.queryOverlap.highest).toBeLessThanOrEqual(1);
    expect(() => adworldStatistics({ split: 'test', count: 0 })).toThrow(RangeError);
  });
});
