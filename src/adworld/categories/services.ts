/** Services at home, courses, and clubs. */
import { valuesOf } from '../banks/values.js';
import {
  agePlan,
  audiencePlan,
  counted,
  datePlan,
  discountPlan,
  feePlan,
  foundedPlan,
  groupPlan,
  hoursPlan,
  includedPlan,
  ofBusiness,
  oneOf,
  pair,
  parkingPlan,
  paymentPlan,
  personPlan,
  phonePlan,
  placePlan,
  plan,
  pricePlan,
  ratingPlan,
  saturdayPlan,
  websitePlan,
} from '../plans.js';
import type { CategoryRules } from '../scene.js';
import { listing } from '../template.js';
import { count, stepped, timeRange, WEEKDAYS } from '../values.js';
import { featurePlan, signboard } from './shops.js';

const expertisePlan = plan('expertise', ({ random, item }) => pair(random, item.offers ?? []));

const areaPlan = plan('area', ({ random, namer }) => ({
  value: listing(random.chance(0.5) ? [namer.town(), namer.town()] : [namer.town(), namer.town(), namer.town()]),
  other: namer.town(),
}));

const responsePlan = plan('response', ({ random, manner }) => {
  const minutes = random.chance(0.6);
  return {
    value: minutes ? `${stepped(random, 20, 90, 5)} minutes` : count(manner, random.between(2, 5), 'hour'),
    other: count(manner, random.between(6, 11), 'hour'),
  };
});

const guaranteePlan = plan('guarantee', ({ random, manner }) => ({
  value: count(manner, random.between(2, 8), 'year'),
  other: count(manner, random.between(6, 11), 'month'),
}));

const weeksPlan = plan('duration', ({ random, manner }) => ({
  value: count(manner, random.between(4, 12), 'week'),
  other: count(manner, random.between(2, 3), 'month'),
}));

const schedulePlan = plan('schedule', ({ random, manner }) => {
  const [day, other] = random.sample(WEEKDAYS.slice(0, 5), 2);
  const slot = (weekday: string, open: readonly [number, number], close: readonly [number, number]): string =>
    `on ${weekday}s ${timeRange(random, manner, open, close)}`;
  return { value: slot(day!, [16, 18], [19, 21]), other: slot(other!, [8, 10], [11, 13]) };
});

const bringPlan = plan('bring', ({ random, item }) => {
  const things = random.sample(item.offers ?? [], random.between(1, 2));
  return { value: listing(things), other: random.pick(valuesOf('things that a course provides')) };
});

const trialPlan = counted('trial', [2, 6, 1], 'week');
const noticePlan = counted('notice', [2, 8, 1], 'week');

export const services: readonly CategoryRules[] = [
  {
    name: 'home-service',
    family: 'service',
    subject: signboard,
    facets: [],
    plans: [
      plan('rate', (scene) => feePlan('rate', ...scene.item.price).make(scene)),
      feePlan('callout', 15, 49),
      phonePlan,
      areaPlan,
      responsePlan,
      guaranteePlan,
      ofBusiness(hoursPlan),
      ofBusiness(saturdayPlan),
      ofBusiness(personPlan('owner')),
      ofBusiness(foundedPlan),
      paymentPlan,
      websitePlan,
      expertisePlan,
      discountPlan,
      ratingPlan,
    ],
  },
  {
    name: 'course',
    family: 'course',
    subject: signboard,
    facets: [
      { kind: 'price', put: 'under' },
      { kind: 'audience', put: 'for' },
    ],
    plans: [
      pricePlan(),
      datePlan('start', [0, 0], [20, 45], true),
      personPlan('teacher'),
      schedulePlan,
      weeksPlan,
      groupPlan,
      audiencePlan,
      includedPlan,
      bringPlan,
      datePlan('deadline', [-20, -5], [-25, -10]),
      placePlan,
      phonePlan,
      discountPlan,
    ],
  },
  {
    name: 'club',
    family: 'shop',
    subject: signboard,
    facets: [
      { kind: 'feature', put: 'with' },
      { kind: 'price', put: 'under' },
    ],
    plans: [
      pricePlan('monthly membership'),
      placePlan,
      phonePlan,
      hoursPlan,
      saturdayPlan,
      trialPlan,
      noticePlan,
      featurePlan('features of clubs'),
      personPlan('teacher'),
      discountPlan,
      agePlan(12, 18),
      parkingPlan,
      foundedPlan,
      websitePlan,
      oneOf('payment', 'ways to pay a club'),
    ],
  },
];
