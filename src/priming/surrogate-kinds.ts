/**
 * The families of surrogates, each under what it is written with. Rules after the research's protocol, except where a family says
 * otherwise.
 */

import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { splitWords } from '../base/words.js';
import type { Sample } from '../samples/sample.js';
import { COMMON_WORDS } from './common-words.js';
import { keywords, topKeywords } from './keywords.js';
import { QUERY_PROMPTS } from './prompts.js';

/**
 * Work that must be done before a surrogate can be made without waiting: loading a tagger, or having texts written by a language model at an
 * endpoint or by the encoder-decoder model itself.
 */
export type Preparation =
  | { readonly by: 'tagger' }
  | { readonly by: 'self' }
  | { readonly by: 'llm'; readonly prompt: string };

/** The results of `prepareSurrogates`. */
export interface Prepared {
  /**
   * Returns the text that was written for a document.
   * @throws DkvError the reason why there is none
   */
  textOf(preparation: Preparation, document: string): string;
  /** Ranks keywords by parts of speech. It is there when a surrogate asked for the tagger. */
  readonly taggedKeywords?: (text: string) => string[];
}

/** The texts that an experiment's functions gave: by specification and sample id, the text or the reason why there is none. */
export type FunctionTexts = ReadonlyMap<string, ReadonlyMap<string, string | DkvError>>;

/** A sample's place among the others, for surrogates that take words from other samples or draw at random, and whatever else surrogates need. */
export interface SurrogateContext {
  readonly index: number;
  readonly samples: readonly Sample[];
  readonly seed: number;
  /** Counts a text's tokens without special ones, for surrogates of a given length in tokens. */
  readonly countTokens?: (text: string) => number;
  /** What `prepareSurrogates` made, for surrogates that have `preparations`. */
  readonly prepared?: Prepared;
  /** The functions' texts, for surrogates that functions make. */
  readonly functionTexts?: FunctionTexts;
}

/**
 * Where a surrogate's words come from. `column` is a column of the data beside the document, whatever it says; `other` is another sample's
 * document; `constant` is the specification alone; `generated` was written by a model that read the document; `function` was made by a function of
 * the experiment.
 */
export type SurrogateSource = 'query' | 'document' | 'column' | 'other' | 'constant' | 'generated' | 'function';

export interface Family {
  /** The parameter after the name: none, a number from 1, a text, or the name of something. */
  readonly parameter: 'none' | 'number' | 'text' | 'name';
  /** The largest number that it takes, where it has a limit of its own. */
  readonly most?: number;
  /** A description, with `#` in the parameter's place. */
  readonly about: string;
  readonly source: SurrogateSource;
  readonly needsQuery: boolean;
  readonly preparation?: (parameter: string) => Preparation;
  /** The columns of the data that it reads. */
  readonly columns?: (parameter: string) => readonly string[];
  readonly make: (sample: Sample, context: SurrogateContext, parameter: string) => string;
}

/** The keywords of a document that has none. */
const NO_KEYWORDS = 'information';
const LEAD_WORDS = 25;
/** The number that the research adds to the sample's seed, so that these draws are not those of its other random texts. */
const COMMON_WORDS_SEED = 20_000;

/** The sample that another one borrows from: the one half the list further on. */
function partnerOf({ index, samples }: SurrogateContext): Sample {
  return samples[(index + Math.floor(samples.length / 2)) % samples.length]!;
}

function firstWords(text: string, count: number): string {
  return splitWords(text).slice(0, count).join(' ');
}

function firstSentence(text: string): string {
  return text.trim().split(/(?<=[.!?])\s+/u)[0]!;
}

/** The largest number of characters, which is more than any encoder reads. */
const MOST_CHARACTERS = 1_000_000;

export function repeated(text: string, times: number): string {
  expectPrefix((text.length + 1) * times, () => `A text of ${text.length} characters, ${times} times,`);
  return Array<string>(times).fill(text).join(' ');
}

/** Joins texts, one behind the other. */
export function joinedText(texts: readonly string[]): string {
  const text = texts.filter((each) => each !== '').join(' ');
  expectPrefix(text.length, () => `A text joined of ${texts.length}, with ${text.length} characters,`);
  return text;
}

