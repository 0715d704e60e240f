/** Every category of advertisement, in a fixed order: the order is part of the dataset. */
import type { Category, Item } from '../scene.js';
import { cars } from './cars.js';
import { events } from './events.js';
import { goods } from './goods.js';
import { leisure } from './leisure.js';
import { services } from './services.js';
import { shops } from './shops.js';
import { stays } from './stays.js';

export const CATEGORIES: readonly Category[] = [
  ...goods,
  ...leisure,
  ...cars,
  ...shops,
  ...services,
  ...stays,
  ...events,
];

export interface Offer {
  readonly category: Category;
  readonly item: Item;
}

export const OFFERS: readonly Offer[] = CATEGORIES.flatMap((category) =>
  category.items.map((item) => ({ category, item })),
);

/** The offer with this noun. */
export function offerOf(noun: string): Offer | undefined {
  return OFFERS.find(({ item }) => item.noun === noun);
}
