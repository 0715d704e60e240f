/**
 * Writes texts from documents: stored ones, whose states are named to the engine as for scores, or texts, which are encoded first. A text ends at the model's own end, at
 * a stop string, or at its largest number of tokens.
 */
import { onAbort } from '../base/aborts.js';
import { DkvError, isResult } from '../base/errors.js';
import { CompoundRequest, checkedOptions } from '../engine/compound-request.js';
import {
  type Engine,
  type GenerateItem,
  ItemsFailedError,
  type RequestOptions,
  type Sampling,
} from '../engine/engine.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { present } from '../priming/condition.js';
import { expectSegments, type Visibility } from '../priming/input.js';
import { memoriesBy, type ScoreTextsOptions, tokensRead, tooLong } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import type { Store } from '../store/store.js';
import {
  askStored,
  type DocumentVariant,
  type Question,
  type Scorer,
  type ScoreStoredOptions,
  type StoredSource,
} from './score.js';
import { type TextPart, WrittenText } from './written-text.js';

export interface ToWrite {
  /** The text in the decoder that the generated text continues; none by default. */
  readonly prompt?: string | undefined;
  /** The largest number of tokens to write. */
  readonly maxTokens: number;
  /** How tokens are drawn. By default the likeliest token is taken each time. */
  readonly sampling?: Sampling | undefined;
  /** Up to four strings of which the first one that appears ends the text, which is cut before it. */
  readonly stop?: readonly string[] | undefined;
}

export interface StoredToGenerate extends ToWrite, DocumentVariant {}

export interface TextToGenerate extends ToWrite {
  readonly document: string;
  /** The text before the document in the encoder. */
  readonly prefix?: string | undefined;
  /** The rows of the document's encode that the decoder sees; `exact`, the document alone, by default. */
  readonly visibility?: Visibility | undefined;
}

/** A text with its tokens up to the one that ended it, and what each of them adds. */
export interface GeneratedText extends TextPart {
  /** `stop` for the model's own end and for a stop string, `length` for the largest number of tokens. */
  readonly finish: 'stop' | 'length';
  /** The number of tokens of the prompt. */
  readonly promptTokens: number;
}

export interface StoredGenerated extends GeneratedText, StoredSource {}

/** A further part of the text of an item. */
export interface WrittenPart extends TextPart {
  /** The item's place in the request. */
  readonly item: number;
}

interface Following {
  /**
   * This callback is called with each part of a text as soon as it is certain: no stop string can begin in it and no character is incomplete. The
   * parts of an item are together its text. If it throws, the request ends with what it threw.
   */
  readonly onText?: ((part: WrittenPart) => void) | undefined;
}

export interface GenerateStoredOptions extends ScoreStoredOptions, Following {}
export interface GenerateTextsOptions extends ScoreTextsOptions, Following {}

/** The most stop strings. */
const STOPS = 4;

/** What the engine is asked for a text, and what of it is there. */
interface Said {
  readonly item: Omit<GenerateItem, 'memory'>;
  readonly place: number;
  readonly written: WrittenText;
  /** True where a stop string may end the text, so that its tokens are looked at while it is written. */
  readonly follows: boolean;
}

type Writing = Said & Pick<GenerateItem, 'memory'>;

/**
 * Writes a text for each item from a stored document. Each text is a request of its own to the engine, where they share batches.
 * @returns for each item its text, or the DkvError that says why it has none: as `score`
 * @throws DkvError for what affects all items: as `score`
 */
export async function generate(
  model: Scorer,
  store: Store,
  items: readonly StoredToGenerate[],
  options: GenerateStoredOptions = {},
): Promise<(StoredGenerated | DkvError)[]> {
  const { onText, ...rest } = checkedOptions(options, { onMissing: true, onText: true }, 'Generating');
  const question: Question<StoredToGenerate, GeneratedText, Said, GeneratedText> = {
    say: said,
    ask: (engine, wanted, own) => writeEach(engine, wanted, own, onText),
    rows: ({ item }) => item.prompt.length + item.maxTokens,
    answer: (text) => text,
  };
  return askStored(model, store, items, question, rest);
}

