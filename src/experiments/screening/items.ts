/** What checks are made on: advertisements of AdWorld's test split, one question each. */
import type { Ad, AdQuestion } from '../../adworld/ad.js';
import { generateAd } from '../../adworld/adworld.js';
import { Random } from '../../base/random.js';
import type { SanityOptions } from './check.js';

/** One advertisement, one of its questions, another of them, and things of another advertisement. */
export interface Item {
  readonly ad: Ad;
  readonly asked: AdQuestion;
  readonly sibling: AdQuestion;
  readonly other: { readonly document: string; readonly query: string; readonly answer: string };
}

export function itemsOf({ samples, seed }: SanityOptions): Item[] {
  const ads = Array.from({ length: samples }, (_, index) => generateAd({ seed, split: 'test', index }));
  const asked = ads.map((ad) => {
    const questions = new Random('sanity', seed, ad.id).shuffle(ad.questions);
    const first = questions[0]!;
    return { first, second: questions.find(({ answer }) => answer !== first.answer)! };
  });
  return ads.map((ad, i) => {
    const partner = (i + Math.floor(samples / 2)) % samples;
    const { query, answer } = asked[partner]!.first;
    return {
      ad,
      asked: asked[i]!.first,
      sibling: asked[i]!.second,
      other: { document: ads[partner]!.text, query, answer },
    };
  });
}
