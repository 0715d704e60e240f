/**
 * What every dataset gives to the rest of the program: samples to score and pools to rank.
 * Experiments know these two types and no dataset.
 */

/** A document with a query that it answers, and the gold answer. */
export interface Sample {
  /** An id that is stable and unique within the dataset. */
  readonly id: string;
  readonly document: string;
  readonly query: string;
  readonly answer: string;
  /** The document's title, where the data have one. */
  readonly title?: string;
  /** The group of samples that this one depends on, such as its document where several queries share one. */
  readonly cluster?: string;
  /** The columns that were asked for and have a value in this sample, by name. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** A grade of relevance, as in Amazon ESCI: 3 exact, 2 substitute, 1 complement, 0 irrelevant. Binary relevance is 1 and 0. */
export type Grade = 0 | 1 | 2 | 3;

export interface Candidate {
  /** An id that is unique within the pool. */
  readonly id: string;
  readonly document: string;
  readonly title?: string;
  readonly grade: Grade;
  /** The columns that were asked for and have a value in this candidate, by name. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** One query with candidate documents whose relevance is known. */
export interface Pool {
  readonly id: string;
  readonly query: string;
  /** The gold answer, where the query has one. */
  readonly answer?: string;
  /** The lowest grade that counts as relevant for binary measures; 1 by default. */
  readonly relevant?: Grade;
  readonly candidates: readonly Candidate[];
}