/**
 * Writes a text for each item from a document that is encoded for it, each distinct one once.
 * @returns for each item its text, or the DkvError that says why it has none: as `scoreTexts`
 * @throws DkvError for what affects all items: as `scoreTexts`
 */
export async function generateTexts(
  model: Model,
  items: readonly TextToGenerate[],
  options: GenerateTextsOptions,
): Promise<(GeneratedText | DkvError)[]> {
  const checked = checkedOptions(options, { maxTokens: true, onText: true }, 'Generating');
  const { maxTokens, onProgress, onText, ...rest } = checked;
  const { tokenizer, engine } = model;
  const before = performance.now();
  const prepared = items.map((own, place) => {
    try {
      const { document, prefix, visibility = 'exact' } = own;
      if (document.trim() === '') throw new DkvError('INPUT_INVALID', 'document is empty.');
      expectSegments(tokenizer, visibility);
      const limits = { maxTokens: tokensRead(model, maxTokens) };
      const asked = said(tokenizer, own, place);
      const problem = tooLong(engine, asked.item.prompt.length + asked.item.maxTokens);
      return problem ?? { ...asked, part: present(tokenizer, { visibility }, document, prefix, limits) };
    } catch (error) {
      if (error instanceof DkvError) return error;
      throw error;
    }
  });
  const tokenisingMs = performance.now() - before;
  const answers = new Array<GeneratedText | DkvError>(items.length);
  const usable = prepared.filter((own, place): own is Exclude<typeof own, DkvError> => {
    if (own instanceof DkvError) answers[place] = own;
    return isResult(own);
  });
  const request = new CompoundRequest(rest);
  try {
    const parts = usable.map(({ part }) => [part]);
    const memories = await memoriesBy(request, engine, parts, tokenisingMs);
    const ready: Writing[] = [];
    for (const [at, asked] of usable.entries()) {
      const memory = memories[at]!;
      if (memory instanceof DkvError) answers[asked.place] = memory;
      else ready.push({ ...asked, memory });
    }
    const left = items.length - ready.length;
    const texts = await request.askEach(ready, (some, own) =>
      writeEach(engine, some, { ...own, onProgress: (done) => onProgress?.(left + done, items.length) }, onText),
    );
    for (const [at, { place }] of ready.entries()) answers[place] = texts[at]!;
    return answers;
  } finally {
    request.end();
  }
}

/** @throws DkvError INPUT_INVALID for what no text can be written by */
function said(tokenizer: Tokenizer, { prompt = '', maxTokens, sampling, stop = [] }: ToWrite, place: number): Said {
  const refuse = (message: string) => new DkvError('INPUT_INVALID', message);
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw refuse(`maxTokens is ${maxTokens}; expected a whole number of at least 1.`);
  }
  if (sampling && !(sampling.temperature >= 0)) {
    throw refuse(`temperature is ${sampling.temperature}; expected 0 or more.`);
  }
  if (sampling && !(sampling.topP > 0 && sampling.topP <= 1)) {
    throw refuse(`topP is ${sampling.topP}; expected a number above 0 and up to 1.`);
  }
  if (stop.length > STOPS) throw refuse(`stop has ${stop.length} strings; expected up to ${STOPS}.`);
  if (stop.includes('')) throw refuse('stop has an empty string, which would end every text before it begins.');
  const item = { prompt: tokenizer.encode(prompt), maxTokens, ...(sampling && { sampling }) };
  return { item, place, written: new WrittenText(tokenizer, stop), follows: stop.length > 0 };
}

/**
 * Writes texts, each by a request of its own, so that one can end before the others.
 * @throws ItemsFailedError where some have none; what concerns all of them, when the others have been told to stop
 */
