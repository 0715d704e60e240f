/**
 * What one advertisement is about before a word of it is written: its item, names and way of writing values, and the plans by which
 * a category gives its facts values. Knows no sentence.
 */
import type { Random } from '../base/random.js';
import type { Bank } from './ad.js';
import type { FactName } from './banks/facts.js';
import type { Family } from './banks/frames.js';
import type { Item } from './banks/items.js';
import type { Namer } from './names.js';
import type { Manner } from './values.js';

export interface Scene {
  readonly random: Random;
  readonly bank: Bank;
  readonly namer: Namer;
  readonly manner: Manner;
  readonly item: Item;
  /** The subject's proper name: a product's brand and model, a shop's name, an event's title. */
  readonly name: string;
  /** The company behind it, where the name has one. */
  readonly brand: string;
  /** The day of the year on which it takes place, starts or appears. */
  readonly day: number;
}

/** A fact's slots: `value` is the answer, `other` the distractor, the rest what the kind's texts ask for. */
export type FactValues = { readonly value: string; readonly other?: string } & Readonly<Record<string, string>>;

export interface FactPlan {
  readonly fact: FactName;
  /** `undefined` when the item has no such fact. */
  readonly make: (scene: Scene) => FactValues | undefined;
  /** True for a fact that every ad of the category has. */
  readonly always?: boolean;
  /** A kind of fact that would contradict this one. */
  readonly excludes?: FactName;
}

/** A fact that a shopper can ask for in a search: how it may be chosen and how it is put. */
export interface Facet {
  readonly kind: FactName;
  readonly put: 'before' | 'with' | 'for' | 'from' | 'under';
}

/** How the advertisements of a category are made; what it offers stands in a file of items. */
export interface CategoryRules {
  readonly name: string;
  readonly family: Family;
  readonly subject: (random: Random, namer: Namer, item: Item) => { readonly name: string; readonly brand: string };
  readonly plans: readonly FactPlan[];
  /** The facets of the category. If there are none, no shopping queries are made for it. */
  readonly facets: readonly Facet[];
}

export interface Category extends CategoryRules {
  readonly items: readonly Item[];
}
