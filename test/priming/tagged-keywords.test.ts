import { describe, expect, it } from 'vitest';
import { prepareSurrogates } from '../../src/priming/prepare.js';
import { surrogate } from '../../src/priming/surrogate.js';
import { loadKeywordTagger } from '../../src/priming/tagged-keywords.js';

describe('keywords by parts of speech', () => {
  it.each([
    // Plural and singular are one word, in the form that comes first; verbs, numbers and function words are none.
    ['Every child has a bike. The children are on their bikes.', ['child', 'bike']],
    // A capital at the head of a sentence does not make a name of a common noun.
    ['Lamps are sold here; a lamp is cheap, and lamps are light.', ['Lamps', 'cheap', 'light']],
    ['Apple opened a new store in Paris. The store is large.', ['store', 'Apple', 'new', 'Paris', 'large']],
    // The tagger errs: here it takes a verb for a noun.
    ['COVID-19 vaccines protect; one vaccine dose costs 24 euros.', ['vaccines', 'COVID-19', 'dose', 'costs', 'euros']],
    ['A TV concert at 8 pm: see www.jazz-club.example/tickets or ask info@jazz.example.', ['TV', 'concert']],
    ['It was so.', []],
    ['', []],
    ['!!! 24.90 :-)', []],
  ])('%s', async (text, expected) => {
    expect((await loadKeywordTagger())(text)).toEqual(expected);
  });

  it('are found in reasonable time whatever stands between them', async () => {
    const tagger = await loadKeywordTagger();
    const startedAt = performance.now();
    for (const noise of ['a', 'ab@', '"', '日本', '😀']) {
      expect(tagger(`A lamp. ${noise.repeat(100_000)} The desk.`)).toEqual(['lamp', 'desk']);
    }
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('are a family of surrogates', async () => {
    const samples = ['Every child has a bike. The children are on bikes.', 'It was so.'].map((document, i) => ({
      id: `${i}`,
      document,
      query: 'bikes?',
      answer: 'yes',
    }));
    const prepared = await prepareSurrogates(['pos_kw1', 'oracle', 'scramble(pos_kw2)*2'], samples, {});
    const make = (specification: string, index: number) =>
      surrogate(specification).make(samples[index]!, { index, samples, seed: 42, prepared });
    expect(make('pos_kw1', 0)).toBe('child');
    expect(make('pos_kw9*2', 0)).toBe('child bike child bike');
    expect(make('pos_kw1', 1)).toBe('information');
  });
});
