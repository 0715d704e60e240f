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
  /** What groups samples that are not independent (the document, say, when several queries share it). */
  readonly cluster?: string;
}

/** Amazon ESCI's four grades: 3 exact, 2 substitute, 1 complement, 0 irrelevant. */
export type Grade = 0 | 1 | 2 | 3;

/** One query with candidate documents of known relevance. */
export interface Pool {
  readonly id: string;
  readonly query: string;
  readonly candidates: readonly { readonly id: string; readonly document: string; readonly grade: Grade }[];
}
