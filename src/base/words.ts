/** Words as the research's Python found and counted them. */

/**
 * What Python's `str.isspace` and `str.split()` take for white space, as the inside of a character class: without U+FEFF and with the separators U+001C to
 * U+001F and U+0085, unlike `\s`.
 */
export const PYTHON_SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const SPACES = new RegExp(`[${PYTHON_SPACE}]+`, 'u');

/** Splits a text into words as Python's `text.split()` does. */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '');
}

/** Counts a text's words as Python's `len(text.split())` does. */
export function wordCount(text: string): number {
  return splitWords(text).length;
}
