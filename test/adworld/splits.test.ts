import { describe, expect, it } from 'vitest';
import type { Bank, Split } from '../../src/adworld/ad.js';
import { generateAd } from '../../src/adworld/adworld.js';
import { FACT_NAMES, wordingOf } from '../../src/adworld/banks/facts.js';
import { frames } from '../../src/adworld/banks/frames.js';
import { queryTexts } from '../../src/adworld/banks/queries.js';
import { names, phoneBank } from '../../src/adworld/names.js';
import { queryTemplates, skeleton } from '../../src/adworld/queries.js';

const ads = (split: Split, count: number) => Array.from({ length: count }, (_, index) => generateAd({ split, index }));

function intersection(train: Iterable<string>, evaluation: Iterable<string>): string[] {
  const known = new Set(train);
  return [...new Set(evaluation)].filter((text) => known.has(text));
}

describe('what evaluation and training share, by enumeration', () => {
  it('is no name', () => {
    for (const [pool, banks] of Object.entries(names())) {
      expect(intersection(banks.train, banks.evaluation), pool).toEqual([]);
    }
    // A model or a code may not be another pool's name either.
    const all = (bank: Bank) =>
      Object.values(names()).flatMap((banks) => banks[bank].map((name) => name.toLowerCase()));
    expect(intersection(all('train'), all('evaluation'))).toEqual([]);
  });

  it('is no sentence form and no phrasing of a query', () => {
    for (const kind of FACT_NAMES) {
      const [train, evaluation] = [wordingOf(kind, 'train'), wordingOf(kind, 'evaluation')];
      for (const form of ['say', 'list', 'aside'] as const) {
        expect(intersection(train[form].map(skeleton), evaluation[form].map(skeleton)), kind).toEqual([]);
      }
    }
    for (const [family, { train, evaluation }] of Object.entries(frames())) {
      for (const part of ['opening', 'joint', 'closing', 'filler', 'title'] as const) {
        expect(intersection(train[part].map(skeleton), evaluation[part].map(skeleton)), family).toEqual([]);
      }
    }
    const { searches } = queryTexts();
    expect(intersection(searches.train.map(skeleton), searches.evaluation.map(skeleton))).toEqual([]);
  });

  it('is no phrasing of a query, whatever the kind, and no lead-in', () => {
    const queries = (bank: Bank) =>
      FACT_NAMES.flatMap((kind) => queryTemplates(kind, bank).map(({ text }) => `${kind}: ${skeleton(text)}`));
    expect(intersection(queries('train'), queries('evaluation'))).toEqual([]);
    for (const leads of [queryTexts()['before a question'], queryTexts()['before a noun phrase']]) {
      expect(intersection(leads.train.map(skeleton), leads.evaluation.map(skeleton))).toEqual([]);
    }
  });

  it('leaves at least eight phrasings of every kind of question for training and four others for evaluation', () => {
    for (const kind of FACT_NAMES) {
      expect(queryTemplates(kind, 'train').length, kind).toBeGreaterThanOrEqual(8);
      expect(queryTemplates(kind, 'evaluation').length, kind).toBeGreaterThanOrEqual(4);
    }
  });
});

describe('what evaluation and training share, in generated ads', () => {
  const train = ads('train', 1500);
  const validation = ads('validation', 400);
  const test = ads('test', 400);

  it('is no document and no pair of query and answer with the same document', () => {
    const texts = [...train, ...validation, ...test].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('is no name and no phone number', () => {
    const known = train.map(({ text, title }) => `${title} ${text}`).join('\n');
    const names = [...validation, ...test].flatMap((ad) => ad.names);
    expect(names.length).toBeGreaterThan(1000);
    for (const name of new Set(names)) expect(known.includes(name), name).toBe(false);
    for (const { names } of train) {
      for (const name of names) if (/\d{4}$/.test(name)) expect(phoneBank(name), name).toBe('train');
    }
  });

  it('is no template', () => {
    const templates = (of: typeof train) => of.flatMap(({ questions }) => questions.map(({ template }) => template));
    expect(intersection(templates(train), templates([...validation, ...test]))).toEqual([]);
    const sentences = (of: typeof train) => of.flatMap(({ forms }) => forms);
    expect(intersection(sentences(train).map(skeleton), sentences([...validation, ...test]).map(skeleton))).toEqual([]);
  });
});
