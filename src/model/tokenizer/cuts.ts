/**
 * Where a text can be cut so that its parts have the token ids of the whole: of a long document only what the encoder can read is
 * tokenised.
 *
 * A merge of byte pair encoding makes a token of the characters on both sides. So where the two characters of a place stand side by side
 * in no token, added tokens included, nothing is ever merged across it, and what is left of it does not depend on what is right of it.
 */
import { splitGraphemes } from 'unicode-segmenter/grapheme';
import { isSpace } from './patterns.js';

export interface Cuts {
  /** The first place from `from` on where the text can be cut; its length where there is none before. */
  next(text: string, from: number): number;
}

/**
 * The cuts of a vocabulary of characters.
 * @param tokens the tokens that a text can become, those of the vocabulary and the added ones, as they stand in a normalized text
 * @param normalized the character that the normalizer makes of one
 */
export function cutsBetweenCharacters(tokens: () => Iterable<string>, normalized: (character: string) => string): Cuts {
  let neighbours: ReadonlySet<number> | undefined;
  return {
    next(text, from) {
      neighbours ??= neighboursIn(tokens());
      for (let at = Math.max(1, from); at < text.length; at++) {
        const right = text.codePointAt(at)!;
        // Within a pair of surrogates.
        if (right >= 0xdc00 && right <= 0xdfff) continue;
        const left = text.codePointAt(at - 2)! > 0xffff ? text.codePointAt(at - 2)! : text.charCodeAt(at - 1);
        const pair = pairOf(pointOf(normalized, left), pointOf(normalized, right));
        if (!neighbours.has(pair)) return at;
      }
      return text.length;
    },
  };
}

/**
 * The cuts of a vocabulary of bytes behind GPT-2's pattern or a later one of its kind: a word takes at most the one space before it, so a space
 * after anything but a space begins a word, whatever was before.
 * @param tokens added tokens, which may have spaces within
 */
export function cutsBeforeSpaces(tokens: readonly string[]): Cuts {
  const spaced = tokens.filter((token) => token.includes(' '));
  return {
    next(text, from) {
      for (let at = Math.max(1, from); at < text.length; at++) {
        if (text[at] !== ' ' || isSpace(text.charCodeAt(at - 1))) continue;
        if (!spaced.some((token) => spans(text, token, at))) return at;
      }
      return text.length;
    },
  };
}

/**
 * The cuts where grapheme clusters are normalized before words that begin at spaces: the space has to be a cluster of its own, so that the clusters
 * on both sides are those of the whole.
 * @param tokens added tokens, which may have spaces within
 */
export function cutsBeforeLoneSpaces(tokens: readonly string[]): Cuts {
  const atSpaces = cutsBeforeSpaces(tokens);
  return {
    next(text, from) {
      let at = atSpaces.next(text, from);
      while (at < text.length && !standsAlone(text, at)) at = atSpaces.next(text, at + 1);
      return at;
    },
  };
}

function standsAlone(text: string, at: number): boolean {
  const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
  const start = isSurrogate(text.charCodeAt(at - 1)) ? at - 2 : at - 1;
  const end = isSurrogate(text.charCodeAt(at + 1)) ? at + 3 : at + 2;
  return [...splitGraphemes(text.slice(start, end))].includes(' ');
}

/** Tells whether a token stands on both sides of a place. */
function spans(text: string, token: string, at: number): boolean {
  for (let start = Math.max(0, at - token.length + 1); start < at; start++) {
    if (text.startsWith(token, start)) return true;
  }
  return false;
}

function neighboursIn(tokens: Iterable<string>): Set<number> {
  const pairs = new Set<number>();
  for (const token of tokens) {
    let left: number | undefined;
    for (const character of token) {
      const right = character.codePointAt(0)!;
      if (left !== undefined) pairs.add(pairOf(left, right));
      left = right;
    }
  }
  return pairs;
}

const CODE_POINTS = 0x110000;

function pairOf(left: number, right: number): number {
  return left * CODE_POINTS + right;
}

function pointOf(normalized: (character: string) => string, point: number): number {
  return normalized(String.fromCodePoint(point)).codePointAt(0)!;
}
