/** The rules by which a sample or candidate is rejected, in words for a plan that is made before anything is. */
export const EXCLUSIONS: readonly string[] = [
  'the text that is scored has no tokens',
  'a text has no token ids',
  'prefix and special tokens leave no room for the document',
  'a condition’s prefix cannot be made of the sample, or its writer gives none',
  'a result under any condition is not a finite number',
  'a sample that is rejected under one condition is left out under all',
];
