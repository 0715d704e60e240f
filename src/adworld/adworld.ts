/**
 * AdWorld: a seeded generator of advertisements with questions, the built-in dataset and the training data of the built-in model.
 *
 * Item i of a seed and split depends on these three and the version alone, so any first N items are the same whatever is asked for.
 * Names and templates of validation and test never occur in training. Knows no model and no tokenizer.
 */
import { Random } from '../base/random.js';
import type { Sample } from '../samples/sample.js';
import type { Ad, AdQuestion, Split } from './ad.js';
import { categories } from './categories/all.js';
import { type Composed, compose } from './compose.js';
import type { Category } from './scene.js';
import { ADWORLD_VERSION } from './version.js';

export const DEFAULT_ADWORLD_SEED = 0;

export interface AdRange {
  /** The seed of the data; 0 by default. */
  readonly seed?: number;
  readonly split: Split;
  readonly count: number;
}

function adId(split: Split, index: number): string {
  return `adworld-${split}-${String(index).padStart(5, '0')}`;
}

interface Place {
  readonly seed?: number;
  readonly split: Split;
  readonly index: number;
}

export function generateAd(place: Place): Ad {
  return generated(place).ad;
}

/** Generates an ad together with what it was made from. */
function generated({ seed = DEFAULT_ADWORLD_SEED, split, index }: Place): Composed & { readonly category: Category } {
  const random = new Random('adworld', ADWORLD_VERSION, seed, split, index);
  const category = random.pick(categories());
  const composed = compose(random, { id: adId(split, index), split, category, item: random.pick(category.items) });
  return { ...composed, category };
}

/** One sample an ad, so that samples are independent of each other; which question is asked is the ad's own choice. */
export function adworldSamples(range: AdRange): Sample[] {
  return [...samplesOf(range)];
}

/** Gives the samples one after the other, as they are asked for. `from` leaves out the first ones. */
export function* samplesOf({ seed = DEFAULT_ADWORLD_SEED, split, count }: AdRange, from = 0): Generator<Sample> {
  for (let index = from; index < count; index++) {
    const ad = generateAd({ seed, split, index });
    const { query, answer } = askedOf(ad, seed, split, index);
    yield { id: ad.id, document: ad.text, title: ad.title, query, answer };
  }
}

/** The kind of question that the sample of an ad asks, by the ad's id; undefined for another id. It is what samples share that are not independent. */
export function askedKind(id: string, seed: number): string | undefined {
  return questionById(id, seed)?.question.kind;
}

/** An ad and what its sample asks. */
export interface AskedAd extends Composed {
  readonly place: Required<Place>;
  readonly category: Category;
  readonly question: AdQuestion;
}

/** The question that the sample of an ad asks, by the ad's id; undefined for another id. */
export function questionById(id: string, seed: number): AskedAd | undefined {
  const { split, index } = AD_ID.exec(id)?.groups ?? {};
  if (split === undefined) return undefined;
  const place = { seed, split: split as Split, index: Number(index) };
  const composed = generated(place);
  return { ...composed, place, question: askedOf(composed.ad, seed, place.split, place.index) };
}

const AD_ID = /^adworld-(?:answer-pool-)?(?<split>[a-z]+)-(?<index>\d{5,})$/;

/** The one of an ad's questions that a sample asks. */
export function askedOf(ad: Ad, seed: number, split: Split, index: number): AdQuestion {
  return new Random('adworld', ADWORLD_VERSION, seed, split, index, 'question').pick(ad.questions);
}
