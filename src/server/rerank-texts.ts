/**
 * Texts of a request as candidates: encoded now, and presented to the decoder as the store would keep them, so that a text and the same document by its id
 * have the same score.
 */
import { Breather } from '../base/breather.js';
import { DkvError, isResult } from '../base/errors.js';
import { type CompoundOptions, CompoundRequest } from '../engine/compound-request.js';
import { deadlinePassed, msLeft } from '../engine/deadline.js';
import { allRows, type ScoreItem } from '../engine/engine.js';
import { prepareSurrogates } from '../priming/prepare.js';
import { tooLong } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import type { Asked, OwnScore } from '../serving/objectives.js';
import type { StatesOptions } from '../serving/provenance.js';
import type { Question } from '../serving/score.js';
import { BARE, type PlannedVariant, planVariants, type Variant, variantsOf } from '../serving/variants.js';
import { visibleStates } from '../store/records/identity.js';
import { asStored } from '../store/records/quantise.js';

export interface TextsToAsk {
  /** The candidates' texts, any number of them equal. */
  readonly texts: readonly string[];
  readonly variant: string;
  readonly asked: Asked;
  readonly question: Question<Asked, OwnScore>;
  /** How states are made and kept. */
  readonly how: StatesOptions;
  /** How texts are cut that are too long; `refuse` leaves them out with INPUT_TOO_LONG. */
  readonly cut: 'end' | 'refuse';
}

export interface AnsweredTexts {
  /** For each text its score, or the DkvError that says why it has none. */
  readonly answers: readonly (OwnScore | DkvError)[];
  /** The number of tokens that the encoder has read. */
  readonly encodedTokens: number;
}

/**
 * The variant that a text is encoded as.
 * @throws DkvError INPUT_INVALID for one that is made of more than the document's text
 */
export function variantOfTexts(name: string): Variant {
  const [variant] = name === BARE ? variantsOf([], true) : variantsOf([name], false);
  const refused = variant!.surrogate?.sources.find((source) => source === 'generated' || source === 'column');
  if (refused === undefined) return variant!;
  throw new DkvError(
    'INPUT_INVALID',
    `The variant ${JSON.stringify(name)} is ${refused === 'column' ? 'made of a field beside the text' : 'written by a model'}, and a text of a request is only a text. Name stored documents, or another variant.`,
  );
}

/** @throws DkvError for what affects all texts: INPUT_INVALID for the variant, CANCELLED, DEADLINE_PASSED, and what the engine throws */
export async function askTexts(
  model: Model,
  { texts, variant: name, asked, question, how, cut }: TextsToAsk,
  options: CompoundOptions,
): Promise<AnsweredTexts> {
  const { tokenizer, engine } = model;
  const variant = variantOfTexts(name);
  const distinct = [...new Set(texts)];
  const said = question.say(tokenizer, asked, 0);
  const problem = tooLong(engine, question.rows(said));
  if (problem) return { answers: texts.map(() => problem), encodedTokens: 0 };
  const request = new CompoundRequest(options);
  try {
    const { signal } = options;
    const samples = distinct.map((document) => ({ document }));
    const prepared = await prepareSurrogates(variant.surrogate ? [name] : [], samples, {}, signal ? { signal } : {});
    const turns = new Breather(signal);
    let tokenisingMs = 0;
    const planned = await turns.map(distinct, (text): PlannedVariant | DkvError => {
      const before = performance.now();
      try {
        // Cutting hundreds of texts into tokens takes longer than a deadline may be.
        if (options.deadline && msLeft(options.deadline) <= 0) return deadlinePassed(options.deadline);
        if (text.trim() === '') throw new DkvError('INPUT_INVALID', 'The text is empty.');
        const own = planVariants({ id: '', text }, [variant], prepared, model, how)[0]!;
        const { cutTokens } = own.presented.input;
        if (cutTokens === 0 || cut === 'end') return own;
        throw new DkvError(
          'INPUT_TOO_LONG',
          `The text has ${cutTokens} tokens more than the ${how.maxTokens} that may be read with it. Shorten it, or let it be cut at its end.`,
        );
      } catch (error) {
        if (error instanceof DkvError) return error;
        throw error;
      } finally {
        tokenisingMs += performance.now() - before;
      }
    });
    const inputs = planned.filter(isResult).map(({ presented }) => presented.item);
    const states = (
      inputs.length === 0 ? [] : await request.askEach(inputs, (some, own) => engine.encode(some, own), tokenisingMs)
    ).values();
    const items = planned.map((own): ScoreItem | DkvError => {
      if (own instanceof DkvError) return own;
      const encoded = states.next().value!;
      if (encoded instanceof DkvError) return encoded;
      try {
        const kept = asStored(visibleStates(encoded, own.presented.visible), how.statesPrecision);
        return { memory: [allRows(kept)], ...said };
      } catch (error) {
        if (error instanceof DkvError) return error;
        throw error;
      }
    });
    const ready = items.filter(isResult);
    const numbers = (
      ready.length === 0 ? [] : await request.askEach(ready, (some, own) => question.ask(engine, some, own))
    ).values();
    const answers = new Map(
      items.map((item, at): [string, OwnScore | DkvError] => {
        const own = item instanceof DkvError ? item : numbers.next().value!;
        return [distinct[at]!, own instanceof DkvError ? own : question.answer(own)];
      }),
    );
    return {
      answers: texts.map((text) => answers.get(text)!),
      encodedTokens: inputs.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0),
    };
  } finally {
    request.end();
  }
}
