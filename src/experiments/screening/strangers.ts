/** Is what is tested new to a model that was trained on AdWorld? */
import { generateAd } from '../../adworld/adworld.js';
import { surrogate } from '../../priming/surrogate.js';
import type { SanityCheck } from './check.js';
import type { Item } from './items.js';

const QUERYLESS_SURROGATES = ['doc_kw', 'template', 'lead'].map((name) => surrogate(name).make);

/** What is tested must not have been trained on; surrogates must not be queries in disguise. */
export async function strangers(items: readonly Item[]): Promise<SanityCheck[]> {
  const training = Array.from({ length: 2000 }, (_, index) => generateAd({ split: 'train', index }));
  const known = {
    documents: new Set(training.map(({ text }) => text)),
    names: new Set(training.flatMap(({ names }) => names)),
    phrasings: new Set(training.flatMap(({ questions }) => questions.map(({ template }) => template))),
  };
  const shared = {
    documents: items.filter(({ ad }) => known.documents.has(ad.text)).length,
    names: items.flatMap(({ ad }) => ad.names).filter((name) => known.names.has(name)).length,
    phrasings: items.filter(({ asked }) => known.phrasings.has(asked.template)).length,
  };
  const asQuery = new Set(
    [...training, ...items.map(({ ad }) => ad)].flatMap(({ questions }) => questions.map(({ query }) => query)),
  );
  const samples = items.map(({ ad, asked }) => ({
    id: ad.id,
    document: ad.text,
    query: asked.query,
    answer: asked.answer,
  }));
  const disguised = samples.filter((sample, index) =>
    QUERYLESS_SURROGATES.some((make) => asQuery.has(make(sample, { index, samples, seed: 0 }))),
  ).length;
  return [
    {
      name: 'held out',
      question: 'Are documents, names and phrasings of the test new to training?',
      state: shared.documents + shared.names + shared.phrasings === 0 ? 'pass' : 'fail',
      result: `${shared.documents} documents, ${shared.names} names, ${shared.phrasings} phrasings shared with 2000 training ads`,
    },
    {
      name: 'surrogates',
      question: 'Is no surrogate one of the queries?',
      state: disguised === 0 ? 'pass' : 'fail',
      result: `${disguised} of ${items.length} are`,
    },
  ];
}
