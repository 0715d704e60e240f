/** Metaspace of Python's tokenizers: words with a mark for the space before each, and back. */
import { isSpace } from './patterns.js';

const MARK = '▁';

/** @param prepends whether a text gets a mark in front that has none there */
export function metaspaceWords(text: string, prepends: boolean): string[] {
  const marked = text.replaceAll(' ', MARK);
  const whole = prepends && marked !== '' && !marked.startsWith(MARK) ? MARK + marked : marked;
  const words: string[] = [];
  for (let start = 0; start < whole.length; ) {
    const next = whole.indexOf(MARK, start + 1);
    const end = next < 0 ? whole.length : next;
    words.push(whole.slice(start, end));
    start = end;
  }
  return words;
}

/** Splits a text at white space, as the pre-tokenizer WhitespaceSplit does. */
export function splitAtSpaces(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && !isSpace(text.charCodeAt(at))) continue;
    if (at > start) parts.push(text.slice(start, at));
    start = at + 1;
  }
  return parts;
}

/** The normalizer Strip. */
export function strip(text: string, left: boolean, right: boolean): string {
  let [start, end] = [0, text.length];
  while (left && start < end && isSpace(text.charCodeAt(start))) start++;
  while (right && end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Joins tokens as the decoder does: marks become spaces, and the first token loses the one that the pre-tokenizer put there. */
export function decodeMetaspace(tokens: readonly string[], prepends: boolean): string {
  return tokens.map((token, at) => token.replaceAll(MARK, at === 0 && prepends ? '' : ' ')).join('');
}
