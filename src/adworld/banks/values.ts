/** What facts and names are chosen from where that is not an item's own (data/adworld/values.md). */
import { z } from 'zod';
import { once, readBank, texts } from './bank.js';

const LISTS = [
  'colors',
  'countries of origin',
  'fuels',
  'groups with a discount',
  'places to park',
  'ways to pay',
  'ways to pay a club',
  'features of shops',
  'features of restaurants',
  'features of clubs',
  'features of stays',
  'destinations near a stay',
  'pets',
  'things that a course provides',
  'things that a tour provides',
  'languages',
  'halls',
  'grounds of fairs',
  'starts of tours',
  'kinds of band',
  'last words of concerts',
  'last words of plays',
  'last words of fairs',
  'last words of tours',
  'last words of stays',
] as const;
export type ValueList = (typeof LISTS)[number];

const values = once(() => readBank('values', z.record(z.enum(LISTS), texts.min(2))));

export function valuesOf(list: ValueList): readonly string[] {
  return values()[list];
}
