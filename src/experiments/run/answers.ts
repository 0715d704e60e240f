/** What the decoder is asked in each trial of a block, from states that were computed once. */
import { DkvError, isResult } from '../../base/errors.js';
import type { Engine, Generated } from '../../engine/engine.js';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { Outcome } from '../../runs/schema/experiment.js';
import { answerWords, containsWords, wordsF1 } from '../../samples/answer-text.js';
import { answerEach, encodeEach } from '../../scoring/inputs.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import type { PlannedTrial } from '../plan/block.js';
import { keptText } from './kept-text.js';

/** NLLs in nats, one a token. */
export interface Answers {
  readonly nlls: Float32Array;
  /** The NLLs of each token at the inverse temperatures, for the outcome `temperature`. */
  readonly tempered?: readonly Float32Array[];
  /** The NLLs of each wrong answer, for the outcome `contrast`. */
  readonly wrong?: readonly Float32Array[];
  /** What the model says, for the outcome `recall`. */
  readonly said?: Said;
}

interface Said extends Generated {
  readonly text: string;
}

/** The research's limit for what a model says; an answer that is longer may be said whole. */
const SAID_TOKENS = 24;

/** @returns per trial what was answered, or the DkvError that says why it has no answer */
export async function answersOf(
  engine: Engine,
  trials: readonly PlannedTrial[],
  outcomes: readonly Outcome[],
  tokenizer: Tokenizer,
  signal: AbortSignal | undefined,
): Promise<(Answers | DkvError)[]> {
  const own = signal ? { signal } : {};
  const ready = await encodeEach(engine, trials, own);
  const count = INVERSE_TEMPERATURES.length;
  const ofTarget: (Answers | DkvError)[] = outcomes.includes('temperature')
    ? (await answerEach(ready, (items) => engine.scoreTempered(items, own))).map((all) => {
        if (all instanceof DkvError) return all;
        const tempered = Array.from({ length: all.length / count }, (_, t) => all.subarray(t * count, (t + 1) * count));
        return { nlls: Float32Array.from(tempered, (token) => token[AT_ONE]!), tempered };
      })
    : (await answerEach(ready, (items) => engine.score(items, own))).map((nlls) =>
        nlls instanceof DkvError ? nlls : { nlls },
      );
  const wrong = outcomes.includes('contrast')
    ? await ofWrong(
        ready.map((item, i) =>
          item instanceof DkvError ? item : trials[i]!.wrong.map((target) => ({ ...item, target })),
        ),
        (items) => engine.score(items, own),
      )
    : undefined;
  const said = outcomes.includes('recall')
    ? await answerEach(
        ready.map((item, i) =>
          item instanceof DkvError ? item : { ...item, maxTokens: mostSaid(engine, trials[i]!) },
        ),
        (items) => engine.generate(items, own),
      )
    : undefined;
  return ofTarget.map((answers, i) => {
    if (answers instanceof DkvError) return answers;
    const [ofOthers, text] = [wrong?.[i], said?.[i]];
    if (ofOthers instanceof DkvError) return ofOthers;
    if (text instanceof DkvError) return text;
    return {
      ...answers,
      ...(ofOthers && { wrong: ofOthers }),
      ...(text && { said: { ...text, text: tokenizer.decode(text.tokenIds) } }),
    };
  });
}

/** A decoder with learned positions has so many rows, of which the prompt takes some. */
function mostSaid({ info }: Engine, { prompt, target }: PlannedTrial): number {
  const room = (info.shape.decoder.mostRows ?? Number.POSITIVE_INFINITY) - prompt.length;
  return Math.min(Math.max(SAID_TOKENS, target.length), room);
}

/** Several items of each trial, asked together; one that fails fails its trial. */
async function ofWrong<Item>(
  trials: readonly (readonly Item[] | DkvError)[],
  ask: (items: readonly Item[]) => Promise<readonly Float32Array[]>,
): Promise<(readonly Float32Array[] | DkvError)[]> {
  const answers = (await answerEach(trials.filter(isResult).flat(), ask)).values();
  return trials.map((items) => {
    if (items instanceof DkvError) return items;
    const own = items.map(() => answers.next().value!);
    return own.find((answer) => answer instanceof DkvError) ?? own.filter(isResult);
  });
}

/** @param answer the gold one */
export function saidRecord(
  { text, tokenIds, stop }: Said,
  answer: string,
  keepsTexts: boolean,
): NonNullable<Trial['said']> {
  const [words, wanted] = [answerWords(text), answerWords(answer)];
  return {
    text: keptText(text, keepsTexts),
    tokens: tokenIds.length,
    ended: stop === 'end',
    contains: containsWords(words, wanted),
    equals: words.length === wanted.length && containsWords(words, wanted),
    f1: wordsF1(words, wanted),
  };
}
