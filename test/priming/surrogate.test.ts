import { describe, expect, it } from 'vitest';
import { surrogate, surrogateForms, surrogateSchema } from '../../src/priming/surrogate.js';

const sample = {
  id: 's',
  document: 'The lamp is green. The green lamp costs 24 euros, and the shade of the lamp is small.',
  query: 'How much does the green lamp cost?',
  answer: '24 euros',
};
const partner = { ...sample, id: 'p', document: 'Fresh bread every morning from our oven, and cakes.' };
const context = { index: 0, samples: [sample, partner], seed: 42 };
const made = (specification: string, changes = {}) => surrogate(specification).make({ ...sample, ...changes }, context);

describe('surrogates', () => {
  it.each([
    ['oracle', sample.query],
    ['para', 'cost lamp green'],
    ['doc_kw', 'lamp green costs euros shade'],
    ['kw1', 'lamp'],
    ['kw2', 'lamp green'],
    ['template', 'What is lamp?'],
    ['lead', 'The lamp is green.'],
    ['static:What are the key facts?', 'What are the key facts?'],
    ['random3', 'Fresh bread every'],
    ['random20', partner.document],
    ['random_matched', 'Fresh bread every morning from our oven,'],
    ['kw1*3', 'lamp lamp lamp'],
    ['static:the*query', 'the the the the the the the'],
    ['static:24: yes*2', '24: yes 24: yes'],
  ])('%s', (specification, text) => {
    expect(made(specification)).toBe(text);
  });

  it('scrambles the words of a query by its place, as numpy does', () => {
    // numpy.random.RandomState(42).shuffle
    expect(made('scrambled')).toBe('How much lamp does green the cost?');
    const next = surrogate('scrambled').make(sample, { ...context, index: 1 });
    expect(next).not.toBe(made('scrambled'));
    expect(next.split(' ').sort()).toEqual(sample.query.split(' ').sort());
  });

  it('borrows from the sample half the list further on', () => {
    const samples = ['a', 'b', 'c', 'd', 'e'].map((word) => ({ ...sample, document: word }));
    const borrowed = samples.map((one, index) => surrogate('random1').make(one, { index, samples, seed: 0 }));
    expect(borrowed).toEqual(['c', 'd', 'e', 'a', 'b']);
  });

  it('have their fallbacks', () => {
    expect(made('para', { query: 'What is it?' })).toBe('What is it?');
    expect(made('doc_kw', { document: 'It is on.' })).toBe('information');
    expect(made('kw10', { document: 'It is on.' })).toBe('information');
    expect(made('template', { document: 'It is on.' })).toBe('What is this about?');
  });

  it('keep 25 words of a long first sentence', () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
    expect(made('lead', { document: `${words.join(' ')}. More.` })).toBe(words.slice(0, 25).join(' '));
  });

  it('say whether they need the query', () => {
    const queryless = ['doc_kw', 'kw3', 'template', 'lead', 'static:a', 'random20', 'doc_kw*4'];
    const needing = ['oracle', 'para', 'scrambled', 'random_matched', 'oracle*2', 'static:the*query'];
    for (const name of queryless) expect([name, surrogate(name).needsQuery]).toEqual([name, false]);
    for (const name of needing) expect([name, surrogate(name).needsQuery]).toEqual([name, true]);
  });

  it.each(['', 'nothing', 'kw', 'kw0', 'oracle3', 'static', 'static:', 'oracle:x', 'doc_kw*0', 'toString', '*3'])(
    'refuses "%s" and names what there is',
    (specification) => {
      expect(() => surrogate(specification)).toThrow(/expected oracle, .*kwN.*static:TEXT/);
      expect(surrogateSchema.safeParse(specification).success).toBe(false);
    },
  );

  it('lists every form once', () => {
    const forms = surrogateForms();
    expect(new Set(forms).size).toBe(forms.length);
    for (const form of forms) expect(() => surrogate(form.replace('N', '3').replace(':TEXT', ':a'))).not.toThrow();
  });
});
