/**
 * Pools for ranking: a shopper's search with candidates whose relevance is right by construction.
 *
 * 3 exact: the item with everything asked for; 2 substitute: the item, but one thing asked for is different; 1 complement: something
 * used together with the item; 0 irrelevant: neither. Knows no experiment.
 */
import { Random } from '../base/random.js';
import type { Grade, Pool } from '../samples/sample.js';
import type { Ad, Bank, Split } from './ad.js';
import { type AdRange, askedOf, DEFAULT_ADWORLD_SEED, generateAd } from './adworld.js';
import { once } from './banks/bank.js';
import { queryTexts } from './banks/queries.js';
import { type Offer, offerOf, offers } from './categories/all.js';
import { bankOf, composeAd, overlaps } from './compose.js';
import { Namer } from './names.js';
import type { Facet, FactValues, Scene } from './scene.js';
import { capitalize, fill } from './template.js';
import { priceBetween, randomManner } from './values.js';
import { ADWORLD_VERSION } from './version.js';

export interface PoolRange extends AdRange {
  /** How many candidates each pool has; at least 4. Default 8. */
  readonly candidates?: number;
}

interface Asked {
  readonly facet: Facet;
  /** What the searcher asks for; for prices the bound. */
  readonly value: string;
  readonly bound: number;
}

/** Offers that a search can be made for: some facet, and a complement that is an offer itself. */
const soughtOffers = once(() =>
  offers().filter(({ category, item }) => category.facets.length > 0 && complementsOf(item.complements).length > 0),
);

function complementsOf(nouns: readonly string[] = []): Offer[] {
  return nouns.flatMap((noun) => offerOf(noun) ?? []);
}

export function adworldPools(range: PoolRange): Pool[] {
  return [...poolsOf(range)];
}

/** Gives the pools one after the other, as they are asked for. */
export function* poolsOf({ seed = DEFAULT_ADWORLD_SEED, split, count, candidates = 8 }: PoolRange): Generator<Pool> {
  if (candidates < 4) throw new RangeError(`adworldPools: ${candidates} candidates cannot hold all four grades`);
  for (let index = 0; index < count; index++) yield makePool(seed, split, index, candidates);
}

/** How many of the ads behind its own a pool's candidates are looked for in. */
const NEIGHBOURHOOD = 200;

/**
 * Pools whose query has an answer: an ad with one of its questions, among those of the ads behind it that share most words of the answer, and
 * of these the ones that answer a question of the same kind. Grades are 1 and 0.
 */
export function adworldAnswerPools(range: PoolRange): Pool[] {
  return [...answerPoolsOf(range)];
}

/** Gives the pools one after the other, as they are asked for. */
export function* answerPoolsOf({
  seed = DEFAULT_ADWORLD_SEED,
  split,
  count,
  candidates = 8,
}: PoolRange): Generator<Pool> {
  /** The pool's own ad, and those behind it. */
  const ads: Ad[] = [];
  for (let index = 0; index < count; index++) {
    while (ads.length <= NEIGHBOURHOOD) ads.push(generateAd({ seed, split, index: index + ads.length }));
    const [own, ...others] = ads as [Ad, ...Ad[]];
    ads.shift();
    const { kind, query, answer } = askedOf(own, seed, split, index);
    const words = answer.split(/\s+/);
    const likeness = ({ text, questions }: Ad) =>
      words.filter((word) => text.includes(word)).length / words.length +
      (questions.some((question) => question.kind === kind) ? 0.5 / words.length : 0);
    const chosen = others
      .map((ad) => ({ ad, likeness: likeness(ad) }))
      .sort((a, b) => b.likeness - a.likeness)
      .slice(0, candidates - 1)
      .map(({ ad }) => ad);
    const order = new Random('adworld', ADWORLD_VERSION, seed, split, 'answer pool', index).shuffle([own, ...chosen]);
    yield {
      id: `adworld-answer-pool-${split}-${String(index).padStart(5, '0')}`,
      query,
      answer,
      candidates: order.map((ad) => ({ id: ad.id, document: ad.text, title: ad.title, grade: ad === own ? 1 : 0 })),
    };
  }
}

/** The kinds of fact that a pool's query asks for, by the pool's id; undefined for another id. */
export function soughtKind(id: string, seed: number): string | undefined {
  const { split, index } = POOL_ID.exec(id)?.groups ?? {};
  if (split === undefined) return undefined;
  const random = new Random('adworld', ADWORLD_VERSION, seed, split, 'pool', Number(index));
  const sought = random.pick(soughtOffers());
  const kinds = chooseWishes(random, bankOf(split as Split), sought).map(({ facet }) => facet.kind);
  return kinds.sort().join(' and ');
}

const POOL_ID = /^adworld-pool-(?<split>[a-z]+)-(?<index>\d{5,})$/;

