/** The parts that invented names are put together from (data/adworld/names.md). */
import { z } from 'zod';
import { banked, once, readBank, texts, words } from './bank.js';

export const nameParts = once(() =>
  readBank(
    'names',
    z.strictObject({
      'beginnings of made-up words': words,
      'middles of made-up words': words,
      'endings of brands': words,
      'endings of surnames': words,
      'endings of towns': words,
      'first names': banked(words),
      streets: banked(words),
      'kinds of street': words,
      'first words of emblems': words,
      'second words of emblems': words,
      models: banked(words),
      'suffixes of models': words,
      'words of codes': banked(words),
      /** Area codes with their drama numbers: each X is a free digit. */
      'phone numbers': texts,
    }),
  ),
);
