/** Services at home, courses, and clubs. */
import * as event from '../facts/event.js';
import * as money from '../facts/money.js';
import * as service from '../facts/service.js';
import * as shop from '../facts/shop.js';
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
import type { Category, Item } from '../scene.js';
import { listing } from '../template.js';
import { count, stepped, timeRange, WEEKDAYS } from '../values.js';
import { featurePlan, signboard } from './shops.js';

const trades: readonly Item[] = [
  {
    noun: 'plumber',
    price: [45, 95],
    offers: ['leaking pipes', 'blocked drains', 'new bathrooms', 'old boilers', 'dripping taps'],
  },
  {
    noun: 'electrician',
    price: [45, 98],
    offers: ['new sockets', 'old wiring', 'garden lights', 'fuse boxes', 'solar panels'],
  },
  {
    noun: 'cleaning service',
    price: [19, 45],
    offers: ['windows', 'stairways', 'offices', 'carpets', 'holiday homes'],
  },
  { noun: 'locksmith', price: [49, 99], offers: ['lost keys', 'safe locks', 'new doors', 'old locks', 'car doors'] },
  {
    noun: 'moving company',
    price: [59, 140],
    offers: ['pianos', 'whole offices', 'small moves', 'long distances', 'heavy safes'],
  },
  { noun: 'gardener', price: [28, 62], offers: ['hedges', 'old fruit trees', 'new lawns', 'ponds', 'roof gardens'] },
  {
    noun: 'painter',
    price: [32, 68],
    offers: ['stairways', 'wooden windows', 'old ceilings', 'house fronts', "children's rooms"],
  },
  {
    noun: 'chimney sweep',
    price: [35, 72],
    offers: ['open fires', 'tiled stoves', 'old chimneys', 'pellet heating', 'bird nests'],
  },
];

const expertisePlan = plan(service.expertise, ({ random, item }) => pair(random, item.offers ?? []));

const areaPlan = plan(service.areaServed, ({ random, namer }) => ({
  value: listing(random.chance(0.5) ? [namer.town(), namer.town()] : [namer.town(), namer.town(), namer.town()]),
  other: namer.town(),
}));

const responsePlan = plan(service.response, ({ random, manner }) => {
  const minutes = random.chance(0.6);
  return {
    value: minutes ? `${stepped(random, 20, 90, 5)} minutes` : count(manner, random.between(2, 5), 'hour'),
    other: count(manner, random.between(6, 11), 'hour'),
  };
});

const guaranteePlan = plan(service.guarantee, ({ random, manner }) => ({
  value: count(manner, random.between(2, 8), 'year'),
  other: count(manner, random.between(6, 11), 'month'),
}));

const lessons = (noun: string, parts: readonly string[], offers: readonly string[]): Item => ({
  noun,
  price: [60, 420],
  parts,
  offers,
  users: [
    'complete beginners',
    'advanced learners',
    'children',
    'people over sixty',
    'busy professionals',
    'returning learners',
  ],
  complements: noun.endsWith('course') ? ['phrasebook', 'travel guide'] : [],
});
const languageParts = [
  'a textbook',
  'an audio download',
  'a workbook',
  'a certificate',
  'coffee and tea',
  'a dictionary',
];
const courses: readonly Item[] = [
  ...['Spanish', 'Italian', 'Portuguese', 'Swedish', 'Japanese'].map((name) =>
    lessons(`${name} course`, languageParts, [
      'a pen',
      'a notebook',
      'good mood',
      'a photo of yourself',
      'a dictionary',
    ]),
  ),
  lessons(
    'pottery class',
    ['clay and glazes', 'firing of two pieces', 'an apron', 'coffee and tea', 'a set of tools'],
    ['old clothes', 'a towel', 'an apron', 'a bag for your pieces'],
  ),
  lessons(
    'cooking class',
    ['all ingredients', 'a recipe booklet', 'an apron', 'a glass of wine', 'dinner for two'],
    ['an apron', 'a sharp knife', 'a lunch box', 'good appetite'],
  ),
  lessons(
    'guitar course',
    ['sheet music', 'a tuner', 'a loan guitar', 'a songbook', 'coffee and tea'],
    ['a guitar', 'a music stand', 'a pencil', 'spare strings'],
  ),
  lessons(
    'photography course',
    ['a memory card', 'three prints', 'a field trip', 'a handbook', 'coffee and tea'],
    ['a camera', 'a tripod', 'a laptop', 'warm clothes'],
  ),
  lessons(
    'first aid course',
    ['a handbook', 'a certificate', 'a small first aid kit', 'lunch'],
    ['a notebook', 'a blanket', 'comfortable clothes', 'a passport photo'],
  ),
  lessons(
    'dance class',
    ['a drink at the bar', 'a practice evening', 'a playlist', 'a closing party'],
    ['soft shoes', 'a towel', 'a bottle of water', 'a partner'],
  ),
];

