/**
 * What an AdWorld advertisement is: a text, the facts in it, and the questions that it answers.
 * Types only: nothing here knows how ads are made or how experiments use them.
 */

export type Split = 'train' | 'validation' | 'test';

/** Names and templates come from one of two disjoint banks: validation and test share the second, but no document. */
export type Bank = 'train' | 'evaluation';

/** How a query is put: a full question, words for a search box, a noun phrase, or an order. */
export type QueryStyle = 'question' | 'keywords' | 'phrase' | 'imperative';

export interface AdQuestion {
  /** What is asked for: `price`, `color`, `hours`, ... */
  readonly kind: string;
  /** The phrasing's identity, such as `price/train/ask/2`. */
  readonly template: string;
  readonly style: QueryStyle;
  readonly query: string;
  /** A span of the ad's text, one to a dozen words. */
  readonly answer: string;
}

export interface AdFact {
  readonly kind: string;
  readonly value: string;
  /** A value of the same sort that the text gives for something else: an old price, another branch's address. */
  readonly distractor?: string;
}

export interface Ad {
  readonly id: string;
  readonly split: Split;
  readonly category: string;
  /** The common noun for what is offered: `backpack`, `jazz concert`. */
  readonly item: string;
  readonly title: string;
  readonly text: string;
  readonly facts: readonly AdFact[];
  /** One question for each fact, in a fixed order; at least four, and their answers differ. */
  readonly questions: readonly AdQuestion[];
  /** Questions of the same category whose answer the ad does not give. */
  readonly unanswerable: readonly Omit<AdQuestion, 'answer'>[];
  /** Invented names in the ad: brands, shops, people, streets, towns, models, codes, phone numbers. */
  readonly names: readonly string[];
  /** The sentence forms that the text was made with, in order. */
  readonly forms: readonly string[];
}