function expectPrefix(characters: number, what: () => string): void {
  if (characters <= MOST_CHARACTERS) return;
  throw new DkvError('INPUT_INVALID', `${what()} is longer than a prefix may be (${MOST_CHARACTERS} characters).`);
}

/** Words in random order, drawn from numpy's generator by the sample's place. */
export function scrambledWords(text: string, { index, seed }: SurrogateContext): string {
  return new NumpyRandomState(seed + index).shuffle(splitWords(text)).join(' ');
}

export function queryWords({ query }: Sample): number {
  return splitWords(query).length;
}

/** Repeats a word until it has at least this many tokens: exactly as many where the word is one token. */
function repeatedToTokens(word: string, tokens: number, countTokens: (text: string) => number): string {
  let [low, high] = [1, Math.max(1, tokens)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (countTokens(repeated(word, middle)) < tokens) low = middle + 1;
    else high = middle;
  }
  return repeated(word, low);
}

/** Repeats "the" until it has as many tokens as a text. */
export function neutralText(text: string, { countTokens }: SurrogateContext): string {
  const count = expectGiven(countTokens, 'countTokens');
  const tokens = count(text);
  return tokens === 0 ? '' : repeatedToTokens('the', tokens, count);
}

/** Returns a value that the caller has to bring. If it is missing, that is the program's mistake and not the user's. */
function expectGiven<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`this surrogate needs SurrogateContext.${what}`);
  return value;
}

/** @throws DkvError the reason why there is none */
export function functionText(specification: string, id: string, texts: FunctionTexts | undefined): string {
  const text = expectGiven(texts?.get(specification)?.get(id), 'functionTexts');
  if (typeof text === 'string') return text;
  throw text;
}

const written = (about: string, preparation: (parameter: string) => Preparation): Omit<Family, 'parameter'> => ({
  about,
  source: 'generated',
  needsQuery: false,
  preparation,
  make: ({ document }, { prepared }, parameter) =>
    expectGiven(prepared, 'prepared').textOf(preparation(parameter), document),
});

