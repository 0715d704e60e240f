/** How people put what they ask (data/adworld/queries.md). */
import { z } from 'zod';
import { banked, once, readBank, templates, words } from './bank.js';

const around = (slot: string) => banked(templates({ allowed: [slot], needed: [slot] }));

export const queryTexts = once(() =>
  readBank(
    'queries',
    z.strictObject({
      /** What a question loses when it is typed into a search box. */
      'little words': words,
      'before a question': around('query'),
      'before a noun phrase': around('query'),
      /** Searches of pools. */
      searches: around('wish'),
      'price bounds': around('bound'),
    }),
  ),
);
