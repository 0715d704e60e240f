/**
 * Keywords of a text, after the research's rule: lower-case, keep word characters and white space, split, drop words of up to two
 * characters and stop words. "Word character", "white space" and lower-casing are Python's (`\w`, `str.split`, `str.lower`), because
 * the published surrogates were made with it.
 */
import { PYTHON_SPACE, splitWords } from '../base/words.js';

/**
 * Characters that are neither in a word nor white space. Python's `\w` is letters, everything numeric and the underscore; combining marks are not
 * in it.
 */
const NEITHER_WORD_NOR_SPACE = new RegExp(String.raw`[^\p{L}\p{N}_${PYTHON_SPACE}]`, 'gu');

const STOP_WORDS = new Set(
  `a an the is are was were be been being have has had do does did will would could should may might can shall to of in for on with
  at by from as into through during before after above below between and but or not no if then than so up out about what which who
  whom this that these those it its i me my we our you your he him his she her they them their how when where why much many some any
  all each also just more most very too only`
    .trim()
    .split(/\s+/),
);

/** The content words of a text, in its order, repetitions kept. */
export function keywords(text: string): string[] {
  const words = splitWords(text.toLowerCase().replace(NEITHER_WORD_NOR_SPACE, ''));
  return words.filter((word) => [...word].length > 2 && !STOP_WORDS.has(word));
}

/** The `count` most frequent keywords, ties in order of first occurrence. */
export function topKeywords(text: string, count: number): string[] {
  const frequency = new Map<string, number>();
  for (const word of keywords(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  return [...frequency]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([word]) => word);
}
