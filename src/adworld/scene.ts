/**
 * What one advertisement is about before a word of it is written: its item, names and way of writing values, and the plans by which
 * a category gives its facts values. Knows no sentence.
 */
import type { Random } from '../base/random.js';
import type { Bank } from './ad.js';
import type { FactKind } from './facts/kind.js';
import type { Namer } from './names.js';
import type { Manner } from './values.js';

/** One thing of a category; what the fields mean to the facts is the category's business. */
export interface Item {
  readonly noun: string;
  readonly price: readonly [number, number];
  /** Nouns of things bought or done together with this one. */
  readonly complements?: readonly string[];
  readonly grams?: readonly [number, number];
  /** Ranges of width, depth and height in centimeters. */
  readonly centimeters?: readonly (readonly [number, number])[];
  readonly materials?: readonly string[];
  /** What may be included, each with its article. */
  readonly parts?: readonly string[];
  /** For whom it may be. */
  readonly users?: readonly string[];
  /** Specialties, features, dishes, depending on the category. */
  readonly offers?: readonly string[];
  /** How much it holds or carries, in `unit`. */
  readonly amount?: readonly [number, number];
  readonly unit?: string;
  readonly watts?: readonly [number, number];
}

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
  readonly fact: FactKind;
  /** `undefined` when the item has no such fact. */
  readonly make: (scene: Scene) => FactValues | undefined;
  /** In every ad of the category. */
  readonly always?: boolean;
  /** A kind of fact that would contradict this one. */
  readonly excludes?: string;
}

export type Family = 'product' | 'book' | 'car' | 'shop' | 'service' | 'course' | 'stay' | 'event';

/** A fact that a shopper can ask for in a search: how it may be chosen and how it is put. */
export interface Facet {
  readonly kind: string;
  readonly put: 'before' | 'with' | 'for' | 'from' | 'under';
}

export interface Category {
  readonly name: string;
  readonly family: Family;
  readonly items: readonly Item[];
  readonly subject: (random: Random, namer: Namer, item: Item) => { readonly name: string; readonly brand: string };
  readonly plans: readonly FactPlan[];
  /** Empty: no shopping queries are made for the category. */
  readonly facets: readonly Facet[];
}
