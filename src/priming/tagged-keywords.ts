/**
 * Keywords by parts of speech: nouns, proper nouns and adjectives, forms of a word counted together. Ours, for English; the
 * research's own rule is in `keywords.ts`.
 */
import type { ItemToken, ItsFunction } from 'wink-nlp';

export type KeywordTagger = (text: string) => string[];

/** Universal parts of speech that name things and their qualities. */
const KEPT = new Set(['NOUN', 'PROPN', 'ADJ']);

/** Texts that are no words: addresses, whose parts the tagger would take for words, and very long strings, over which it takes seconds. */
const NO_WORDS = /(?:https?:\/\/|www\.)\S+|[^\s@]{1,64}@\S+|\S{65,}/giu;

/** Words that name something. Words of two letters do so when they are capitals (TV), hardly otherwise (pm). */
const NAMES_SOMETHING = /^(?:.{3,}|\p{Lu}{2})$/u;

let loading: Promise<KeywordTagger> | undefined;

/** Loads the language model, once; 0.2 s and 50 MB, which is why nothing loads it before it is asked for. */
export function loadKeywordTagger(): Promise<KeywordTagger> {
  loading ??= load();
  return loading;
}

/**
 * Loads the tagger as a function that ranks a text's keywords: by how often any form of the word occurs, then by where it first occurs. Each
 * keyword has the form in which it occurs first.
 */
async function load(): Promise<KeywordTagger> {
  const [{ default: wink }, { default: model }] = await Promise.all([
    import('wink-nlp'),
    import('wink-eng-lite-web-model'),
  ]);
  const nlp = wink(model, ['sbd', 'pos']);
  const { its } = nlp;
  // Its type lacks a parameter.
  const lemmaOf = its.lemma as unknown as ItsFunction<string>;
  return (text) => {
    const words: Word[] = [];
    nlp
      .readDoc(text.replace(NO_WORDS, ' '))
      .tokens()
      .each((token: ItemToken) => {
        if (token.out(its.type) !== 'word' || token.out(its.stopWordFlag) || !KEPT.has(token.out(its.pos))) return;
        const word = { surface: token.out(), lemma: token.out(lemmaOf), name: token.out(its.pos) === 'PROPN' };
        if (NAMES_SOMETHING.test(word.surface)) words.push(word);
      });
    return rank(words);
  };
}

interface Word {
  readonly surface: string;
  readonly lemma: string;
  readonly name: boolean;
}

function rank(words: readonly Word[]): string[] {
  // The tagger takes "Lamps" at the head of a sentence for a name, and names have no lemma but themselves: a common noun of the same
  // form says what it is.
  const lemmas = new Map(words.filter(({ name }) => !name).map(({ surface, lemma }) => [surface.toLowerCase(), lemma]));
  const counted = new Map<string, { surface: string; count: number }>();
  for (const { surface, lemma } of words) {
    const key = (lemmas.get(surface.toLowerCase()) ?? lemma).toLowerCase();
    const known = counted.get(key);
    if (known) known.count++;
    else counted.set(key, { surface, count: 1 });
  }
  return [...counted.values()].sort((a, b) => b.count - a.count).map(({ surface }) => surface);
}
