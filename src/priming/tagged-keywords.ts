/**
 * Keywords by parts of speech: nouns, proper nouns and adjectives, forms of a word counted together. Ours, for English; the
 * research's own rule is in `keywords.ts`.
 */
import type { ItemToken, ItsFunction } from 'wink-nlp';

export type KeywordTagger = (text: string) => string[];

/** Universal parts of speech that name things and their qualities. */
const KEPT = new Set(['NOUN', 'PROPN', 'ADJ']);

let loading: Promise<KeywordTagger> | undefined;

/** Loads the language model, once; half a second and 30 MB, which is why nothing loads it before it is asked for. */
export function loadKeywordTagger(): Promise<KeywordTagger> {
  loading ??= load();
  return loading;
}

/**
 * The function that it gives ranks a text's keywords: by how often any form of the word occurs, then by where it first occurs. Each is
 * given in the form in which it occurs first.
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
      .readDoc(text)
      .tokens()
      .each((token: ItemToken) => {
        if (token.out(its.type) !== 'word' || token.out(its.stopWordFlag) || !KEPT.has(token.out(its.pos))) return;
        const word = { surface: token.out(), lemma: token.out(lemmaOf), name: token.out(its.pos) === 'PROPN' };
        // Initials and the letters of formulas name nothing.
        if ([...word.surface].length > 1) words.push(word);
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