const weeksPlan = plan(service.duration, ({ random, manner }) => ({
  value: count(manner, random.between(4, 12), 'week'),
  other: count(manner, random.between(2, 3), 'month'),
}));

const schedulePlan = plan(service.schedule, ({ random, manner }) => {
  const [day, other] = random.sample(WEEKDAYS.slice(0, 5), 2);
  const slot = (weekday: string, open: readonly [number, number], close: readonly [number, number]): string =>
    `on ${weekday}s ${timeRange(random, manner, open, close)}`;
  return { value: slot(day!, [16, 18], [19, 21]), other: slot(other!, [8, 10], [11, 13]) };
});

const bringPlan = plan(event.bring, ({ random, item }) => {
  const things = random.sample(item.offers ?? [], random.between(1, 2));
  return { value: listing(things), other: random.pick(['cups', 'chairs', 'blankets', 'pens and paper']) };
});

const clubs: readonly Item[] = [
  { noun: 'gym', price: [19, 79], complements: ['sports bag', 'yoga mat'] },
  { noun: 'yoga studio', price: [29, 95], complements: ['yoga mat', 'sports bag'] },
  { noun: 'climbing hall', price: [25, 69], complements: ['sports bag'] },
  { noun: 'swimming pool', price: [22, 65], complements: ['sports bag'] },
  { noun: 'dance studio', price: [29, 85], complements: ['sports bag'] },
  { noun: 'tennis club', price: [25, 90], complements: ['sports bag'] },
];
const clubFeatures = [
  'a Finnish sauna',
  'a roof terrace',
  'a juice bar',
  'a quiet room',
  'a steam bath',
  'a salt room',
  'a playroom for children',
  'a whirlpool',
  'a sunny garden',
  'a massage chair',
];

const trialPlan = counted(service.trial, [2, 6, 1], 'week');
const noticePlan = counted(service.notice, [2, 8, 1], 'week');

export const services: readonly Category[] = [
  {
    name: 'home-service',
    family: 'service',
    items: trades,
    subject: signboard,
    facets: [],
    plans: [
      plan(money.hourlyRate, (scene) => feePlan(money.hourlyRate, ...scene.item.price).make(scene)),
      feePlan(money.calloutFee, 15, 49),
      phonePlan,
      areaPlan,
      responsePlan,
      guaranteePlan,
      ofBusiness(hoursPlan),
      ofBusiness(saturdayPlan),
      ofBusiness(personPlan(shop.owner)),
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
    items: courses,
    subject: signboard,
    facets: [
      { kind: 'price', put: 'under' },
      { kind: 'audience', put: 'for' },
    ],
    plans: [
      pricePlan(),
      datePlan(service.startDate, [0, 0], [20, 45], true),
      personPlan(service.teacher),
      schedulePlan,
      weeksPlan,
      groupPlan,
      audiencePlan,
      includedPlan,
      bringPlan,
      datePlan(service.deadline, [-20, -5], [-25, -10]),
      placePlan,
      phonePlan,
      discountPlan,
    ],
  },
  {
    name: 'club',
    family: 'shop',
    items: clubs,
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
      featurePlan(clubFeatures),
      personPlan(service.teacher),
      discountPlan,
      agePlan(12, 18),
      parkingPlan,
      foundedPlan,
      websitePlan,
      oneOf(shop.payment, ['by bank transfer', 'by card', 'in cash', 'by invoice']),
    ],
  },
];