function makePool(seed: number, split: Split, index: number, candidates: number): Pool {
  const key = ['adworld', ADWORLD_VERSION, seed, split, 'pool', index] as const;
  const random = new Random(...key);
  const id = `adworld-pool-${split}-${String(index).padStart(5, '0')}`;
  const sought = random.pick(soughtOffers());
  const asked = chooseWishes(random, bankOf(split), sought);
  const grades = random.shuffle(gradesFor(random, candidates));
  return {
    id,
    query: wording(random, bankOf(split), sought, asked),
    candidates: grades.map((grade, at) => {
      const own = new Random(...key, at);
      const name = `${id}-${at}`;
      const { text, title } = candidateAd(own, split, name, sought, asked, grade);
      return { id: name, document: text, title, grade };
    }),
  };
}

/** Draws the candidates' grades: each grade once, the others at random. */
function gradesFor(random: Random, candidates: number): Grade[] {
  const others: readonly Grade[] = [3, 2, 2, 1, 0, 0];
  return [3, 2, 1, 0, ...Array.from({ length: candidates - 4 }, () => random.pick(others))];
}

/** A scene of which only the values are used. */
function sceneOf(random: Random, bank: Bank, { category, item }: Offer): Scene {
  const namer = new Namer(random, bank);
  const manner = randomManner(random, { euros: true });
  return { random, bank, namer, manner, item, ...category.subject(random, namer, item), day: 100 };
}

function chooseWishes(random: Random, bank: Bank, offer: Offer): Asked[] {
  const facets = random.sample(offer.category.facets, random.between(1, Math.min(2, offer.category.facets.length)));
  return facets.map((facet) => {
    const scene = sceneOf(random, bank, offer);
    const [low, high] = offer.item.price;
    const bound = roundBound(low + (high - low) * (0.3 + 0.3 * random.float()));
    return { facet, bound, value: facet.put === 'under' ? '' : planOf(offer, facet.kind).make(scene)!.value };
  });
}

function roundBound(price: number): number {
  const step = price > 1000 ? 500 : price > 100 ? 50 : price > 20 ? 10 : 2;
  return Math.ceil(price / step) * step;
}

function planOf({ category }: Offer, kind: string): Offer['category']['plans'][number] {
  const plan = category.plans.find(({ fact }) => fact === kind);
  if (plan === undefined) throw new RangeError(`category "${category.name}" has no facts of kind "${kind}"`);
  return plan;
}

function wording(random: Random, bank: Bank, { item }: Offer, asked: readonly Asked[]): string {
  const before = asked.filter(({ facet }) => facet.put === 'before').map(({ value }) => value);
  const after = asked.flatMap(({ facet, value, bound }) => {
    if (facet.put === 'under') return [fill(random.pick(queryTexts()['price bounds'][bank]), { bound: String(bound) })];
    return facet.put === 'before' ? [] : [`${facet.put} ${value}`];
  });
  const wish = [...random.shuffle(before), item.noun, ...random.shuffle(after)].join(' ');
  const query = fill(random.pick(queryTexts().searches[bank]), { wish });
  return random.chance(0.5) ? capitalize(query) : query;
}

function candidateAd(
  random: Random,
  split: Split,
  id: string,
  sought: Offer,
  asked: readonly Asked[],
  grade: Grade,
): Ad {
  const request = { id, split, euros: true };
  if (grade === 1) return composeAd(random, { ...request, ...random.pick(complementsOf(sought.item.complements)) });
  if (grade === 0) return composeAd(random, { ...request, ...unrelated(random, sought) });
  const missed = grade === 2 ? random.pick(asked) : undefined;
  const wanted = Object.fromEntries(
    asked.map((wish) => [
      wish.facet.kind,
      (scene: Scene, own: FactValues) => granted(scene, own, wish, wish !== missed),
    ]),
  );
  return composeAd(random, { ...request, ...sought, wanted });
}

/** Changes the fact's values so that the wish is met, or is not met. Returns undefined when the fact's own values do not allow it. */
function granted(
  scene: Scene,
  own: FactValues,
  { facet, value, bound }: Asked,
  meets: boolean,
): FactValues | undefined {
  if (facet.put !== 'under') {
    const clash = meets ? own.other !== undefined && overlaps(own.other, value) : overlaps(own.value, value);
    if (clash) return undefined;
    return meets ? { ...own, value } : own;
  }
  const [low] = scene.item.price;
  const price = meets
    ? priceBetween(scene.random, Math.min(low, Math.floor(bound * 0.6)), bound - 1)
    : priceBetween(scene.random, Math.ceil(bound * 1.1), Math.ceil(bound * 1.7));
  const shown = meets ? Math.min(price, bound - 0.01) : Math.max(price, bound + 1);
  return { ...own, value: scene.manner.money(shown), other: scene.manner.money(Math.ceil(shown * 1.3) + 1) };
}

function unrelated(random: Random, sought: Offer): Offer {
  const near = new Set([sought.item.noun, ...(sought.item.complements ?? [])]);
  return random.pick(
    offers().filter(
      ({ category, item }) =>
        category !== sought.category && !near.has(item.noun) && !(item.complements ?? []).includes(sought.item.noun),
    ),
  );
}
