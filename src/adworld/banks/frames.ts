/** What frames the facts of an advertisement, by family of categories and bank (data/adworld/frames.md). Texts only. */
import { z } from 'zod';
import { banked, once, readBank, templates } from './bank.js';
import { FACT_NAMES } from './facts.js';

const FAMILIES = ['product', 'book', 'car', 'shop', 'service', 'course', 'stay', 'event'] as const;
export type Family = (typeof FAMILIES)[number];

/** A slot that is a kind of fact states that fact. */
const sentences = templates({ allowed: ['name', 'brand', 'item', ...FACT_NAMES] });

const frameSchema = z.strictObject({
  opening: sentences,
  /** Several facts in one sentence. */
  joint: sentences,
  closing: sentences,
  /** Small talk without facts. */
  filler: sentences,
  title: sentences,
});

export const frames = once(() => readBank('frames', z.record(z.enum(FAMILIES), banked(frameSchema))));
