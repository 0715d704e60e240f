/**
 * Compares answers word by word: whether one answer is another, or stands in it. Words are compared as in SQuAD's evaluation, except that numbers
 * keep their points and signs.
 */
import { splitWords } from '../base/words.js';

const ARTICLES = new Set(['a', 'an', 'the']);
const AROUND = /^\p{P}+|\p{P}+$/gu;

/**
 * The words of a text in lower case and compatibility form (NFKC), without punctuation at their ends and without articles. Inside a word punctuation stays:
 * 4.5 is not 45. Of a text that has nothing else, articles and punctuation are its words.
 */
export function answerWords(text: string): string[] {
  const whole = splitWords(text.normalize('NFKC').toLowerCase());
  const bare = whole.map((word) => word.replace(AROUND, '')).filter((word) => word !== '');
  const content = bare.filter((word) => !ARTICLES.has(word));
  return [content, bare, whole].find(({ length }) => length > 0) ?? [];
}

/** Tells whether the first list holds the second as a run of words. An empty list stands in none. */
export function containsWords(words: readonly string[], run: readonly string[]): boolean {
  return run.length > 0 && words.some((_, at) => run.every((word, i) => words[at + i] === word));
}

/** F1 of two lists of words, each word as often as it stands in both; 0 where they share none. */
export function wordsF1(found: readonly string[], wanted: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of found) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    shared++;
    left.set(word, count - 1);
  }
  return shared === 0 ? 0 : (2 * shared) / (found.length + wanted.length);
}
