/**
 * The one way from inputs to NLLs: encode each distinct input once, show the decoder the visible rows, score the target. Experiments
 * and `dkv score` both go it; stored documents join it behind the encoder.
 */
import { Breather } from '../base/breather.js';
import { DkvError, isResult } from '../base/errors.js';
import { type CompoundOptions, CompoundRequest, checkedOptions } from '../engine/compound-request.js';
import {
  type Engine,
  eachOf,
  type Memory,
  type RequestOptions,
  type ScoreItem,
  type StateRange,
} from '../engine/engine.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { type Presented, present } from '../priming/condition.js';
import { expectSegments, type Visibility } from '../priming/input.js';
import type { Scored } from '../wire/score.js';
import type { Model } from './load-model.js';

export interface InputToScore {
  /** What the decoder sees: rows of one encode, or of several. */
  readonly parts: readonly Presented[];
  /** Token ids between BOS and the target in the decoder. */
  readonly prompt: Int32Array;
  /** The token ids to score, at least one. */
  readonly target: Int32Array;
}

/**
 * Scores inputs. A deadline in the options is for the whole, progress counts what the decoder has answered, and phases are told once.
 * @returns for each item the NLL in nats of each target token
 * @throws DkvError NUMBERS_NOT_FINITE for the first item with such numbers, and what the engine throws
 */
export async function scoreInputs(
  engine: Engine,
  items: readonly InputToScore[],
  options: RequestOptions = {},
): Promise<Float32Array[]> {
  const checked = checkedOptions(options, { tokenisingMs: true }, 'Scoring');
  return (await scoreEach(engine, items, checked)).map((nlls, item) => {
    if (!(nlls instanceof DkvError)) return nlls;
    throw new DkvError(nlls.code, `Item ${item}: ${nlls.message}`);
  });
}

/** Options of a request whose deadline is already running. */
export interface DecodeOptions extends CompoundOptions, Pick<RequestOptions, 'tokenisingMs' | 'onProgress'> {}

/** @returns per item the NLL in nats of each target token, or the DkvError (INPUT_TOO_LONG, NUMBERS_NOT_FINITE) that says why it has none */
async function scoreEach(
  engine: Engine,
  items: readonly InputToScore[],
  options: DecodeOptions = {},
): Promise<(Float32Array | DkvError)[]> {
  return decodeEach(engine, items, (inputs, own) => engine.score(inputs, own), options);
}

/**
 * Asks the decoder anything about each input.
 * @param ask gives for each item its numbers, by a request with the options that it is given
 */
export async function decodeEach(
  engine: Engine,
  items: readonly InputToScore[],
  ask: (items: readonly ScoreItem[], options: RequestOptions) => Promise<readonly Float32Array[]>,
  { tokenisingMs, onProgress, ...options }: DecodeOptions = {},
): Promise<(Float32Array | DkvError)[]> {
  const request = new CompoundRequest(options);
  try {
    return await decodedBy(request, engine, items, ask, { tokenisingMs, onProgress });
  } finally {
    request.end();
  }
}

async function decodedBy(
  request: CompoundRequest,
  engine: Engine,
  items: readonly InputToScore[],
  ask: (items: readonly ScoreItem[], options: RequestOptions) => Promise<readonly Float32Array[]>,
  { tokenisingMs, onProgress }: Pick<RequestOptions, 'tokenisingMs' | 'onProgress'>,
): Promise<(Float32Array | DkvError)[]> {
  const ready = await encodedBy(request, engine, items, tokenisingMs);
  return answerEach(ready, (inputs) =>
    request.ask((own) => ask(inputs, { ...own, ...(onProgress && { onProgress }) })),
  );
}

/**
 * The first half of the way, for whoever asks the decoder more than once: each distinct input is encoded once.
 * @returns per item what the decoder is asked with, or the DkvError (INPUT_TOO_LONG, NUMBERS_NOT_FINITE) that says why it cannot be
 */
export async function encodeEach(
  engine: Engine,
  items: readonly InputToScore[],
  options: CompoundOptions = {},
): Promise<(ScoreItem | DkvError)[]> {
  const request = new CompoundRequest(options);
  try {
    return await encodedBy(request, engine, items);
  } finally {
    request.end();
  }
}

