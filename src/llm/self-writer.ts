/**
 * Has the encoder-decoder model at hand write a query for each document itself: the document in the encoder, nothing in the decoder, greedy.
 * What it writes is a function of model and document, so it is kept on disk by the model's fingerprint.
 */

import { DkvError, isResult } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import { printable } from '../base/printable.js';
import { allRows, type Engine, eachOf } from '../engine/engine.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { queryIn } from '../priming/answers.js';
import { buildInput, type EncoderInput } from '../priming/input.js';
import type { TextWriter } from '../priming/prepare.js';
import { TextCache } from './text-cache.js';

/** The model that writes. What `loadModel` returns can be passed. */
export interface WritingModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly fingerprint: string;
}

export interface SelfWriterOptions {
  readonly cacheDirectory: string;
  /** The largest number of tokens that the encoder reads. Longer documents are cut at their end. */
  readonly maxTokens: number;
}

/** What a run's record calls the model at hand where it writes what a language model is asked for. */
export const SELF_WRITER = 'self';

const WRITTEN_TOKENS = 16;
/** The number of batches whose states are in memory at once. */
const BATCHES_AT_ONCE = 4;

/** Makes the writer for `TextSources.self`. The writer throws CANCELLED and what the engine throws. */
export function selfWriter(model: WritingModel, { cacheDirectory, maxTokens }: SelfWriterOptions): TextWriter {
  const cache = new TextCache(cacheDirectory);
  const { stopTokenIds } = model.engine.info.shape;
  const { controlTokens, controlTokensIn } = model.tokenizer;
  const reading = (document: string) =>
    controlTokens === 'text' && controlTokensIn(document).length > 0 ? ['control tokens as text'] : [];
  // A fingerprint does not hold what ends a text, nor how a document's control tokens are read.
  const keyOf = (document: string) => [
    ...['self', model.fingerprint, WRITTEN_TOKENS, maxTokens, document],
    stopTokenIds,
    ...reading(document),
  ];
  const write: TextWriter = async (documents, { signal, onProgress }) => {
    await cache.expectWritable();
    const texts = new Array<string | DkvError>(documents.length);
    const missing: { at: number; input: EncoderInput }[] = [];
    for (const [at, document] of documents.entries()) {
      const known = await cache.get(keyOf(document));
      const made = known === undefined ? inputOf(model.tokenizer, document, maxTokens) : textOf(known.text);
      if (typeof made === 'string' || made instanceof DkvError) texts[at] = made;
      else missing.push({ at, input: made });
    }
    let done = documents.length - missing.length;
    if (done > 0) onProgress?.(done, documents.length);
    const most = BATCHES_AT_ONCE * model.engine.info.batchTokens;
    for (const chunk of grouped(missing, most, ({ input }) => input.tokenIds.length)) {
      const inputs = chunk.map(({ input }) => input);
      const written = await writeFor(model, inputs, signal);
      for (const [i, { at }] of chunk.entries()) {
        const own = written[i]!;
        if (own instanceof DkvError) {
          texts[at] = own;
          continue;
        }
        await cache.put(keyOf(documents[at]!), `model ${model.fingerprint}`, { text: own, cutOff: false });
        texts[at] = textOf(own);
      }
      done += chunk.length;
      onProgress?.(done, documents.length);
    }
    return texts;
  };
  const sampling = { maxTokens: WRITTEN_TOKENS, temperature: 0, topP: 1, seed: null };
  return Object.assign(write, {
    authorship: { writer: `${SELF_WRITER}: ${model.fingerprint}`, prompt: null, sampling },
  });
}

async function writeFor(
  { engine, tokenizer }: WritingModel,
  inputs: readonly EncoderInput[],
  signal: AbortSignal | undefined,
): Promise<(string | DkvError)[]> {
  const options = signal ? { signal } : {};
  const prompt = new Int32Array(0);
  const states = await eachOf(inputs, (some) =>
    engine.encode(
      some.map(({ tokenIds }) => ({ tokenIds })),
      options,
    ),
  );
  const sound = states.filter(isResult);
  const generated = await eachOf(sound, (some) =>
    engine.generate(
      some.map((rows) => ({ memory: [allRows(rows)], prompt, maxTokens: WRITTEN_TOKENS })),
      options,
    ),
  );
  const next = generated.values();
  return states.map((rows) => {
    const own = rows instanceof DkvError ? rows : next.next().value!;
    return own instanceof DkvError ? own : tokenizer.decode(own.tokenIds);
  });
}

function textOf(written: string): string | DkvError {
  const found = queryIn(written);
  if (found.query !== undefined) return found.query;
  const shown = printable(JSON.stringify(written.slice(0, 200)));
  return new DkvError(
    'INPUT_INVALID',
    `What the model writes for this document cannot stand for a query: ${found.reason}, ${shown}.`,
  );
}

function inputOf(tokenizer: Tokenizer, document: string, maxTokens: number): EncoderInput | DkvError {
  try {
    return buildInput(tokenizer, { document }, 'joint', { maxTokens });
  } catch (error) {
    if (error instanceof DkvError) return error;
    throw error;
  }
}
