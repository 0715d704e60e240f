/**
 * How people put a question: as a sentence, in a few words for a search box, as a noun phrase, as an order, with or without a lead-in.
 * Templates, lead-ins and shortened questions of evaluation are none of training's. Knows kinds of fact and no ad.
 */
import type { Random } from '../base/random.js';
import type { AdQuestion, Bank, QueryStyle } from './ad.js';
import { once } from './banks/bank.js';
import { type FactName, wordingOf } from './banks/facts.js';
import { queryTexts } from './banks/queries.js';
import { capitalize, fill, type Slots } from './template.js';

/** `short` is a full question without its little words, as typed into a search box. */
type Form = 'ask' | 'short' | 'search' | 'phrase' | 'order';

export interface QueryTemplate {
  /** The template's id, such as `price/train/ask/2`. */
  readonly id: string;
  readonly form: Form;
  readonly text: string;
}

const FORMS: readonly { readonly form: Form; readonly style: QueryStyle; readonly weight: number }[] = [
  { form: 'ask', style: 'question', weight: 8 },
  { form: 'short', style: 'keywords', weight: 3 },
  { form: 'search', style: 'keywords', weight: 3 },
  { form: 'phrase', style: 'phrase', weight: 4 },
  { form: 'order', style: 'imperative', weight: 2 },
];

const littleWords = once(() => new Set(queryTexts()['little words']));

/** Shortens a question: "How heavy is the {item}?" becomes "how heavy {item}". */
function shortened(question: string): string {
  const little = littleWords();
  const kept = question
    .replace(/[?.]$/, '')
    .split(' ')
    .filter((word) => !little.has(word.toLowerCase()));
  const text = kept.join(' ');
  return text.startsWith('{') ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

/** A template without its slots' names, its case and its stop: what makes two of them the same. */
export function skeleton(template: string): string {
  return template
    .replace(/\{[^}]*\}/g, '_')
    .toLowerCase()
    .replace(/[.?!]$/, '');
}

const cache = new Map<FactName, Readonly<Record<Bank, readonly QueryTemplate[]>>>();

/** All templates that ask for a kind of fact; no two of a bank and none of the two banks are the same. */
export function queryTemplates(kind: FactName, bank: Bank): readonly QueryTemplate[] {
  let banks = cache.get(kind);
  if (banks === undefined) {
    const taken = new Set<string>();
    const evaluation = collect(kind, 'evaluation', taken);
    banks = { evaluation, train: collect(kind, 'train', taken) };
    cache.set(kind, banks);
  }
  return banks[bank];
}

function collect(kind: FactName, bank: Bank, taken: Set<string>): QueryTemplate[] {
  const { ask, search, phrase, order } = wordingOf(kind, bank);
  // What was written by hand goes before what is derived.
  const forms: readonly [Form, readonly string[]][] = [
    ['ask', ask],
    ['search', search],
    ['phrase', phrase],
    ['order', order],
    ['short', ask.map(shortened)],
  ];
  return forms.flatMap(([form, texts]) =>
    texts.flatMap((text, index) => {
      const same = skeleton(text);
      if (taken.has(same)) return [];
      taken.add(same);
      return [{ id: `${kind}/${bank}/${form}/${index}`, form, text }];
    }),
  );
}

export function makeQuery(random: Random, kind: FactName, bank: Bank, slots: Slots): Omit<AdQuestion, 'answer'> {
  const templates = queryTemplates(kind, bank);
  const offered = FORMS.filter(({ form }) => templates.some((template) => template.form === form));
  const { form, style } = weighted(random, offered);
  const { id, text } = random.pick(templates.filter((template) => template.form === form));
  return { kind, template: id, style, query: spoken(random, bank, form, text, fill(text, slots)) };
}

function weighted<T extends { readonly weight: number }>(random: Random, items: readonly T[]): T {
  let left = random.float() * items.reduce((sum, { weight }) => sum + weight, 0);
  for (const item of items) {
    left -= item.weight;
    if (left < 0) return item;
  }
  return items.at(-1)!;
}

/** Some people type no capital and no question mark, and some begin with a lead-in. */
function spoken(random: Random, bank: Bank, form: Form, template: string, filled: string): string {
  const lower = (text: string): string =>
    template.startsWith('{') ? text : text.charAt(0).toLowerCase() + text.slice(1);
  let query = filled;
  if (form === 'ask' && random.chance(0.15))
    query = fill(random.pick(queryTexts()['before a question'][bank]), { query: lower(filled) });
  if (form === 'phrase' && random.chance(0.4))
    query = fill(random.pick(queryTexts()['before a noun phrase'][bank]), { query: filled });
  if (form === 'order' && random.chance(0.3)) query += '.';
  if (form === 'ask' || form === 'order') query = capitalize(query);
  if (!random.chance(0.25)) return query;
  const unstopped = query.replace(/[?.]$/, '');
  return query === filled || form === 'order' ? lower(unstopped) : unstopped;
}
