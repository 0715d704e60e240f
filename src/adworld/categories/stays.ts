/** Places to stay. */
import { valuesOf } from '../banks/values.js';
import {
  discountPlan,
  feePlan,
  includedPlan,
  oneOf,
  pair,
  parkingPlan,
  personPlan,
  phonePlan,
  placePlan,
  plan,
  ratingPlan,
  websitePlan,
} from '../plans.js';
import type { CategoryRules } from '../scene.js';
import { count, stepped } from '../values.js';
import { featurePlan } from './shops.js';

const named: CategoryRules['subject'] = (random, namer) => {
  const form = random.below(3);
  const name =
    form === 0
      ? `The ${namer.emblem()}`
      : form === 1
        ? `${namer.emblem()} ${random.pick(valuesOf('last words of stays'))}`
        : `${random.pick(['Villa', 'House'])} ${namer.surname()}`;
  return { name, brand: name };
};

const distancePlan = plan('distance', ({ random }) => {
  const goal = pair(random, valuesOf('destinations near a stay'));
  const meters = stepped(random, 100, 900, 50);
  const kilometers = stepped(random, 2, 14, 1);
  const [value, other] = random.shuffle([`${meters} meters`, `${kilometers} kilometers`]);
  return { value: value!, other: other!, goal: goal.value, rival: goal.other! };
});

const sleepsPlan = plan('sleeps', ({ random, manner, item }) => {
  const value = random.between(...(item.amount ?? [2, 8]));
  return { value: count(manner, value, 'guest'), other: count(manner, value + random.between(1, 3), 'guest') };
});

const checkInPlan = plan('checkin', ({ random, manner }) => ({
  value: manner.clock(stepped(random, 13 * 60, 17 * 60, 30)),
  other: manner.clock(stepped(random, 9 * 60, 12 * 60, 30)),
}));

const minimumPlan = plan('minimum', ({ random, manner }) => ({
  value: count(manner, random.between(2, 4), 'night'),
  other: count(manner, random.between(5, 10), 'night'),
}));

const petsPlan = oneOf('pets', 'pets');

const cancellationPlan = plan('cancellation', ({ random, manner }) => ({
  value: count(manner, random.between(2, 12), 'day'),
  other: count(manner, random.between(3, 8), 'week'),
}));

export const stays: readonly CategoryRules[] = [
  {
    name: 'stay',
    family: 'stay',
    subject: named,
    facets: [
      { kind: 'feature', put: 'with' },
      { kind: 'nightly', put: 'under' },
    ],
    plans: [
      plan('nightly', (scene) => feePlan('nightly', ...scene.item.price).make(scene), true),
      sleepsPlan,
      distancePlan,
      checkInPlan,
      petsPlan,
      minimumPlan,
      cancellationPlan,
      personPlan('host'),
      feePlan('deposit', 30, 180),
      featurePlan('features of stays'),
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
