/**
 * The wrong answers that a sample's right one is held against: the same under all conditions, as long as the right one is where that can be had, so that none
 * is told from it by its length alone.
 *
 * On AdWorld they are the ad's own distractor if it tells one, up to three answers to other questions of the ad, those most like the right one in length, and
 * values of the same kind that the generator could have told. Where a kind has few values, and on other data altogether, they are other samples' answers: of
 * the same type (with a digit or without) and class of length (one word, two or three, more) as far as there are such. None holds the right one, or stands in
 * it, word for word.
 */

import { adworldSamples } from '../../adworld/adworld.js';
import { ADWORLD_VERSION } from '../../adworld/version.js';
import { wrongValues } from '../../adworld/wrong-values.js';
import { DkvError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { remembering, type Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { WrongAnswerClass } from '../../runs/schema/sample.js';
import { answerWords, containsWords } from '../../samples/answer-text.js';
import type { Origin } from '../../samples/dataset.js';
import type { Sample } from '../../samples/sample.js';

/** Answers to choose from, the right one among them. */
export const CANDIDATES = 8;
const WRONG = CANDIDATES - 1;
const MOST_OF_THE_SAME_AD = 3;
/** Values of the same kind that are drawn for each that is needed, to find some of the right length. */
const CHOICE = 3;
/** On AdWorld other samples' answers are of at least so many ads, however few a run takes. */
const FEWEST_POOLED = 64;
/** A wrong answer is as long as the right one when it has no more tokens than this more or less. */
const NEAR_TOKENS = 1;

export interface WrongAnswer {
  readonly text: string;
  readonly from: WrongAnswerClass;
  /** Tokens that it has. */
  readonly tokens: number;
}

/** The wrong answers, by sample id. */
export type WrongAnswers = ReadonlyMap<string, readonly WrongAnswer[]>;

/**
 * Makes the wrong answers of every sample that has an answer.
 * @param seed of the run, from which AdWorld's samples were made
 * @throws DkvError INPUT_INVALID where the data have too few different answers
 */
export function wrongAnswersOf(
  samples: readonly Sample[],
  { name, revision }: Pick<Origin, 'name' | 'revision'>,
  seed: number,
  tokenizer: Tokenizer,
): WrongAnswers {
  const remembered = remembering(tokenizer);
  const tokensOf = (text: string) => remembered.encode(text).length;
  const isGenerated = name === 'adworld' && revision === ADWORLD_VERSION;
  // Of a few ads the generator has more.
  const more = isGenerated ? adworldSamples({ seed, split: 'test', count: FEWEST_POOLED }) : [];
  const pool = new AnswerPool([...samples, ...more], tokensOf, seed);
  const found = new Map<string, readonly WrongAnswer[]>();
  for (const { id, answer } of samples) {
    const words = answerWords(answer);
    if (words.length === 0) continue;
    const length = tokensOf(answer);
    const own = isGenerated ? generated(id, seed, length, tokensOf) : [];
    const others = pool.take(id, answer, length, WRONG - own.length, own);
    found.set(id, [...own, ...others]);
  }
  return found;
}

/** Nearest in length first, those within a token as they stand. */
function byLength(texts: readonly string[], length: number, tokensOf: (text: string) => number): string[] {
  const off = (text: string) => Math.max(NEAR_TOKENS, Math.abs(tokensOf(text) - length));
  return texts
    .map((text) => ({ text, off: off(text) }))
    .sort((a, b) => a.off - b.off)
    .map(({ text }) => text);
}

function generated(id: string, seed: number, length: number, tokensOf: (text: string) => number): WrongAnswer[] {
  const values = wrongValues(id, seed, CHOICE * WRONG);
  if (values === undefined) return [];
  const of = (from: WrongAnswerClass, texts: readonly string[]) =>
    texts.map((text): WrongAnswer => ({ text, from, tokens: tokensOf(text) }));
  const order = new Random('contrast', seed, id);
  const told = [
    ...of('distractor', values.distractor === undefined ? [] : [values.distractor]),
    ...of('same document', byLength(order.shuffle(values.sameAd), length, tokensOf).slice(0, MOST_OF_THE_SAME_AD)),
  ];
  const same = of('same kind', byLength(values.sameKind, length, tokensOf));
  return [...told, ...same].slice(0, WRONG);
}

interface PooledAnswer {
  readonly text: string;
  readonly words: readonly string[];
  readonly tokens: number;
  readonly type: string;
}

/** Other samples' answers, each once, in an order drawn by chance that every sample begins at a place of its own. */
class AnswerPool {
  readonly #answers: readonly PooledAnswer[];
  readonly #seed: number;

  constructor(samples: readonly Sample[], tokensOf: (text: string) => number, seed: number) {
    const different = new Map<string, PooledAnswer>();
    for (const { answer: text } of samples) {
      const words = answerWords(text);
      const key = words.join(' ');
      if (words.length === 0 || different.has(key)) continue;
      different.set(key, { text, words, tokens: tokensOf(text), type: typeOf(words) });
    }
    this.#answers = new Random('contrast', seed).shuffle([...different.values()]);
    this.#seed = seed;
  }

  /** @param beside further wrong answers, which none of these may repeat @throws DkvError */
  take(id: string, answer: string, length: number, count: number, beside: readonly WrongAnswer[]): WrongAnswer[] {
    const words = answerWords(answer);
    const type = typeOf(words);
    const isAlike = ({ type: own }: PooledAnswer) => own === type;
    const isNear = ({ tokens }: PooledAnswer) => Math.abs(tokens - length) <= NEAR_TOKENS;
    const taken: PooledAnswer[] = [];
    const besides = beside.map(({ text }) => answerWords(text).join(' '));
    const fits = (other: PooledAnswer) =>
      !taken.includes(other) &&
      !besides.includes(other.words.join(' ')) &&
      !containsWords(other.words, words) &&
      !containsWords(words, other.words);
    const start = new Random('contrast', this.#seed, id, 'start').below(Math.max(1, this.#answers.length));
    const passes: ((other: PooledAnswer) => boolean)[] = [
      (other) => isAlike(other) && isNear(other),
      isAlike,
      isNear,
      () => true,
    ];
    for (const isWanted of passes) {
      for (let step = 0; step < this.#answers.length && taken.length < count; step++) {
        const other = this.#answers[(start + step) % this.#answers.length]!;
        if (isWanted(other) && fits(other)) taken.push(other);
      }
    }
    if (taken.length < count) {
      throw new DkvError(
        'INPUT_INVALID',
        `The outcome "contrast" holds each answer against ${WRONG} wrong ones, and the data have ${taken.length + beside.length} for ${id}. Take more samples, or ask for other outcomes (--outcomes; none for NLLs alone).`,
      );
    }
    return taken.map(({ text, tokens }) => ({ text, tokens, from: 'other sample' }));
  }
}

/** The type that an answer seems to be of: with a digit or without, and the class of its length. */
function typeOf(words: readonly string[]): string {
  const length = words.length === 1 ? 'one' : words.length <= 3 ? 'few' : 'many';
  return `${words.some((word) => /\p{N}/u.test(word)) ? 'number' : 'words'}, ${length}`;
}
