/** What a range of AdWorld looks like in figures, to hold against other datasets. Knows no other dataset. */
import { wordCount } from '../base/words.js';
import { mean } from '../stats/describe.js';
import { type AdRange, generateAd } from './adworld.js';

export interface AdworldStatistics {
  readonly ads: number;
  readonly questions: number;
  readonly kinds: number;
  readonly categories: number;
  readonly documentWords: Mean;
  readonly queryWords: Mean;
  readonly answerWords: Mean;
  readonly factsPerAd: Mean;
  /** Share of a query's words that the document has too. */
  readonly queryOverlap: Mean;
  /** The place where the answer first stands, from 0 (the document's start) to 1 (its end). */
  readonly answerPosition: Mean;
  /** Share of facts beside which the text tells a distractor. */
  readonly distractedFacts: number;
}

export interface Mean {
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @throws RangeError when the range is empty */
export function adworldStatistics(range: AdRange): AdworldStatistics {
  if (range.count < 1) throw new RangeError('adworldStatistics: no ads to describe');
  const ads = Array.from({ length: range.count }, (_, index) => generateAd({ ...range, index }));
  const questions = ads.flatMap((ad) => ad.questions.map((question) => ({ ...question, text: ad.text })));
  const facts = ads.flatMap((ad) => ad.facts);
  return {
    ads: ads.length,
    questions: questions.length,
    kinds: new Set(questions.map(({ kind }) => kind)).size,
    categories: new Set(ads.map(({ category }) => category)).size,
    documentWords: meanOf(ads.map(({ text }) => wordCount(text))),
    queryWords: meanOf(questions.map(({ query }) => wordCount(query))),
    answerWords: meanOf(questions.map(({ answer }) => wordCount(answer))),
    factsPerAd: meanOf(ads.map((ad) => ad.facts.length)),
    queryOverlap: meanOf(questions.map(({ query, text }) => overlapShare(query, text))),
    answerPosition: meanOf(questions.map(({ answer, text }) => text.indexOf(answer) / text.length)),
    distractedFacts: facts.filter(({ distractor }) => distractor !== undefined).length / facts.length,
  };
}

function overlapShare(query: string, text: string): number {
  const words = (of: string): string[] => of.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const known = new Set(words(text));
  const asked = words(query);
  return asked.filter((word) => known.has(word)).length / Math.max(1, asked.length);
}

function meanOf(values: readonly number[]): Mean {
  return {
    mean: mean(values),
    lowest: values.reduce((low, value) => Math.min(low, value)),
    highest: values.reduce((high, value) => Math.max(high, value)),
  };
}
