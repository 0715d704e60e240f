/**
 * Makes whatever surrogates have to wait for, in batches and before anything is planned, so that planning stays a pure function: texts
 * written by models, and the tagger of `pos_kw`. Knows no model: who writes is passed in.
 *
 * An experiment prepares all its samples at once; a primer with millions of documents prepares batch by batch, and writers
 * keep what they have written.
 */

import { DkvError } from '../base/errors.js';
import type { Sample } from '../samples/sample.js';
import { surrogate } from './surrogate.js';
import type { Preparation, Prepared } from './surrogate-kinds.js';
import { loadKeywordTagger } from './tagged-keywords.js';

export interface WriteOptions {
  /** Aborting this signal rejects with CANCELLED. The writer keeps what it has written. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneDocuments: number, totalDocuments: number) => void;
}

/** How a writer's texts come about. */
export interface Authorship {
  /** The model that writes, and where it runs. */
  readonly writer: string;
  /** The prompt, word for word, that precedes the document; null for a model that is shown the document alone. */
  readonly prompt: string | null;
  readonly sampling: {
    readonly maxTokens: number;
    /** The sampling temperature; 0 means the likeliest token each time. */
    readonly temperature: number;
    readonly topP: number;
    /** The seed; null where the writer takes none, so that another request may give another text. */
    readonly seed: number | null;
  };
}

/** A function that writes texts for documents. */
export interface TextWriter {
  /**
   * Writes one text for each document, in order, or gives the error that says why a document has none.
   * @throws DkvError when going on makes no sense: CANCELLED, or a failure that every document would meet
   */
  (documents: readonly string[], options: WriteOptions): Promise<readonly (string | DkvError)[]>;
  /** How the texts come about, for the record of a run that keeps them. It is left out where nobody knows. */
  readonly authorship?: Authorship;
}

/** The writers at hand. Surrogates that need a writer which is left out cannot be made. */
export interface TextSources {
  /** Gives a writer that shows this prompt and a document to a language model. */
  readonly llm?: (prompt: string) => TextWriter;
  /** The writer that asks the encoder-decoder model which is being measured. */
  readonly self?: TextWriter;
}

/**
 * @param specifications of all conditions, those that need no preparation included
 * @param samples whose documents the texts are for; equal documents are written for once
 * @returns what `SurrogateContext.prepared` takes. A document that got no text throws when its surrogate is made.
 * @throws DkvError INPUT_INVALID when a source is missing, and what the writers throw
 */
export async function prepareSurrogates(
  specifications: readonly string[],
  samples: readonly Pick<Sample, 'document'>[],
  sources: TextSources,
  { signal, onProgress }: WriteOptions = {},
): Promise<Prepared> {
  const wanted = distinctPreparations(specifications);
  const writers = wanted.flatMap((preparation) => {
    const writer = writerOf(preparation, sources);
    return writer ? [{ key: keyOf(preparation), writer }] : [];
  });
  const documents = [...new Set(samples.map(({ document }) => document))];
  const texts = new Map<string, ReadonlyMap<string, string | DkvError>>();
  // One after the other: each writer keeps its own endpoint or engine as busy as it may be.
  for (const [i, { key, writer }] of writers.entries()) {
    const made = await writer(documents, {
      ...(signal && { signal }),
      onProgress: (done) => onProgress?.(i * documents.length + done, writers.length * documents.length),
    });
    texts.set(key, new Map(documents.map((document, at) => [document, made[at]!])));
  }
  const tagger = wanted.some(({ by }) => by === 'tagger') ? await loadKeywordTagger() : undefined;
  return {
    ...(tagger && { taggedKeywords: tagger }),
    textOf: (preparation, document) => {
      const text = texts.get(keyOf(preparation))?.get(document);
      if (text === undefined) throw new Error(`nothing was prepared for ${keyOf(preparation)} and this document`);
      if (typeof text !== 'string') throw text;
      return text;
    },
  };
}

/**
 * Tells before anything is opened or made that a language model will be needed.
 * @throws DkvError INPUT_INVALID
 */
export function expectWriter(specifications: readonly string[], sources: Pick<TextSources, 'llm'> | undefined): void {
  if (!sources?.llm && distinctPreparations(specifications).some(({ by }) => by === 'llm')) throw writerMissing();
}

function writerMissing(): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    'Surrogates "llm:..." need a language model, and none is given. Set DKV_LLM_BASE_URL and DKV_LLM_MODEL (and DKV_LLM_API_KEY where the endpoint wants one), or leave these surrogates out.',
  );
}

function distinctPreparations(specifications: readonly string[]): Preparation[] {
  const all = specifications.flatMap((specification) => surrogate(specification).preparations);
  return [...new Map(all.map((preparation) => [keyOf(preparation), preparation])).values()];
}

function keyOf(preparation: Preparation): string {
  return preparation.by === 'llm' ? `llm:${preparation.prompt}` : preparation.by;
}

function writerOf(preparation: Preparation, { llm, self }: TextSources): TextWriter | undefined {
  switch (preparation.by) {
    case 'tagger':
      return undefined;
    case 'llm':
      if (llm) return llm(preparation.prompt);
      throw writerMissing();
    case 'self':
      if (self) return self;
      throw new DkvError('INPUT_INVALID', 'The surrogate "self" needs a model that writes, and none is given.');
  }
}
