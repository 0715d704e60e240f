/** Things to wear, to take along, to play and to read. */
import {
  agePlan,
  audiencePlan,
  codePlan,
  deliveryPlan,
  includedPlan,
  makerPlan,
  materialPlan,
  originPlan,
  personPlan,
  plan,
  pricePlan,
  ratingPlan,
  returnsPlan,
  shippingPlan,
  warrantyPlan,
  websitePlan,
} from '../plans.js';
import type { CategoryRules } from '../scene.js';
import { count, MONTHS, stepped } from '../values.js';
import { branded, capacityPlan, commonProductPlans, productFacets } from './goods.js';

const piecesPlan = plan('pieces', ({ random, item }) => {
  if (item.amount === undefined) return undefined;
  const value = stepped(random, ...item.amount, 4);
  const unit = item.noun === 'card game' ? 'cards' : 'pieces';
  return { value: `${value} ${unit}`, other: `${Math.max(4, Math.round(value * 0.4))} ${unit}` };
});

const playersPlan = plan('players', ({ random, item }) => {
  if (!item.noun.endsWith('game')) return undefined;
  const most = random.between(4, 6);
  const low = random.between(2, 3);
  return { value: `${low} to ${most} players`, other: `up to ${most + random.between(2, 4)} players` };
});

const playingTimePlan = plan('duration', ({ random, item, manner }) => {
  if (!item.noun.endsWith('game')) return undefined;
  const value = stepped(random, 15, 75, 5);
  return { value: `${value} minutes`, other: count(manner, random.between(2, 4), 'hour'), thing: item.noun };
});

const pagesPlan = plan('pages', ({ random, item }) => {
  const value = stepped(random, ...(item.amount ?? [64, 256]), 4);
  return { value: `${value} pages`, other: `${Math.max(12, Math.round(value * (0.5 + random.float() * 0.4)))} pages` };
});

const publishedPlan = plan('published', ({ random, manner, day }) => ({
  value: manner.date(day),
  other: `${random.pick(MONTHS)} ${random.between(1994, 2019)}`,
}));

const titled =
  (...leads: readonly string[]): CategoryRules['subject'] =>
  (random, namer) => ({ brand: namer.brand(), name: random.pick(leads) + namer.emblem() });

const loadPlan = plan('load', ({ random, item }) => {
  if (item.amount === undefined || item.amount[0] < 90) return undefined;
  const value = stepped(random, ...item.amount, 5);
  return { value: `${value} kg`, other: `${value - stepped(random, 10, 30, 5)} kg` };
});
const carried = plan('capacity', (scene) =>
  scene.item.amount === undefined || scene.item.amount[0] >= 90 ? undefined : capacityPlan.make(scene),
);

export const leisure: readonly CategoryRules[] = [
  {
    name: 'clothing',
    family: 'product',
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, originPlan, carried],
  },
  {
    name: 'outdoor',
    family: 'product',
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, loadPlan, carried, originPlan],
  },
  {
    name: 'games',
    family: 'product',
    subject: titled(''),
    facets: productFacets.filter(({ kind }) => kind !== 'color'),
    plans: [
      pricePlan(),
      agePlan(4, 12),
      playersPlan,
      playingTimePlan,
      piecesPlan,
      includedPlan,
      materialPlan,
      audiencePlan,
      makerPlan,
      ratingPlan,
      deliveryPlan,
      shippingPlan,
      codePlan,
      originPlan,
      returnsPlan,
      warrantyPlan,
    ],
  },
  {
    name: 'books',
    family: 'book',
    subject: titled('', 'The ', 'My '),
    facets: productFacets.filter(({ kind }) => kind === 'price' || kind === 'audience'),
    plans: [
      pricePlan(),
      personPlan('author'),
      pagesPlan,
      publishedPlan,
      includedPlan,
      audiencePlan,
      ratingPlan,
      deliveryPlan,
      shippingPlan,
      codePlan,
      websitePlan,
    ],
  },
];