/** The second half. @returns per item its answer, or the DkvError that it is, or that says why it has none */
export async function answerEach<Item, Answer>(
  items: readonly (Item | DkvError)[],
  ask: (items: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<(Answer | DkvError)[]> {
  const answers = (await eachOf(items.filter(isResult), ask)).values();
  return items.map((item) => (item instanceof DkvError ? item : answers.next().value!));
}

async function encodedBy(
  request: CompoundRequest,
  engine: Engine,
  items: readonly InputToScore[],
  tokenisingMs?: number,
): Promise<(ScoreItem | DkvError)[]> {
  const refused = items.map((item) => tooLong(engine, item.prompt.length + item.target.length));
  const shown = items.map(({ parts }, i) => (refused[i] ? [] : parts));
  const memories = await memoriesBy(request, engine, shown, tokenisingMs);
  return items.map(({ prompt, target }, i) => {
    const memory = refused[i] ?? memories[i]!;
    return memory instanceof DkvError ? memory : { memory, prompt, target };
  });
}

/**
 * Encodes each distinct input once.
 * @param shown for each item what the decoder sees
 * @returns per item the rows that the decoder sees, or the DkvError (NUMBERS_NOT_FINITE, with `dropLate` DEADLINE_PASSED) that says why there are none
 */
export async function memoriesBy(
  request: CompoundRequest,
  engine: Engine,
  shown: readonly (readonly Presented[])[],
  tokenisingMs?: number,
): Promise<(Memory | DkvError)[]> {
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
  const located = shown.map((parts) => parts.map((part) => ({ place: placeOf(part), visible: part.visible })));
  const states = await eachOf(
    distinct.map(({ item }) => item),
    (inputs) => request.ask((own) => engine.encode(inputs, own), tokenisingMs),
  );
  return located.map((parts) => {
    const memory: StateRange[] = [];
    for (const { place, visible } of parts) {
      const own = states[place]!;
      if (own instanceof DkvError) return own;
      memory.push(...visible.map((range) => ({ states: own, ...range })));
    }
    return memory;
  });
}

/**
 * The error for a decoder with learned positions that would read too many rows.
 * @returns undefined where it has positions for that many rows
 */
export function tooLong({ info }: Pick<Engine, 'info'>, rows: number): DkvError | undefined {
  const { mostRows } = info.shape.decoder;
  if (mostRows === null || rows <= mostRows) return undefined;
  return new DkvError(
    'INPUT_TOO_LONG',
    `The decoder would read ${rows} tokens, query and target together; at most ${mostRows} may be. Shorten them.`,
  );
}

export interface TextToScore {
  readonly document: string;
  readonly prefix?: string | undefined;
  /** The rows of the document's encode that the decoder sees; `exact`, the document alone, by default. */
  readonly visibility?: Visibility | undefined;
  /** A query that the decoder reads before the target. It is tokenised apart. */
  readonly query?: string | undefined;
  readonly target: string;
}

/** How surprising a target is to the model. */
export interface TargetScore {
  /** The mean NLL of the target's tokens, in nats. */
  readonly nll: number;
  readonly nllSum: number;
  readonly tokenNlls: Float32Array;
}

export interface TextScore extends TargetScore {
  readonly prefixTokens: number;
  readonly documentTokens: number;
  /** The number of document tokens that were cut at its end to keep to the largest length. */
  readonly cutTokens: number;
}

/**
 * The largest number of rows that the encoder may be given. Where more are asked for than a model with learned positions has, documents are cut to
 * what it has.
 */
export function tokensRead({ engine }: Pick<Model, 'engine'>, asked: number): number {
  return Math.min(asked, engine.info.shape.encoder.mostRows ?? asked);
}

export interface ScoreTextsOptions extends Omit<RequestOptions, 'tokenisingMs'> {
  /** The largest number of tokens that the encoder reads. Longer documents are cut at their end. */
  readonly maxTokens: number;
}

/**
 * Scores targets given documents. A deadline holds for the whole call; progress counts the items answered, of all items.
 * @returns for each item its score, or the DkvError (INPUT_INVALID, INPUT_TOO_LONG, NUMBERS_NOT_FINITE) that says why it has none
 * @throws DkvError for what affects all items: INPUT_INVALID for options, CANCELLED, DEADLINE_PASSED, and what the engine throws
 */
export async function scoreTexts(
  model: Model,
  items: readonly TextToScore[],
  options: ScoreTextsOptions,
): Promise<(TextScore | DkvError)[]> {
  const { maxTokens, onProgress, ...rest } = checkedOptions(options, { maxTokens: true }, 'Scoring');
  const { tokenizer, engine } = model;
  const limits = { maxTokens: tokensRead(model, maxTokens) };
  const turns = new Breather(options.signal);
  let tokenisingMs = 0;
  const prepared = await turns.map(items, (item): InputToScore | DkvError => {
    const before = performance.now();
    try {
      const { document, prefix, visibility = 'exact' } = item;
      if (document.trim() === '') throw new DkvError('INPUT_INVALID', 'document is empty.');
      expectSegments(tokenizer, visibility);
      const said = decoderInput(tokenizer, item);
      const part = present(tokenizer, { visibility }, document, prefix, limits);
      return { parts: [part], ...said };
    } catch (error) {
      if (error instanceof DkvError) return error;
      throw error;
    } finally {
      tokenisingMs += performance.now() - before;
    }
  });
  const usable = prepared.filter(isResult);
  const refused = items.length - usable.length;
  const scores = await scoreEach(engine, usable, {
    ...rest,
    tokenisingMs,
    ...(onProgress && { onProgress: (done) => onProgress(refused + done, items.length) }),
  });
  const nlls = scores.values();
  return prepared.map((item) => {
    if (item instanceof DkvError) return item;
    const own = nlls.next().value!;
    if (own instanceof DkvError) return own;
    const { prefixTokens, documentTokens, cutTokens } = item.parts[0]!.input;
    return { ...targetScore(own), prefixTokens, documentTokens, cutTokens };
  });
}

/**
 * What the decoder reads, and what of it is scored.
 * @throws DkvError INPUT_INVALID for an empty target
 */
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

/** A score as it is written: in answers, and in a run's journal. */
export function scored({ nll, nllSum, tokenNlls, prefixTokens, documentTokens, cutTokens }: TextScore): Scored {
  return { nll, nllSum, numTokens: tokenNlls.length, tokenNlls, prefixTokens, documentTokens, cut: cutTokens > 0 };
}
