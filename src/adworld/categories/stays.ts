/** Places to stay. */
import * as money from '../facts/money.js';
import * as stay from '../facts/stay.js';
import {
  discountPlan,
  feePlan,
  includedPlan,
  pair,
  parkingPlan,
  personPlan,
  phonePlan,
  placePlan,
  plan,
  ratingPlan,
  websitePlan,
} from '../plans.js';
import type { Category, Item } from '../scene.js';
import { count, stepped } from '../values.js';
import { featurePlan } from './shops.js';

const outings = ['city walk', 'boat trip', 'guided hike', 'travel guide'];
const parts = [
  'breakfast',
  'bed linen',
  'firewood',
  'towels',
  'final cleaning',
  'a basket of fruit',
  'two bicycles',
  'a welcome drink',
];
const items: readonly Item[] = [
  { noun: 'holiday home', price: [59, 290], complements: outings, parts, amount: [4, 12] },
  { noun: 'guesthouse', price: [49, 180], complements: outings, parts, amount: [6, 24] },
  { noun: 'hotel', price: [69, 340], complements: outings, parts, amount: [30, 120] },
  {
    noun: 'campsite',
    price: [15, 60],
    complements: ['tent', 'sleeping bag', ...outings],
    parts: ['a warm shower', 'firewood', 'a place at the grill', 'fresh rolls', 'a fridge'],
    amount: [40, 200],
  },
  { noun: 'mountain hut', price: [25, 95], complements: ['sleeping bag', 'guided hike'], parts, amount: [8, 40] },
  { noun: 'houseboat', price: [89, 320], complements: ['boat trip', 'kayak'], parts, amount: [2, 8] },
];

const named: Category['subject'] = (random, namer) => {
  const form = random.below(3);
  const name =
    form === 0
      ? `The ${namer.emblem()}`
      : form === 1
        ? `${namer.emblem()} ${random.pick(['Lodge', 'Inn', 'House'])}`
        : `${random.pick(['Villa', 'House'])} ${namer.surname()}`;
  return { name, brand: name };
};

const goals = ['beach', 'station', 'lake', 'old town', 'bus stop', 'ski lift', 'supermarket', 'harbor', 'forest'];
const distancePlan = plan(stay.distance, ({ random }) => {
  const goal = pair(random, goals);
  const meters = stepped(random, 100, 900, 50);
  const kilometers = stepped(random, 2, 14, 1);
  const [value, other] = random.shuffle([`${meters} meters`, `${kilometers} kilometers`]);
  return { value: value!, other: other!, goal: goal.value, rival: goal.other! };
});

const sleepsPlan = plan(stay.sleeps, ({ random, manner, item }) => {
  const value = random.between(...(item.amount ?? [2, 8]));
  return { value: count(manner, value, 'guest'), other: count(manner, value + random.between(1, 3), 'guest') };
});

const checkInPlan = plan(stay.checkIn, ({ random, manner }) => ({
  value: manner.clock(stepped(random, 13 * 60, 17 * 60, 30)),
  other: manner.clock(stepped(random, 9 * 60, 12 * 60, 30)),
}));

const minimumPlan = plan(stay.minimumStay, ({ random, manner }) => ({
  value: count(manner, random.between(2, 4), 'night'),
  other: count(manner, random.between(5, 10), 'night'),
}));

const petsPlan = plan(stay.pets, ({ random }) =>
  pair(random, [
    'small dogs',
    'cats',
    'dogs and cats',
    'caged birds',
    'rabbits',
    'calm dogs on a lead',
    'horses',
    'guinea pigs',
    'snakes',
  ]),
);

const cancellationPlan = plan(stay.cancellation, ({ random, manner }) => ({
  value: count(manner, random.between(2, 12), 'day'),
  other: count(manner, random.between(3, 8), 'week'),
}));

const features = [
  'a sauna',
  'a heated pool',
  'a tiled stove',
  'a roof terrace',
  'a private beach',
  'a rose garden',
  'a library',
  'a playground',
  'a view of the lake',
  'an old wine cellar',
  'a hot tub',
];

export const stays: readonly Category[] = [
  {
    name: 'stay',
    family: 'stay',
    items,
    subject: named,
    facets: [
      { kind: 'feature', put: 'with' },
      { kind: 'nightly', put: 'under' },
    ],
    plans: [
      plan(money.nightlyPrice, (scene) => feePlan(money.nightlyPrice, ...scene.item.price).make(scene), true),
      sleepsPlan,
      distancePlan,
      checkInPlan,
      petsPlan,
      minimumPlan,
      cancellationPlan,
      personPlan(stay.host),
      feePlan(money.deposit, 30, 180),
      featurePlan(features),
      includedPlan,
      phonePlan,
      placePlan,
      parkingPlan,
      ratingPlan,
      websitePlan,
      discountPlan,
    ],
  },
];
