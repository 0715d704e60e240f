/** One place where the code can be broken, and the tests that must notice. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly from: string;
  readonly to: string;
  /** The file of tests of which one must fail; the parity fixtures when left out. */
  readonly tests?: string;
  /** Of these tests, those whose names have this in them: for files that take long. */
  readonly only?: string;
  /** A program without which the tests are skipped. */
  readonly needs?: string;
}
