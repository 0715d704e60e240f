/** Things that happen on a day: concerts, theater, festivals and markets, tours. */
import { type ValueList, valuesOf } from '../banks/values.js';
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
import type { CategoryRules, Scene } from '../scene.js';
import { listing } from '../template.js';
import { count, stepped } from '../values.js';

/** "Silent Harp Nights": an event's title. */
const titled =
  (endings: ValueList): CategoryRules['subject'] =>
  (random, namer) => {
    const ending = random.pick(valuesOf(endings));
    return { name: `${random.chance(0.4) ? 'The ' : ''}${namer.emblem()} ${ending}`, brand: namer.brand() };
  };

const hall = ({ random, namer }: Scene, kinds: ValueList): string =>
  `the ${namer.surname()} ${random.pick(valuesOf(kinds))} in ${namer.town()}`;
const venuePlan = (kinds: ValueList) =>
  plan('venue', (scene) => ({ value: hall(scene, kinds), other: hall(scene, kinds) }), true);

const timePlan = (from: number, to: number) =>
  plan('time', ({ random, manner }) => {
    const start = stepped(random, from * 60, to * 60, 15);
    return { value: manner.clock(start), other: manner.clock(start - random.pick([30, 45, 60, 90])) };
  });

const actPlan = plan('performer', ({ random, namer }) => {
  const name = (): string =>
    random.chance(0.5) ? namer.person() : `The ${namer.emblem()} ${random.pick(valuesOf('kinds of band'))}`;
  return { value: name(), other: name() };
});

const minutesPlan = plan('duration', ({ random, manner }) => ({
  value: `${stepped(random, 50, 180, 10)} minutes`,
  other: count(manner, random.between(2, 4), 'hour'),
}));
const hoursPlan = plan('duration', ({ random, manner }) => {
  const [value, other] = random.sample([2, 3, 4, 5, 6, 7], 2);
  return { value: count(manner, value!, 'hour'), other: count(manner, other!, 'hour') };
});

const languagePlan = oneOf('language', 'languages');

const bringPlan = plan('bring', ({ random, item }) => {
  const things = random.sample(item.offers ?? [], random.between(1, 2));
  return { value: listing(things), other: random.pick(valuesOf('things that a tour provides')) };
});

const stallsPlan = plan('stalls', ({ random }) => {
  const { value, other } = pair(random, [24, 30, 36, 45, 52, 60, 75, 80, 96, 110, 140].map(String));
  return { value: `${value} stalls`, other: `${other} stalls` };
});

const ticketPlan = pricePlan('ticket');
const date = datePlan('date', [0, 0], [-30, -5], true);

export const events: readonly CategoryRules[] = [
  {
    name: 'concert',
    family: 'event',
    subject: titled('last words of concerts'),
    facets: [],
    plans: [
      ticketPlan,
      date,
      timePlan(17, 21),
      venuePlan('halls'),
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
    subject: titled('last words of plays'),
    facets: [],
    plans: [
      ticketPlan,
      date,
      timePlan(15, 21),
      venuePlan('halls'),
      personPlan('director'),
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
    subject: titled('last words of fairs'),
    facets: [],
    plans: [
      pricePlan('entry ticket'),
      date,
      timePlan(9, 12),
      venuePlan('grounds of fairs'),
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
    subject: titled('last words of tours'),
    facets: [],
    plans: [
      pricePlan('tour ticket'),
      date,
      timePlan(8, 20),
      venuePlan('starts of tours'),
      personPlan('guide'),
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
