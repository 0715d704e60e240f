/** Things that happen on a day: concerts, theater, festivals and markets, tours. */
import * as event from '../facts/event.js';
import * as service from '../facts/service.js';
import {
  agePlan,
  codePlan,
  datePlan,
  discountPlan,
  groupPlan,
  includedPlan,
  oneOf,
  pair,
  parkingPlan,
  personPlan,
  phonePlan,
  plan,
  pricePlan,
  websitePlan,
} from '../plans.js';
import type { Category, Item, Scene } from '../scene.js';
import { listing } from '../template.js';
import { count, stepped } from '../values.js';

const gifts = [
  'a drink',
  'a printed program',
  'the cloakroom',
  'a bus ticket',
  'a small snack',
  'a poster',
  'a seat cushion',
];
const evening = (noun: string, low: number, high: number): Item => ({
  noun,
  price: [low, high],
  parts: gifts,
  complements: ['hotel', 'Italian restaurant', 'Thai restaurant'],
});

const concerts = [
  'jazz concert',
  'choir concert',
  'rock concert',
  'organ concert',
  'folk concert',
  'brass concert',
  'string quartet',
].map((noun) => evening(noun, 9, 75));
const plays = ['comedy night', 'puppet show', 'musical', 'crime play', 'dance show', 'magic show', 'circus show'].map(
  (noun) => evening(noun, 8, 68),
);
const fairs: readonly Item[] = [
  'street food festival',
  'flea market',
  'book fair',
  'lantern festival',
  'winter market',
  'wine festival',
  'craft fair',
  'plant market',
].map((noun) => ({ noun, price: [2, 15], parts: gifts, complements: ['hotel', 'guesthouse'] }));
const tours: readonly Item[] = [
  { noun: 'city walk', price: [8, 35], offers: ['sturdy shoes', 'a rain jacket', 'a bottle of water', 'a camera'] },
  { noun: 'boat trip', price: [12, 58], offers: ['a warm jacket', 'sun cream', 'a hat', 'dry socks'] },
  { noun: 'guided hike', price: [10, 45], offers: ['hiking boots', 'a packed lunch', 'a walking stick', 'sun cream'] },
  { noun: 'museum tour', price: [7, 28], offers: ['a pencil', 'soft shoes', 'reading glasses', 'a student card'] },
  { noun: 'night walk', price: [8, 32], offers: ['a flashlight', 'warm clothes', 'sturdy shoes', 'a little courage'] },
  { noun: 'bicycle tour', price: [14, 62], offers: ['a helmet', 'a bottle of water', 'gloves', 'a rain jacket'] },
].map((tour) => ({
  ...tour,
  price: [tour.price[0]!, tour.price[1]!],
  parts: ['a drink', 'a map', 'a small snack', 'all entry fees', 'a souvenir', 'a picnic'],
  complements: ['hotel', 'guesthouse', 'travel guide'],
}));

/** "Silent Harp Nights": an event's title. */
const titled =
  (...endings: readonly string[]): Category['subject'] =>
  (random, namer) => {
    const ending = random.pick(endings);
    return { name: `${random.chance(0.4) ? 'The ' : ''}${namer.emblem()} ${ending}`, brand: namer.brand() };
  };

const halls = ['Hall', 'Theater', 'Church', 'Barn', 'Club', 'Palace'];
const hall = ({ random, namer }: Scene, kinds: readonly string[]): string =>
  `the ${namer.surname()} ${random.pick(kinds)} in ${namer.town()}`;
const venuePlan = (kinds: readonly string[]) =>
  plan(event.venue, (scene) => ({ value: hall(scene, kinds), other: hall(scene, kinds) }), true);

const timePlan = (from: number, to: number) =>
  plan(event.time, ({ random, manner }) => {
    const start = stepped(random, from * 60, to * 60, 15);
    return { value: manner.clock(start), other: manner.clock(start - random.pick([30, 45, 60, 90])) };
  });

const actPlan = plan(event.performer, ({ random, namer }) => {
  const name = (): string =>
    random.chance(0.5)
      ? namer.person()
      : `The ${namer.emblem()} ${random.pick(['Band', 'Trio', 'Ensemble', 'Company'])}`;
  return { value: name(), other: name() };
});

const minutesPlan = plan(service.duration, ({ random, manner }) => ({
  value: `${stepped(random, 50, 180, 10)} minutes`,
  other: count(manner, random.between(2, 4), 'hour'),
}));
const hoursPlan = plan(service.duration, ({ random, manner }) => {
  const [value, other] = random.sample([2, 3, 4, 5, 6, 7], 2);
  return { value: count(manner, value!, 'hour'), other: count(manner, other!, 'hour') };
});

const languagePlan = oneOf(event.language, [
  'English',
  'German',
  'French',
  'Spanish',
  'Italian',
  'Dutch',
  'Polish',
  'sign language',
]);

const supplies = ['umbrellas', 'blankets', 'maps', 'cups', 'headphones', 'binoculars'];
const bringPlan = plan(event.bring, ({ random, item }) => {
  const things = random.sample(item.offers ?? [], random.between(1, 2));
  return { value: listing(things), other: random.pick(supplies) };
});

const stallsPlan = plan(event.stalls, ({ random }) => {
  const { value, other } = pair(random, [24, 30, 36, 45, 52, 60, 75, 80, 96, 110, 140].map(String));
  return { value: `${value} stalls`, other: `${other} stalls` };
});

const ticketPlan = pricePlan('ticket');
const date = datePlan(event.date, [0, 0], [-30, -5], true);

export const events: readonly Category[] = [
  {
    name: 'concert',
    family: 'event',
    items: concerts,
    subject: titled('Nights', 'Sessions', 'Evenings', 'Serenade'),
    facets: [],
    plans: [
      ticketPlan,
      date,
      timePlan(17, 21),
      venuePlan(halls),
      actPlan,
      minutesPlan,
      agePlan(5, 18),
      includedPlan,
      phonePlan,
      codePlan,
      websitePlan,
      discountPlan,
      parkingPlan,
    ],
  },
  {
    name: 'theater',
    family: 'event',
    items: plays,
    subject: titled('Show', 'Stage', 'Tales', 'Revue'),
    facets: [],
    plans: [
      ticketPlan,
      date,
      timePlan(15, 21),
      venuePlan(halls),
      personPlan(event.director),
      actPlan,
      minutesPlan,
      agePlan(5, 18),
      includedPlan,
      phonePlan,
      discountPlan,
      websitePlan,
    ],
  },
  {
    name: 'fair',
    family: 'event',
    items: fairs,
    subject: titled('Days', 'Weekend', 'Fest'),
    facets: [],
    plans: [
      pricePlan('entry ticket'),
      date,
      timePlan(9, 12),
      venuePlan(['Park', 'Square', 'Meadow', 'Hall', 'Barn']),
      actPlan,
      stallsPlan,
      parkingPlan,
      includedPlan,
      phonePlan,
      websitePlan,
      discountPlan,
    ],
  },
  {
    name: 'tour',
    family: 'event',
    items: tours,
    subject: titled('Tour', 'Trail', 'Discovery'),
    facets: [],
    plans: [
      pricePlan('tour ticket'),
      date,
      timePlan(8, 20),
      venuePlan(['Bridge', 'Fountain', 'Gate', 'Tower', 'Pier']),
      personPlan(event.guide),
      hoursPlan,
      groupPlan,
      agePlan(5, 18),
      languagePlan,
      bringPlan,
      includedPlan,
      phonePlan,
      discountPlan,
    ],
  },
];
