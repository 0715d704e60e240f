/**
 * Kinds of fact: how advertisements say them and how people ask for them, in a bank for training and one for evaluation (data/adworld/facts).
 * Texts only; what values a fact takes is the categories' business.
 */
import { z } from 'zod';
import type { Bank } from '../ad.js';
import { banked, once, readBank, templates } from './bank.js';

/** The kinds of fact, by the file that holds their texts. */
const KINDS = {
  money: ['price', 'rate', 'nightly', 'shipping', 'callout', 'deposit', 'discount', 'code'],
  product: [
    'color',
    'weight',
    'size',
    'material',
    'warranty',
    'delivery',
    'rating',
    'included',
    'audience',
    'maker',
    'returns',
    'origin',
  ],
  service: [
    'area',
    'response',
    'guarantee',
    'expertise',
    'teacher',
    'group',
    'start',
    'schedule',
    'duration',
    'deadline',
    'trial',
    'notice',
  ],
  shop: [
    'place',
    'phone',
    'website',
    'hours',
    'saturday',
    'closed',
    'specialty',
    'founded',
    'parking',
    'payment',
    'owner',
    'chef',
    'feature',
    'seats',
  ],
  stay: ['sleeps', 'distance', 'checkin', 'pets', 'minimum', 'cancellation', 'host'],
  event: ['date', 'time', 'venue', 'performer', 'director', 'guide', 'age', 'language', 'bring', 'stalls'],
  technical: [
    'battery',
    'power',
    'capacity',
    'assembly',
    'load',
    'players',
    'pieces',
    'author',
    'pages',
    'published',
    'year',
    'mileage',
    'fuel',
    'inspection',
    'owners',
  ],
} as const;

export type FactName = (typeof KINDS)[keyof typeof KINDS][number];
export const FACT_NAMES: readonly FactName[] = Object.values(KINDS).flat();

/**
 * `value` is the answer, `other` a distractor (the old price, last year's venue), `thing` what the fact is about, by default the item. The last three
 * are of single kinds: who gets a discount and who another one, and what a stay is how far from.
 */
const SLOTS = ['value', 'other', 'thing', 'item', 'name', 'group', 'rival', 'goal'];
const without = (...slots: readonly string[]) => SLOTS.filter((slot) => !slots.includes(slot));
const statements = templates({ allowed: SLOTS, needed: ['value'] });
const asides = templates({ allowed: without('value'), needed: ['other'] });
const questions = templates({ allowed: without('value', 'other') });

const wordingSchema = z.strictObject({
  /** Sentences with `value`, some with `other` beside it. */
  say: statements,
  /** Entries for a terse listing, without a full stop at the end. */
  list: statements,
  /** Sentences with `other` only, which may stand anywhere in the text. */
  aside: asides.default([]),
  /** Full questions about the fact. */
  ask: questions,
  /** Words that somebody types into a search box. */
  search: questions,
  /** Noun phrases that ask for the fact. */
  phrase: questions,
  /** Imperative sentences that ask for the fact. */
  order: questions,
});

export type Wording = z.infer<typeof wordingSchema>;

const wordings = once(() => {
  const files = Object.entries(KINDS).map(([file, kinds]) =>
    readBank(`facts/${file}`, z.record(z.enum(kinds), banked(wordingSchema))),
  );
  return Object.assign({}, ...files) as Readonly<Record<FactName, Readonly<Record<Bank, Wording>>>>;
});

export function wordingOf(fact: FactName, bank: Bank): Wording {
  return wordings()[fact][bank];
}
