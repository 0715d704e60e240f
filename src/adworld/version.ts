/** Changes whenever a generated text may change: another version is another dataset. */
export const ADWORLD_VERSION = '1';
