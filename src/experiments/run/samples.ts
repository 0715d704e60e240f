/** What a run keeps of its samples, with their texts token by token where texts are wanted. */
import { DkvError } from '../../base/errors.js';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import type { Sample } from '../../samples/sample.js';
import { kindOf } from '../analysis/clusters.js';
import type { Unit } from '../plan/unit.js';
import type { WrongAnswers } from '../plan/wrong-answers.js';
import { keptText } from './kept-text.js';

export function* samplesOf(
  data: Dataset | PoolSet,
  units: readonly Unit[],
  { experiment: { target }, dataset, seed }: Pick<Configuration, 'experiment' | 'dataset' | 'seed'>,
  tokenizer: Tokenizer,
  { withTexts, wrongAnswers }: { readonly withTexts: boolean; readonly wrongAnswers?: WrongAnswers | undefined },
): Generator<SampleRecord> {
  const ranked = 'pools' in data ? data.pools.flatMap((pool) => pool.candidates.map((c) => ({ pool, ...c }))) : [];
  const firstOf = new Map<string, string>();
  for (const [i, { sample }] of units.entries()) {
    const { id, cluster, document, query, answer } = sample;
    const first = firstOf.get(query);
    if (first === undefined) firstOf.set(query, id);
    const { pool, id: candidate, grade } = ranked[i] ?? {};
    const kind = kindOf(pool?.id ?? id, dataset, seed);
    const wrong = wrongAnswers?.get(id);
    const literals = literalsOf(sample, tokenizer);
    const pieces = tokenizer.controlTokens === 'text' ? literals.filter((token) => tokenizer.isPiece(token)) : [];
    yield {
      id,
      ...(cluster !== undefined && { cluster }),
      ...(first !== undefined && !pool && !withTexts && { query_as: first }),
      ...(kind !== undefined && { kind }),
      ...(pool && { pool: pool.id, candidate, grade, relevant: pool.relevant ?? 1 }),
      ...(literals.length > 0 && { control_tokens: literals }),
      ...(pieces.length > 0 && { control_pieces: pieces }),
      ...(wrong && {
        wrong_answers: wrong.map(({ text, from, tokens }) => ({ answer: keptText(text, withTexts), from, tokens })),
      }),
      ...(withTexts && {
        texts: { document, query, answer, target: tokensOf(target === 'answer' ? answer : query, tokenizer) },
      }),
    };
  }
}

/** The control tokens that a sample's texts hold as they are written. */
function literalsOf({ document, query, answer }: Sample, tokenizer: Tokenizer): string[] {
  const found = [document, query, answer].flatMap((text) => tokenizer.controlTokensIn(text));
  return [...new Set(found)].sort();
}

/** A text that has no token ids has no tokens to show; its sample is rejected when it is scored. */
function tokensOf(text: string, tokenizer: Tokenizer): string[] {
  try {
    return Array.from(tokenizer.encode(text), (token) => tokenizer.decode(Int32Array.of(token)));
  } catch (error) {
    if (error instanceof DkvError) return [];
    throw error;
  }
}
