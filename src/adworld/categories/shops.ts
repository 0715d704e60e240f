/** Shops, restaurants and salons. */
import { type ValueList, valuesOf } from '../banks/values.js';
import {
  closedPlan,
  discountPlan,
  foundedPlan,
  hoursBetween,
  hoursPlan,
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
import { count, stepped } from '../values.js';

/** "The Copper Lantern", "Thornquill & Sons": a shop's name that doesn't say what it sells. */
export const signboard: CategoryRules['subject'] = (random, namer) => {
  const form = random.below(4);
  const name =
    form < 2
      ? `The ${namer.emblem()}`
      : `${namer.surname()} ${random.pick(form === 2 ? ['& Sons', '& Daughters'] : ['Brothers', 'Sisters'])}`;
  return { name, brand: name };
};

const specialtyPlan = plan('specialty', ({ random, item }) => pair(random, item.offers ?? []));
const expertisePlan = plan('expertise', ({ random, item }) => pair(random, item.offers ?? []));
const unitPricePlan = plan(pricePlan().fact, (scene) => {
  const values = pricePlan().make(scene);
  return values && { ...values, thing: scene.item.unit ?? 'lunch menu' };
});

export const featurePlan = (features: ValueList): CategoryRules['plans'][number] =>
  plan('feature', ({ random }) => {
    const { value, other } = pair(random, valuesOf(features));
    return { value, other: other!.replace(/^(?:an?|the) /, '') };
  });

const seatsPlan = plan('seats', ({ random }) => {
  const value = stepped(random, 22, 90, 2);
  return { value: `${value} guests`, other: `${stepped(random, 8, 20, 2)} guests` };
});

const sessionPlan = plan('duration', ({ random, manner, item }) => {
  const value = stepped(random, 20, 90, 5);
  return {
    value: `${value} minutes`,
    other: count(manner, random.between(2, 3), 'hour'),
    thing: item.unit!,
    item: item.unit!,
  };
});

const shopPlans = [
  placePlan,
  phonePlan,
  hoursPlan,
  saturdayPlan,
  closedPlan,
  specialtyPlan,
  unitPricePlan,
  foundedPlan,
  parkingPlan,
  paymentPlan,
  personPlan('owner'),
  websitePlan,
  discountPlan,
];
const featureFacets: CategoryRules['facets'] = [{ kind: 'feature', put: 'with' }];

export const shops: readonly CategoryRules[] = [
  {
    name: 'food-shop',
    family: 'shop',
    subject: signboard,
    facets: featureFacets,
    plans: [...shopPlans, featurePlan('features of shops')],
  },
  {
    name: 'retail',
    family: 'shop',
    subject: signboard,
    facets: featureFacets,
    plans: [...shopPlans, featurePlan('features of shops')],
  },
  {
    name: 'restaurant',
    family: 'shop',
    subject: signboard,
    facets: featureFacets,
    plans: [
      ...shopPlans.filter(({ fact }) => fact !== 'owner' && fact !== 'hours'),
      hoursBetween([10, 12], [20, 23]),
      personPlan('chef'),
      featurePlan('features of restaurants'),
      seatsPlan,
      ratingPlan,
    ],
  },
  {
    name: 'salon',
    family: 'shop',
    subject: signboard,
    facets: [],
    plans: [...shopPlans.filter(({ fact }) => fact !== 'specialty'), expertisePlan, sessionPlan, ratingPlan],
  },
];
