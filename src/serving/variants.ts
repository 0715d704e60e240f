/**
 * What a document is primed with: alone, and with each surrogate in front. A surrogate is made from the document alone, so that a
 * document primes alike wherever it stands in a stream and whoever its neighbours are.
 */
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { textOf, valueAt } from '../datasets/values.js';
import { remembering } from '../model/tokenizer/tokenizer.js';
import { type Presented, present } from '../priming/condition.js';
import { type Surrogate, surrogate, surrogateSchema } from '../priming/surrogate.js';
import { splitList } from '../priming/surrogate-form.js';
import type { Prepared } from '../priming/surrogate-kinds.js';
import { tokensRead } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { identityOf } from '../store/records/identity.js';
import type { Json, Metadata, RecordIdentity } from '../store/store.js';
import type { StatesOptions } from './provenance.js';

/** The name of the variant in which a document stands alone in the encoder. Other variants are named by their surrogate's specification. */
export const BARE = 'bare';

export interface Variant {
  /** The name: `BARE`, or the surrogate's specification. */
  readonly name: string;
  /** The surrogate; undefined where nothing stands before the document. */
  readonly surrogate: Surrogate | undefined;
}

/**
 * The specifications in lists with commas between them. A list that is a specification as it stands is taken as one, since a text may have commas.
 */
export function specificationsIn(lists: readonly string[]): string[] {
  return lists.flatMap((list) => (surrogateSchema.safeParse(list).success ? [list] : splitList(list)));
}

/** @throws DkvError INPUT_INVALID for surrogates that cannot be made from a document alone, and when nothing is left to prime */
export function variantsOf(specifications: readonly string[], bare: boolean): Variant[] {
  const made = [...new Set(specifications)].map((name) => ({ name, surrogate: servable(name) }));
  const variants = bare ? [{ name: BARE, surrogate: undefined }, ...made] : made;
  if (variants.length > 0) return variants;
  throw new DkvError('INPUT_INVALID', 'There is nothing to prime: name a surrogate, or prime the documents alone.');
}

/** Those of a store's variants that are made without a model's writing. Names that are no specification, as of another release, are left out. */
export function variantsWithoutWriter(names: readonly string[]): Variant[] {
  return names.flatMap((name): Variant[] => {
    if (name === BARE) return [{ name, surrogate: undefined }];
    if (!surrogateSchema.safeParse(name).success) return [];
    const found = surrogate(name);
    return found.sources.includes('generated') ? [] : [{ name, surrogate: found }];
  });
}

function servable(specification: string): Surrogate {
  const found = surrogate(specification);
  const refused = (reason: string) =>
    new DkvError('INPUT_INVALID', `The surrogate "${specification}" cannot be primed with: ${reason}.`);
  if (found.needsQuery) throw refused('it needs the query, which is not known yet');
  if (found.sources.includes('function')) {
    throw refused('functions are called by experiments; prime with what one gives as a column of the documents');
  }
  if (found.sources.includes('other')) {
    throw refused('it borrows words from another document of a fixed list, and a stream of documents is none');
  }
  return found;
}

export interface DocumentText {
  readonly id: string;
  readonly text: string;
  readonly title?: string | undefined;
  /** The fields in which surrogates find their columns. */
  readonly fields?: Metadata | undefined;
}

/** One variant of one document, before it is encoded. */
export interface PlannedVariant {
  readonly name: string;
  readonly presented: Presented;
  readonly identity: RecordIdentity;
  /** The text before the document; undefined for the bare one. */
  readonly prefix: string | undefined;
  /** The specification for the record; null for the bare document. */
  readonly surrogate: Json;
}

/** @throws DkvError that says why this document cannot be primed: INPUT_INVALID, INPUT_TOO_LONG, and what wrote its surrogate */
export function planVariants(
  { id, text, title, fields }: DocumentText,
  variants: readonly Variant[],
  prepared: Prepared,
  model: Model,
  { visibility, maxTokens, statesPrecision }: StatesOptions,
): PlannedVariant[] {
  const tokenizer = remembering(model.tokenizer);
  const sample = {
    id,
    document: text,
    query: '',
    answer: '',
    ...(title !== undefined && { title }),
    columns: columnsOf({ ...(title !== undefined && { title }), ...fields }, variants),
  };
  const countTokens = (of: string) => tokenizer.encode(of).length;
  const context = { index: drawOf(text), samples: [sample], seed: 0, countTokens, prepared };
  const limits = { maxTokens: tokensRead(model, maxTokens) };
  const by = { fingerprint: model.fingerprint, modelPrecision: model.engine.info.computedAs };
  return variants.map(({ name, surrogate }) => {
    const prefix = surrogate?.make(sample, context);
    const presented = present(tokenizer, { visibility }, text, prefix, limits);
    if (presented.visible.every(({ start, end }) => start === end)) {
      throw new DkvError('INPUT_INVALID', `the decoder would see nothing of it as "${name}"`);
    }
    const identity = identityOf(presented, visibility, by, statesPrecision);
    return { name, presented, identity, prefix, surrogate: surrogate ? { specification: name, text: prefix! } : null };
  });
}

/**
 * The columns that surrogates read.
 * @throws DkvError INPUT_INVALID for one that is not text
 */
function columnsOf(fields: Metadata, variants: readonly Variant[]): Record<string, string> {
  const names = new Set(variants.flatMap(({ surrogate }) => surrogate?.columns ?? []));
  return Object.fromEntries(
    [...names].map((name) => [name, textOf(valueAt(fields, name), name, 'surrogate', `column:${name}`)]),
  );
}

/** The number that random surrogates draw from. It is the same for equal texts, whatever their place. */
function drawOf(text: string): number {
  return sha256(text).readUInt32LE(0) >>> 1;
}