export const FAMILIES: Readonly<Record<string, Family>> = {
  oracle: {
    about: 'the real query, the upper bound',
    parameter: 'none',
    source: 'query',
    needsQuery: true,
    make: ({ query }) => query,
  },
  para: {
    about: "the query's keywords, reversed",
    parameter: 'none',
    source: 'query',
    needsQuery: true,
    make: ({ query }) => keywords(query).reverse().join(' ') || query,
  },
  query_kw: {
    about: "the query's keywords",
    parameter: 'none',
    source: 'query',
    needsQuery: true,
    make: ({ query }) => keywords(query).join(' ') || query,
  },
  scrambled: {
    about: "the query's words in random order",
    parameter: 'none',
    source: 'query',
    needsQuery: true,
    make: ({ query }, context) => scrambledWords(query, context),
  },
  doc_kw: {
    about: "the document's five most frequent keywords",
    parameter: 'none',
    source: 'document',
    needsQuery: false,
    make: ({ document }) => topKeywords(document, 5).join(' ') || NO_KEYWORDS,
  },
  kw: {
    about: "the document's # most frequent keywords",
    parameter: 'number',
    source: 'document',
    needsQuery: false,
    make: ({ document }, _, count) => topKeywords(document, Number(count)).join(' ') || NO_KEYWORDS,
  },
  pos_kw: {
    // Ours: the research has no tagger.
    about: "the document's # most frequent nouns, names and adjectives",
    parameter: 'number',
    source: 'document',
    needsQuery: false,
    preparation: () => ({ by: 'tagger' }),
    make: ({ document }, { prepared }, count) => {
      const ranked = expectGiven(prepared?.taggedKeywords, 'prepared.taggedKeywords')(document);
      return ranked.slice(0, Number(count)).join(' ') || NO_KEYWORDS;
    },
  },
  template: {
    about: 'a question about the most frequent keyword',
    parameter: 'none',
    source: 'document',
    needsQuery: false,
    make: ({ document }) => {
      const [top] = topKeywords(document, 1);
      return top === undefined ? 'What is this about?' : `What is ${top}?`;
    },
  },
  title: {
    about: "the document's own title",
    parameter: 'none',
    source: 'document',
    needsQuery: false,
    make: ({ id, title }) => {
      if (title?.trim()) return title.trim();
      throw new DkvError(
        'INPUT_INVALID',
        `${id} has no title. Leave out the surrogate "title", or take a dataset whose documents have one.`,
      );
    },
  },
  'column:': {
    // Ours: the research has no columns.
    about: 'the column "#" of the data',
    parameter: 'name',
    source: 'column',
    needsQuery: false,
    columns: (name) => [name],
    make: ({ id, columns }, _, name) => {
      const text = columns?.[name]?.trim();
      if (text) return text;
      throw new DkvError('INPUT_INVALID', `${id} has nothing in the column ${JSON.stringify(name)}.`);
    },
  },
  lead: {
    about: "the document's first sentence, 25 words at most",
    parameter: 'none',
    source: 'document',
    needsQuery: false,
    make: ({ document }) => firstWords(firstSentence(document), LEAD_WORDS),
  },
  lead_full: {
    about: "the document's first sentence",
    parameter: 'none',
    source: 'document',
    needsQuery: false,
    make: ({ document }) => firstSentence(document),
  },
  'static:': {
    about: 'the same text for every document: "#"',
    parameter: 'text',
    source: 'constant',
    needsQuery: false,
    make: (_sample, _context, text) => text,
  },
  the_matched: {
    about: '"the", repeated to as many tokens as the query # times has',
    parameter: 'number',
    source: 'constant',
    needsQuery: true,
    make: ({ query }, { countTokens }, times) => {
      const count = expectGiven(countTokens, 'countTokens');
      return repeatedToTokens('the', count(repeated(query, Number(times))), count);
    },
  },
  random: {
    about: "another document's first # words",
    parameter: 'number',
    source: 'other',
    needsQuery: false,
    make: (_, context, count) => firstWords(partnerOf(context).document, Number(count)),
  },
  random_matched: {
    about: "another document's first words, as many as the query has",
    parameter: 'none',
    source: 'other',
    needsQuery: true,
    make: (sample, context) => firstWords(partnerOf(context).document, queryWords(sample)),
  },
  random_kw_matched: {
    about: "another document's first words, as many as the query has keywords",
    parameter: 'none',
    source: 'other',
    needsQuery: true,
    make: (sample, context) =>
      firstWords(partnerOf(context).document, keywords(sample.query).length || queryWords(sample)),
  },
  wrong_kw: {
    about: "another document's # most frequent keywords",
    parameter: 'number',
    source: 'other',
    needsQuery: false,
    make: (_, context, count) => topKeywords(partnerOf(context).document, Number(count)).join(' ') || NO_KEYWORDS,
  },
  common_words: {
    about: `# words, drawn for each sample from a list of ${COMMON_WORDS.length} common ones`,
    parameter: 'number',
    most: COMMON_WORDS.length,
    source: 'constant',
    needsQuery: false,
    make: (_, { index, seed }, count) =>
      new NumpyRandomState(seed + index + COMMON_WORDS_SEED).choice(COMMON_WORDS, Number(count)).join(' '),
  },
  'llm:need': {
    ...written('a web search, written by a language model', () => ({ by: 'llm', prompt: QUERY_PROMPTS.need })),
    parameter: 'none',
  },
  'llm:question': {
    ...written('a question, written by a language model', () => ({ by: 'llm', prompt: QUERY_PROMPTS.question })),
    parameter: 'none',
  },
  'llm:keywords': {
    ...written('keywords, written by a language model', () => ({ by: 'llm', prompt: QUERY_PROMPTS.keywords })),
    parameter: 'none',
  },
  'llm:prompt=': {
    ...written('written by a language model that was asked: "#"', (prompt) => ({ by: 'llm', prompt })),
    parameter: 'text',
  },
  self: {
    // Ours: the research asks another model only.
    ...written('what the encoder-decoder model itself writes for the document', () => ({ by: 'self' })),
    parameter: 'none',
  },
};
