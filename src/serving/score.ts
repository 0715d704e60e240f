/**
 * Scores targets given stored documents: the numbers of `scoreTexts`, without the encoder. A document that many items ask for is read
 * once; states are held for as many documents as fit a number of bytes, whatever the number of items.
 */

import { DkvError } from '../base/errors.js';
import { grouped } from '../base/groups.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import { eachOf, type RequestOptions } from '../engine/engine.js';
import { remembering } from '../model/tokenizer/tokenizer.js';
import { decoderInput, type InputToScore, type TargetScore, targetScore } from '../scoring/inputs.js';
import { type Model, sameNumbers } from '../scoring/load-model.js';
import { memoryOf } from '../store/records/identity.js';
import type { Metadata, Store, StoredDocument } from '../store/store.js';
import { BARE } from './variants.js';

export interface StoredToScore {
  /** The document's. */
  readonly id: string;
  /** Which of the document's caches; `bare` when left out. */
  readonly variant?: string | undefined;
  /** Put before the target in the decoder, tokenised apart. */
  readonly query?: string | undefined;
  readonly target: string;
}

export interface StoredScore extends TargetScore {
  /** Of the record that was read. */
  readonly key: string;
  /** Of the document. */
  readonly metadata: Metadata;
}

/** Of states that are held at a time, and of one reading more. */
const GROUP_BYTES = 128 * 1024 ** 2;
const READ_TOGETHER = 16;

type Ready = Pick<InputToScore, 'prompt' | 'target'> & { readonly place: number; readonly document: StoredDocument };

/**
 * Progress counts the items that have been answered, of all.
 * @returns per item its score, or the DkvError that says why it has none: DOCUMENT_MISSING, STORE_MISMATCH (primed with another
 * model), STORE_DAMAGED, INPUT_INVALID, NUMBERS_NOT_FINITE
 * @throws DkvError what befalls all items: CANCELLED, STORE_UNREACHABLE, and the engine's
 */
export async function score(
  model: Pick<Model, 'tokenizer' | 'engine' | 'fingerprint'> & Partial<Pick<Model, 'formerly'>>,
  store: Store,
  items: readonly StoredToScore[],
  { signal, onProgress }: RequestOptions = {},
): Promise<(StoredScore | DkvError)[]> {
  const tokenizer = remembering(model.tokenizer);
  const fingerprints = sameNumbers(model);
  const answers = new Array<StoredScore | DkvError>(items.length);
  let answered = 0;
  const refuse = (place: number, error: DkvError) => {
    answers[place] = error;
    answered++;
  };
  const scoreGroup = async (group: readonly Ready[]) => {
    const progress = {
      ...(signal && { signal }),
      onProgress: (done: number) => onProgress?.(answered + done, items.length),
    };
    const nlls = await eachOf(
      group.map(({ document, prompt, target }) => ({ memory: memoryOf(document.record), prompt, target })),
      (inputs) => model.engine.score(inputs, progress),
    );
    for (const [i, { place, document }] of group.entries()) {
      const own = nlls[i]!;
      answers[place] =
        own instanceof DkvError
          ? new DkvError(own.code, `Document ${JSON.stringify(items[place]!.id)}: ${own.message}`)
          : { ...targetScore(own), key: document.key, metadata: document.metadata };
    }
    answered += group.length;
  };

  let group: Ready[] = [];
  let bytes = 0;
  for (const some of grouped(placesByDocument(items), READ_TOGETHER)) {
    if (signal?.aborted) throw new DkvError('CANCELLED', `Stopped after ${answered} of ${items.length} scores.`);
    await inParallel(some, STORE_REQUESTS, async (places) => {
      const document = await orError(() => documentOf(store, items[places[0]!]!, fingerprints));
      for (const place of places) {
        const said = await orError(() => decoderInput(tokenizer, items[place]!));
        if (document instanceof DkvError) refuse(place, document);
        else if (said instanceof DkvError) refuse(place, said);
        else group.push({ place, document, ...said });
      }
      if (!(document instanceof DkvError)) bytes += document.record.states.data.byteLength;
    });
    if (bytes < GROUP_BYTES) continue;
    await scoreGroup(group);
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) await scoreGroup(group);
  onProgress?.(items.length, items.length);
  return answers;
}

/** Places of the items, those of one document and variant together, in order of first appearance. */
function placesByDocument(items: readonly StoredToScore[]): number[][] {
  const places = new Map<string, number[]>();
  for (const [place, { id, variant = BARE }] of items.entries()) {
    const document = JSON.stringify([id, variant]);
    const known = places.get(document);
    if (known) known.push(place);
    else places.set(document, [place]);
  }
  return [...places.values()];
}

async function documentOf(
  store: Store,
  { id, variant = BARE }: StoredToScore,
  fingerprints: readonly string[],
): Promise<StoredDocument> {
  const found = await store.getDocument(id, variant, fingerprints);
  if (found) return found;
  throw new DkvError(
    'DOCUMENT_MISSING',
    `${store.location} has no ${JSON.stringify(variant)} cache of document ${JSON.stringify(id)}: it was never primed so, or has expired, or was evicted. Prime it.`,
  );
}

/** Errors of one item; the others go on. */
const OF_ONE_ITEM = new Set(['DOCUMENT_MISSING', 'STORE_MISMATCH', 'STORE_DAMAGED', 'INPUT_INVALID']);

async function orError<T>(work: () => T | Promise<T>): Promise<T | DkvError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DkvError && OF_ONE_ITEM.has(error.code)) return error;
    throw error;
  }
}
