/**
 * Scores targets given stored documents: the numbers of `scoreTexts`, without the encoder. What the ids point to is read here, each once;
 * the states go by name to the engine, which reads them where it computes, each once for all items that want them.
 */

import { Breather } from '../base/breather.js';
import { DkvError } from '../base/errors.js';
import { type CompoundOptions, CompoundRequest, checkedOptions } from '../engine/compound-request.js';
import type { Engine, RequestOptions, ScoreItem } from '../engine/engine.js';
import { remembering, type Tokenizer } from '../model/tokenizer/tokenizer.js';
import { decoderInput, type InputToScore, type TargetScore, targetScore, tooLong } from '../scoring/inputs.js';
import { type Model, sameNumbers } from '../scoring/load-model.js';
import { keyOfVariant } from '../store/records/entry.js';
import { type DocumentEntry, type Metadata, missingDocument, type Store } from '../store/store.js';
import { BARE } from './variants.js';

/** A document in one of its variants. */
export interface DocumentVariant {
  /** The document's id. */
  readonly id: string;
  /** The variant of the document, such as a surrogate's specification; `bare` by default. */
  readonly variant?: string | undefined;
}

export interface StoredToScore extends DocumentVariant {
  /** A query that the decoder reads before the target. It is tokenised apart. */
  readonly query?: string | undefined;
  readonly target: string;
}

/** The record and document that an answer was read from. */
export interface StoredSource {
  /** The key of the record that was read. */
  readonly key: string;
  /** The metadata of the document. */
  readonly metadata: Metadata;
}

export interface StoredScore extends TargetScore, StoredSource {}

/** What the decoder reads, and the tokens that are looked at. */
type ToLookAt = Pick<InputToScore, 'prompt' | 'target'>;

/** A question to the decoder about a document: what it is given (`Said`), and what the engine gives back for it (`Given`). */
export interface Question<Item, Answer, Said extends object = ToLookAt, Given = Float32Array> {
  /**
   * Gives what the decoder is given.
   * @param place of the item among all
   * @throws DkvError INPUT_INVALID that says why it cannot read that
   */
  say(tokenizer: Tokenizer, item: Item, place: number): Said;
  /** Asks the engine. @returns for each item what it gives, such as the numbers of its target's tokens */
  ask(
    engine: Engine,
    items: readonly (Said & Pick<ScoreItem, 'memory'>)[],
    options: RequestOptions,
  ): Promise<readonly Given[]>;
  /** The number of rows that the decoder reads for it. */
  rows(said: Said): number;
  answer(given: Given): Answer;
}

export interface ScoreStoredOptions extends Omit<RequestOptions, 'tokenisingMs'> {
  /**
   * This callback receives the ids that the store lacks in the variants asked for, before anything is scored. If it throws, the scoring ends with
   * what it threw.
   */
  readonly onMissing?: ((ids: readonly string[]) => Promise<void>) | undefined;
}

export interface AskStoredOptions extends CompoundOptions, Pick<ScoreStoredOptions, 'onMissing' | 'onProgress'> {
  /** This callback looks at each document that is found, before anything is scored. A document is not scored if it returns the reason for that. */
  readonly admit?: ((id: string, metadata: Metadata) => DkvError | undefined) | undefined;
}

/** A document in one of its variants, and the places of the items that want it. */
interface Wanted {
  readonly id: string;
  readonly variant: string;
  readonly places: number[];
  /** The key of the record that the id points to. */
  key: string | undefined;
  metadata: Metadata;
}

interface Ready<Said> {
  readonly wanted: Wanted;
  readonly place: number;
  readonly item: Said & Pick<ScoreItem, 'memory'>;
}

/** The parts of a model that scoring from a store needs. */
export type Scorer = Pick<Model, 'tokenizer' | 'engine' | 'fingerprint'> & Partial<Pick<Model, 'formerly'>>;