async function writeEach(
  engine: Engine,
  items: readonly Writing[],
  { signal, onProgress, ...options }: RequestOptions,
  onText: Following['onText'],
): Promise<GeneratedText[]> {
  const stopAll = new AbortController();
  const forget = onAbort(signal, () => stopAll.abort());
  let done = 0;
  try {
    const ends = await Promise.allSettled(
      items.map(async (item) => {
        try {
          const text = await writeOne(engine, item, { ...options, signal: stopAll.signal }, onText);
          onProgress?.(++done, items.length);
          return text;
        } catch (error) {
          if (!isOfItem(error)) stopAll.abort();
          throw error;
        }
      }),
    );
    return gathered(ends, signal);
  } finally {
    forget();
  }
}

/** Tells whether other texts may go on: a deadline is each text's own, since each has its own turn. */
function isOfItem(error: unknown): error is DkvError {
  return error instanceof ItemsFailedError || (error instanceof DkvError && error.code === 'DEADLINE_PASSED');
}

function gathered(
  ends: readonly PromiseSettledResult<GeneratedText>[],
  signal: AbortSignal | undefined,
): GeneratedText[] {
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  if (failures.length === 0) return ends.map((end) => (end as PromiseFulfilledResult<GeneratedText>).value);
  const isCancelled = (error: unknown) => error instanceof DkvError && error.code === 'CANCELLED';
  // Where one has ended the others, what they say of it is not the reason.
  const ofAll = failures.filter((error) => !isOfItem(error));
  if (ofAll.length > 0) throw signal?.aborted ? ofAll[0] : (ofAll.find((error) => !isCancelled(error)) ?? ofAll[0]);
  const isLate = (error: unknown) => !(error instanceof ItemsFailedError);
  if (failures.length === ends.length && failures.every(isLate)) throw failures[0];
  const errors = new Map<number, DkvError>();
  for (const [at, end] of ends.entries()) {
    if (end.status === 'fulfilled') continue;
    errors.set(at, end.reason instanceof ItemsFailedError ? end.reason.errors.get(0)! : end.reason);
  }
  throw new ItemsFailedError(
    errors,
    ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined)),
  );
}

async function writeOne(
  engine: Engine,
  { item, memory, place, written, follows }: Writing,
  { signal, onPhases, ...options }: RequestOptions,
  onText: Following['onText'],
): Promise<GeneratedText> {
  const stop = new AbortController();
  const forget = onAbort(signal, () => stop.abort());
  const tell = (isLast: boolean) => {
    const part = onText && written.next(isLast);
    if (part) onText({ item: place, ...part });
  };
  const asked = performance.now();
  let begun: number | undefined;
  let isMeasured = false;
  let finish: GeneratedText['finish'] = 'stop';
  try {
    const [made] = await engine.generate([{ ...item, memory }], {
      ...options,
      signal: stop.signal,
      onPhases: (times) => {
        isMeasured = true;
        onPhases?.(times);
      },
      ...((follows || onText) && {
        onTokens: ({ tokenIds, logProbabilities }) => {
          begun ??= performance.now();
          written.take(tokenIds, logProbabilities);
          // What is left is told at the end.
          if (written.isStopped) stop.abort();
          else tell(false);
        },
      }),
    });
    if (written.tokens === 0) written.take(made!.tokenIds, made!.logProbabilities);
    written.end();
    if (!written.isStopped && made!.stop === 'length') finish = 'length';
  } catch (error) {
    if (!written.isStopped || signal?.aborted) throw error;
    // A request that is stopped in another process has no times: what came before the first tokens was mostly waiting.
    const ended = performance.now();
    if (!isMeasured) {
      onPhases?.({ waiting: begun! - asked, reading: 0, tokenising: 0, encoding: 0, decoding: ended - begun! });
    }
  } finally {
    forget();
  }
  tell(true);
  return { ...written.whole, finish, promptTokens: item.prompt.length };
}
