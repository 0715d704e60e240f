/**
 * A kind of fact: how advertisements say it and how people ask for it, in a bank for training and one for evaluation.
 * Texts only; what values a fact takes is the categories' business.
 *
 * Slots: `value` (the answer), `other` (a distractor: the old price, last year's venue), `thing` (what the fact is about, by
 * default the item), `item`, `name`, and those that a kind names itself.
 */
import type { Bank } from '../ad.js';

export interface Wording {
  /** Sentences with `value`, some with `other` beside it. */
  readonly say: readonly string[];
  /** Entries of a terse listing, without a final stop. */
  readonly list: readonly string[];
  /** Sentences with `other` only, which may stand anywhere in the text. */
  readonly aside: readonly string[];
  /** Full questions. */
  readonly ask: readonly string[];
  /** Words for a search box. */
  readonly search: readonly string[];
  /** Noun phrases. */
  readonly phrase: readonly string[];
  /** Orders. */
  readonly order: readonly string[];
}

export interface FactKind {
  readonly kind: string;
  readonly wording: Readonly<Record<Bank, Wording>>;
}

/** Every kind ever made, for tests that go through all templates. */
const registry = new Map<string, FactKind>();

export function factKind(kind: string, train: Wording, evaluation: Wording): FactKind {
  if (registry.has(kind)) throw new RangeError(`two kinds of fact are called "${kind}"`);
  const made: FactKind = { kind, wording: { train, evaluation } };
  registry.set(kind, made);
  return made;
}

export function allFactKinds(): readonly FactKind[] {
  return [...registry.values()];
}
