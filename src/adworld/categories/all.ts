/** Every category of advertisement, in a fixed order: the order is part of the dataset. */
import { once } from '../banks/bank.js';
import { type Item, readItems } from '../banks/items.js';
import type { Category } from '../scene.js';
import { cars } from './cars.js';
import { events } from './events.js';
import { goods } from './goods.js';
import { leisure } from './leisure.js';
import { services } from './services.js';
import { shops } from './shops.js';
import { stays } from './stays.js';

/** The categories' rules, by the file that has their items. */
const RULES = { goods, leisure, cars, shops, services, stays, events };

export const categories = once((): readonly Category[] =>
  Object.entries(RULES).flatMap(([file, rules]) => {
    const items = readItems(
      file,
      rules.map(({ name }) => name),
    );
    return rules.map((own) => ({ ...own, items: items[own.name]! }));
  }),
);

export interface Offer {
  readonly category: Category;
  readonly item: Item;
}

export const offers = once((): readonly Offer[] =>
  categories().flatMap((category) => category.items.map((item) => ({ category, item }))),
);

/** The offer with this noun. */
export function offerOf(noun: string): Offer | undefined {
  return offers().find(({ item }) => item.noun === noun);
}
