/** Values that would answer an ad's question wrongly and look like its answer. Knows no tokenizer and no model. */
import { Random } from '../base/random.js';
import { questionById } from './adworld.js';
import type { FactName } from './banks/facts.js';
import { type Offer, offers } from './categories/all.js';
import { bankOf, overlaps } from './compose.js';
import { Namer } from './names.js';
import { ADWORLD_VERSION } from './version.js';

/** Wrong values for a fact. No value holds another one or the answer as a run of whole words, and none stands twice. */
export interface WrongValues {
  /** What the text gives for something else of the same sort; absent where it tells no distractor. */
  readonly distractor?: string;
  /** Answers to the ad's other questions, in the ad's order. */
  readonly sameAd: readonly string[];
  /** What the generator could have told as the answer, and did not: in the ad's way of writing, as many as asked for or as there are. */
  readonly sameKind: readonly string[];
}

/** Draws for each value that is wanted: of some kinds there are few, and the same ones come again. */
const DRAWS = 12;
/** The share of the draws made for the ad's own item, whose values look most like the answer. */
const OWN = 2 / 3;

/**
 * @param id of an ad of the data set
 * @param count values of the same kind that are wanted
 * @returns undefined for another id
 */
export function wrongValues(id: string, seed: number, count: number): WrongValues | undefined {
  const asked = questionById(id, seed);
  if (asked === undefined) return undefined;
  const { ad, scene, category, place, question } = asked;
  const { kind, answer } = question;
  const distractor = ad.facts.find((fact) => fact.kind === kind)?.distractor;
  const sameAd = ad.questions.filter((other) => other.kind !== kind).map((other) => other.answer);
  const taken = [answer, ...(distractor === undefined ? [] : [distractor]), ...sameAd];
  const random = new Random('adworld', ADWORLD_VERSION, place.seed, place.split, place.index, 'wrong values');
  const others = offersWith(kind as FactName);
  const valueFor = (offer: Offer): string | undefined => {
    const namer = new Namer(random, bankOf(place.split));
    const subject = offer.category.subject(random, namer, offer.item);
    const own = { ...scene, ...subject, random, namer, item: offer.item, day: random.between(60, 320) };
    return offer.category.plans.find(({ fact }) => fact === kind)!.make(own)?.value;
  };
  const sameKind: string[] = [];
  const drawn = new Set<string>();
  for (let draw = 0; draw < DRAWS * count && sameKind.length < count; draw++) {
    const own = draw < OWN * DRAWS * count;
    const value = valueFor(own ? { category, item: scene.item } : random.pick(others));
    if (value === undefined || drawn.has(value)) continue;
    drawn.add(value);
    if (![ad.text, ...taken, ...sameKind].some((other) => overlaps(other, value))) sameKind.push(value);
  }
  return { ...(distractor !== undefined && { distractor }), sameAd, sameKind };
}

const byFact = new Map<FactName, readonly Offer[]>();

/** All that may be told a fact of this kind. */
function offersWith(kind: FactName): readonly Offer[] {
  const known = byFact.get(kind) ?? offers().filter(({ category }) => category.plans.some(({ fact }) => fact === kind));
  byFact.set(kind, known);
  return known;
}
