/** What candidates are scored by: a question to the decoder about each, and what its numbers are worth. Higher scores are better. */
import { DkvError } from '../base/errors.js';
import { parse } from '../base/parse.js';
import { decoderInput, targetScore } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import type { Objective } from './calibration.js';
import { filled, type Relevance, type RelevanceTokens, relevanceSchema, relevanceTokens } from './relevance.js';
import type { Question } from './score.js';

/** The objective that a ranking scores by, with what it needs. */
export interface ScoredBy {
  readonly objective: Objective;
  /** The tokens of one-token relevance; undefined for other objectives. */
  readonly relevance: RelevanceTokens | undefined;
}

/** The parts of a query that the decoder is given. */
export interface Asked {
  readonly text: string;
  readonly answer?: string | undefined;
}

export interface OwnScore {
  readonly score: number;
  /** The mean NLL of the target's tokens, in nats. It is null, like the sum, for odds, which take no NLL. */
  readonly nll: number | null;
  readonly nllSum: number | null;
  /** The number of the target's tokens. */
  readonly tokens: number;
}

/** @throws DkvError INPUT_INVALID where one-token relevance has no tokens, or they are given without it */
export function scoredBy(
  { tokenizer }: Pick<Model, 'tokenizer'>,
  objective: Objective,
  relevance: Relevance | undefined,
): ScoredBy {
  if (objective !== 'relevance') {
    if (relevance === undefined) return { objective, relevance };
    throw new DkvError(
      'INPUT_INVALID',
      `Tokens that mean relevant or irrelevant are for the objective relevance, and the objective is ${objective}. Leave one of the two out.`,
    );
  }
  if (relevance === undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      'The objective relevance needs the token that means relevant (--relevant-token true, for monoT5), and for odds the one that means irrelevant (--irrelevant-token false).',
    );
  }
  const asked = parse(relevanceSchema, relevance, 'INPUT_INVALID', 'One-token relevance');
  return { objective, relevance: relevanceTokens(tokenizer, asked) };
}

/** The question to the decoder about a document that the encoder has read without the query. */
export function questionOf({ objective, relevance }: ScoredBy): Question<Asked, OwnScore> {
  if (relevance) {
    const { said, tokens } = relevance;
    return firstToken(relevance, (tokenizer, { text }) => ({
      prompt: tokenizer.encode(filled(said.prompt, { query: text })),
      target: tokens,
    }));
  }
  return {
    ...LIKELIHOOD,
    say: (tokenizer, { text, answer }) =>
      decoderInput(tokenizer, objective === 'query-likelihood' ? { target: text } : { query: text, target: answer! }),
  };
}

/** The probability of relevance that scores state by themselves, before any calibration. */
export function rawProbability({ relevance }: ScoredBy): (score: number) => number {
  return relevance && relevance.tokens.length > 1
    ? (odds) => 1 / (1 + Math.exp(-odds))
    : (logProbability) => Math.min(1, Math.exp(logProbability));
}

const LIKELIHOOD: Omit<Question<Asked, OwnScore>, 'say'> = {
  ask: (engine, items, options) => engine.score(items, options),
  rows: ({ prompt, target }) => prompt.length + target.length,
  answer: (numbers) => {
    const { nll, nllSum, tokenNlls } = targetScore(numbers);
    return { score: 0 - nll, nll, nllSum, tokens: tokenNlls.length };
  },
};

const ODDS: Omit<Question<Asked, OwnScore>, 'say'> = {
  ask: (engine, items, options) =>
    engine.logits(
      items.map(({ memory, prompt, target }) => ({ memory, prompt, tokens: target })),
      options,
    ),
  rows: ({ prompt }) => 1 + prompt.length,
  answer: (logits) => ({ score: logits[0]! - logits[1]!, nll: null, nllSum: null, tokens: 1 }),
};

function firstToken({ tokens }: RelevanceTokens, say: Question<Asked, OwnScore>['say']): Question<Asked, OwnScore> {
  return { ...(tokens.length > 1 ? ODDS : LIKELIHOOD), say };
}
