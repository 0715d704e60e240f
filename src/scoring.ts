/**
 * The one way from inputs to NLLs: encode each distinct input once, show the decoder the visible rows, score the target. Experiments
 * and `dkv score` both go it; stored documents join it behind the encoder.
 */
import { Breather } from './breather.js';
import type { Engine, RequestOptions } from './engine.js';
import { DkvError } from './errors.js';
import type { Model } from './load-model.js';
import type { Tokenizer } from './model/tokenizer.js';
import { type Presented, present } from './priming/condition.js';
import type { Visibility } from './priming/input.js';

export interface InputToScore {
  /** What the decoder sees: rows of one encode, or of several. */
  readonly parts: readonly Presented[];
  /** Token ids between BOS and the target in the decoder. */
  readonly prompt: Int32Array;
  /** At least one token id. */
  readonly target: Int32Array;
}

/** @returns per item the NLL in nats of each target token */
export async function scoreInputs(
  engine: Engine,
  items: readonly InputToScore[],
  options: Pick<RequestOptions, 'signal'> = {},
): Promise<Float32Array[]> {
  const places = new Map<string, number>();
  const distinct: Presented[] = [];
  const placeOf = (part: Presented) => {
    let place = places.get(part.key);
    if (place === undefined) {
      place = distinct.push(part) - 1;
      places.set(part.key, place);
    }
    return place;
  };
  const located = items.map(({ parts }) => parts.map((part) => ({ place: placeOf(part), visible: part.visible })));
  const states = await engine.encode(
    distinct.map(({ item }) => item),
    options,
  );
  return engine.score(
    items.map(({ prompt, target }, i) => ({
      memory: located[i]!.flatMap(({ place, visible }) =>
        visible.map((range) => ({ states: states[place]!, ...range })),
      ),
      prompt,
      target,
    })),
    options,
  );
}

export interface TextToScore {
  readonly document: string;
  readonly prefix?: string | undefined;
  /** `exact`, the document alone, when left out. */
  readonly visibility?: Visibility | undefined;
  /** Put before the target in the decoder, tokenised apart. */
  readonly query?: string | undefined;
  readonly target: string;
}

/** How surprising a target is. */
export interface TargetScore {
  /** Mean over the target's tokens, in nats. */
  readonly nll: number;
  readonly nllSum: number;
  readonly tokenNlls: Float32Array;
}

export interface TextScore extends TargetScore {
  readonly prefixTokens: number;
  readonly documentTokens: number;
  /** Document tokens left out at the end to keep to the maximum length. */
  readonly cutTokens: number;
}

/** @returns per item its score, or the DkvError (INPUT_INVALID, INPUT_TOO_LONG) that says why it has none */
export async function scoreTexts(
  { tokenizer, engine }: Model,
  items: readonly TextToScore[],
  options: { readonly maxTokens: number; readonly signal?: AbortSignal },
): Promise<(TextScore | DkvError)[]> {
  const turns = new Breather(options.signal);
  const prepared = await turns.map(items, (item): InputToScore | DkvError => {
    try {
      const { document, prefix, visibility = 'exact' } = item;
      if (document.trim() === '') throw new DkvError('INPUT_INVALID', 'document is empty.');
      const said = decoderInput(tokenizer, item);
      const part = present(tokenizer, { visibility }, document, prefix, { maxTokens: options.maxTokens });
      return { parts: [part], ...said };
    } catch (error) {
      if (error instanceof DkvError) return error;
      throw error;
    }
  });
  const usable = prepared.filter((item): item is InputToScore => !(item instanceof DkvError));
  const nlls = await scoreInputs(engine, usable, options.signal ? { signal: options.signal } : {});
  let next = 0;
  return prepared.map((item) => {
    if (item instanceof DkvError) return item;
    const { prefixTokens, documentTokens, cutTokens } = item.parts[0]!.input;
    return { ...targetScore(nlls[next++]!), prefixTokens, documentTokens, cutTokens };
  });
}

/** What the decoder reads and what of it is scored. @throws DkvError INPUT_INVALID for an empty target */
export function decoderInput(
  tokenizer: Tokenizer,
  { query = '', target }: Pick<TextToScore, 'query' | 'target'>,
): Pick<InputToScore, 'prompt' | 'target'> {
  const ids = tokenizer.encode(target);
  if (ids.length === 0) throw new DkvError('INPUT_INVALID', 'target is empty: there is nothing to score.');
  return { prompt: tokenizer.encode(query), target: ids };
}

export function targetScore(tokenNlls: Float32Array): TargetScore {
  const nllSum = tokenNlls.reduce((a, b) => a + b, 0);
  return { nll: nllSum / tokenNlls.length, nllSum, tokenNlls };
}

/** A float32 with the nine digits that identify it, for JSON, instead of a double's seventeen. */
export function shortestFloat32(value: number): number {
  return Number(value.toPrecision(9));
}
