/**
 * What every dataset gives to the rest of the program: samples to score and pools to rank.
 * Experiments know these two types and no dataset.
 */

/** One document with a query that it answers and the gold answer. */
export interface Sample {
  /** Stable and unique within the dataset. */
  readonly id: string;
  readonly document: string;
  readonly query: string;
  readonly answer: string;
  /** The document's title, where it has one of its own. */
  readonly title?: string;
  /** What groups samples that are not independent (the document, say, when several queries share it). */
  readonly cluster?: string;
  /** Of the columns that were asked for those that say something here, by their names. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** Amazon ESCI's four grades: 3 exact, 2 substitute, 1 complement, 0 irrelevant. Binary relevance is 1 and 0. */
export type Grade = 0 | 1 | 2 | 3;

export interface Candidate {
  /** Unique within its pool. */
  readonly id: string;
  readonly document: string;
  readonly title?: string;
  readonly grade: Grade;
  /** As of a sample. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** One query with candidate documents of known relevance. */
export interface Pool {
  readonly id: string;
  readonly query: string;
  /** Where the query has a gold answer. */
  readonly answer?: string;
  /** The lowest grade that counts as relevant for binary measures; 1 when left out. */
  readonly relevant?: Grade;
  readonly candidates: readonly Candidate[];
}
