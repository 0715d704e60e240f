/** Longer documents for the same question: other texts behind the one that answers it. */
import { splitWords } from '../../base/words.js';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';

const BETWEEN = '\n\n';

/**
 * The document with further texts behind it, a blank line before each, until it has at least `tokens` tokens, BOS included. Of the last
 * text only as many words are taken as that needs. A document that is long enough stays as it is.
 * @param padding taken in turn from `start`, from the first again after the last
 */
export function lengthen(
  tokenizer: Tokenizer,
  document: string,
  tokens: number,
  padding: readonly string[],
  start: number,
): string {
  const count = (text: string) => tokenizer.encodeFramed(tokenizer.head(text, tokens)).length;
  if (padding.length === 0 || count(document) >= tokens) return document;
  const text = (index: number) => padding[(start + index) % padding.length]!;
  const withTexts = (texts: number) =>
    [document, ...Array.from({ length: texts }, (_, index) => text(index))].join(BETWEEN);
  let enough = 1;
  while (count(withTexts(enough)) < tokens) enough *= 2;
  const texts = firstAtLeast(Math.floor(enough / 2), enough, (size) => count(withTexts(size)) >= tokens);
  const before = withTexts(texts - 1) + BETWEEN;
  const words = splitWords(text(texts - 1));
  const withWords = (size: number) => before + words.slice(0, size).join(' ');
  return withWords(firstAtLeast(0, words.length, (size) => count(withWords(size)) >= tokens));
}

/**
 * The number of words to look back. A further word can make a text a token shorter, where tokens grow across the space; over this many words it
 * makes it longer.
 */
const LOOK_BACK = 8;

/** The smallest number above `low` and up to `high` that passes, where passing is monotone but for neighbours. `high` passes. */
function firstAtLeast(low: number, high: number, passes: (value: number) => boolean): number {
  let [below, above] = [low, high];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (passes(middle)) above = middle;
    else below = middle;
  }
  for (let earlier = Math.max(1, above - LOOK_BACK); earlier < above; earlier++) if (passes(earlier)) return earlier;
  return above;
}