const NLLS: Question<StoredToScore, TargetScore> = {
  say: decoderInput,
  ask: (engine, items, options) => engine.score(items, options),
  rows: ({ prompt, target }) => prompt.length + target.length,
  answer: targetScore,
};

/**
 * Scores targets given stored documents. Progress counts the items answered, of all items.
 * @returns for each item its score, or the DkvError that says why it has none: DOCUMENT_MISSING, STORE_MISMATCH (primed with another model),
 * STORE_DAMAGED, INPUT_INVALID, INPUT_TOO_LONG, NUMBERS_NOT_FINITE, with `dropLate` DEADLINE_PASSED
 * @throws DkvError for what affects all items: CANCELLED, DEADLINE_PASSED, STORE_UNREACHABLE, and what the engine throws; INPUT_INVALID for options
 */
export async function score(
  model: Scorer,
  store: Store,
  items: readonly StoredToScore[],
  options: ScoreStoredOptions = {},
): Promise<(StoredScore | DkvError)[]> {
  return askStored(model, store, items, NLLS, checkedOptions(options, { onMissing: true }, 'Scoring'));
}

/**
 * Asks any question about stored documents, until a deadline that is already running.
 * @returns and throws as `score`
 */
export async function askStored<
  Item extends DocumentVariant,
  Answer extends object,
  Said extends object = ToLookAt,
  Given = Float32Array,
>(
  model: Scorer,
  store: Store,
  items: readonly Item[],
  question: Question<NoInfer<Item>, Answer, Said, Given>,
  { onMissing, onProgress, admit, ...options }: AskStoredOptions = {},
): Promise<((Answer & StoredSource) | DkvError)[]> {
  const request = new CompoundRequest(options);
  const { signal } = options;
  try {
    return await answersOf(model, store, items, question, { request, signal, onMissing, onProgress, admit });
  } finally {
    request.end();
  }
}

interface Asking extends Pick<AskStoredOptions, 'onMissing' | 'onProgress' | 'admit' | 'signal'> {
  readonly request: CompoundRequest;
}

async function answersOf<Item extends DocumentVariant, Answer extends object, Said extends object, Given>(
  model: Scorer,
  store: Store,
  items: readonly Item[],
  question: Question<Item, Answer, Said, Given>,
  { request, signal, onMissing, onProgress, admit }: Asking,
): Promise<((Answer & StoredSource) | DkvError)[]> {
  const fingerprints = sameNumbers(model);
  const answers = new Array<(Answer & StoredSource) | DkvError | undefined>(items.length);
  let answered = 0;
  const answer = (place: number, own: (Answer & StoredSource) | DkvError) => {
    answers[place] = own;
    answered++;
  };
  const open = ({ places }: Wanted) => places.filter((place) => answers[place] === undefined);
  const refuse = (wanted: Wanted, error: DkvError) => {
    for (const place of open(wanted)) answer(place, error);
  };
  let tokenisingMs = 0;
  const tokenizer = remembering(model.tokenizer);
  const said = (place: number) => {
    const before = performance.now();
    try {
      const own = question.say(tokenizer, items[place]!, place);
      return tooLong(model.engine, question.rows(own)) ?? own;
    } catch (error) {
      if (error instanceof DkvError && (error.code === 'INPUT_INVALID' || error.code === 'INPUT_TOO_LONG'))
        return error;
      throw error;
    } finally {
      tokenisingMs += performance.now() - before;
    }
  };
  let asked = documentsOf(items);
  const documents = asked;
  while (asked.length > 0) {
    if (signal?.aborted) throw new DkvError('CANCELLED', `Stopped after ${answered} of ${items.length} scores.`);
    const pointing = await withEntries(store, asked, refuse, admit);
    const gone = documents.filter(({ places }) => isMissing(answers[places[0]!]));
    if (asked === documents) await onMissing?.(gone.map(({ id }) => id));
    const ready: Ready<Said>[] = [];
    const turns = new Breather(signal, `Stopped after ${answered} of ${items.length} scores.`);
    for (const wanted of pointing) {
      const memory = { source: store, key: store.namedStates(wanted.key!), fingerprints };
      for (const place of open(wanted)) {
        const own = said(place);
        if (own instanceof DkvError) answer(place, own);
        else ready.push({ wanted, place, item: { memory, ...own } });
        await turns.breathe();
      }
    }
    asked = [];
    if (ready.length === 0) break;
    const before = answered;
    const nlls = await request.askEach(
      ready.map(({ item }) => item),
      (inputs, own) =>
        question.ask(model.engine, inputs, {
          ...own,
          onProgress: (done) => onProgress?.(before + done, items.length),
        }),
      tokenisingMs,
    );
    tokenisingMs = 0;
    const lost = new Set<Wanted>();
    for (const [at, { wanted, place }] of ready.entries()) {
      const own = nlls[at]!;
      // Replaced and collected since the entry was read? Then the id points elsewhere by now.
      if (own instanceof DkvError && own.code === 'DOCUMENT_MISSING') lost.add(wanted);
      else if (own instanceof DkvError) answer(place, ofDocument(wanted.id, own));
      else answer(place, { ...question.answer(own), key: wanted.key!, metadata: wanted.metadata });
    }
    asked = [...lost];
  }
  onProgress?.(items.length, items.length);
  countServed(store, documents, answers);
  return answers.map((own) => own!);
}

