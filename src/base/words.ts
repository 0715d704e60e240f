/** Counting words as the research's Python did. */

/** Python's white space for `str.split()`: without U+FEFF, and with the separators U+001C to U+001F and U+0085, unlike `\s`. */
const SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const SPACES = new RegExp(`[${SPACE}]+`, 'u');

/** `len(text.split())` */
export function wordCount(text: string): number {
  return text.split(SPACES).filter((word) => word !== '').length;
}