/** The documents that items want, each once with the places of its items, in order of first appearance. */
function documentsOf(items: readonly DocumentVariant[]): Wanted[] {
  const documents = new Map<string, Wanted>();
  for (const [place, { id, variant = BARE }] of items.entries()) {
    const document = JSON.stringify([id, variant]);
    const known = documents.get(document);
    if (known) known.places.push(place);
    else documents.set(document, { id, variant, places: [place], key: undefined, metadata: {} });
  }
  return [...documents.values()];
}

/**
 * The documents with the keys that their ids point to now. A document is refused if its id points to nothing, or still points where it was read in
 * vain.
 */
async function withEntries(
  store: Store,
  documents: readonly Wanted[],
  refuse: (wanted: Wanted, error: DkvError) => void,
  admit: AskStoredOptions['admit'],
): Promise<Wanted[]> {
  const entries = await store.entries(documents.map(({ id }) => id));
  return documents.filter((wanted, at) => {
    const entry = entries[at];
    const { id, variant, key: before } = wanted;
    const key = entry instanceof DkvError ? undefined : keyOfVariant(entry, variant);
    if (key === undefined || key === before) {
      const others =
        entry instanceof DkvError ? [] : Object.keys(entry?.variants ?? {}).filter((name) => name !== variant);
      refuse(wanted, entry instanceof DkvError ? entry : missingDocument(store.location, id, variant, others));
      return false;
    }
    wanted.key = key;
    wanted.metadata = (entry as DocumentEntry).metadata;
    const refused = admit?.(id, wanted.metadata);
    if (refused) refuse(wanted, refused);
    return refused === undefined;
  });
}

/** The engine's error with the document that it concerns. What a store says names the record and what to do. */
function ofDocument(id: string, error: DkvError): DkvError {
  if (error.code === 'STORE_DAMAGED') return error;
  return new DkvError(error.code, `Document ${JSON.stringify(id)}: ${error.message}`);
}

function isMissing(answer: object | undefined): boolean {
  return answer instanceof DkvError && answer.code === 'DOCUMENT_MISSING';
}

/** Counts documents for the store's statistics, because the code that reads states does not know how many documents they were asked for. */
function countServed(store: Store, documents: readonly Wanted[], answers: readonly (object | undefined)[]): void {
  const isHit = (answer: object | undefined) => !(answer instanceof DkvError) || answer.code === 'NUMBERS_NOT_FINITE';
  const count = (is: typeof isHit) =>
    documents.filter(({ places }) => places.some((place) => is(answers[place]))).length;
  store.served(count(isHit), count(isMissing));
}
