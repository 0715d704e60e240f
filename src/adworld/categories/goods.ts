/** Things for the home and the desk: electronics, kitchen machines, furniture. */
import {
  audiencePlan,
  codePlan,
  colorPlan,
  deliveryPlan,
  includedPlan,
  makerPlan,
  materialPlan,
  ofSeller,
  originPlan,
  phonePlan,
  plan,
  pricePlan,
  ratingPlan,
  returnsPlan,
  shippingPlan,
  sizePlan,
  warrantyPlan,
  websitePlan,
  weightPlan,
} from '../plans.js';
import type { CategoryRules } from '../scene.js';
import { count, stepped } from '../values.js';

export const branded: CategoryRules['subject'] = (_random, namer) => {
  const brand = namer.brand();
  return { brand, name: `${brand} ${namer.model()}` };
};

export const capacityPlan = plan('capacity', ({ random, manner, item }) => {
  if (item.amount === undefined) return undefined;
  const [low, high] = item.amount;
  const unit = item.unit ?? 'liter';
  const value = random.between(low, high) + 1;
  const other = value - random.between(1, Math.max(1, Math.floor(value / 3)));
  return { value: count(manner, value, unit), other: count(manner, other, unit) };
});

const batteryPlan = plan('battery', ({ random, manner, item }) => {
  const days = item.noun === 'smartwatch' || item.noun === 'e-reader';
  const value = days ? random.between(4, 40) : random.between(6, 48);
  const other = Math.max(2, Math.round(value * (0.5 + 0.35 * random.float())));
  const unit = days ? 'day' : 'hour';
  return { value: count(manner, value, unit), other: count(manner, other === value ? other - 1 : other, unit) };
});

const powerPlan = plan('power', ({ random, item }) => {
  if (item.watts === undefined) return undefined;
  const value = stepped(random, ...item.watts, 50);
  return { value: `${value} watts`, other: `${value - stepped(random, 50, 350, 50)} watts` };
});

const assemblyPlan = plan('assembly', ({ random, manner }) => {
  const minutes = stepped(random, 15, 75, 5);
  return { value: `${minutes} minutes`, other: count(manner, random.between(2, 4), 'hour') };
});

const loadPlan = plan('load', ({ random, item }) => {
  if (item.amount === undefined) return undefined;
  const value = stepped(random, ...item.amount, 5);
  return { value: `${value} kg`, other: `${Math.max(5, value - stepped(random, 5, 15, 5))} kg` };
});

export const commonProductPlans = [
  pricePlan(),
  colorPlan,
  weightPlan,
  warrantyPlan,
  deliveryPlan,
  shippingPlan,
  codePlan,
  ratingPlan,
  includedPlan,
  makerPlan,
  audiencePlan,
  materialPlan,
  returnsPlan,
];

export const productFacets: CategoryRules['facets'] = [
  { kind: 'color', put: 'before' },
  { kind: 'material', put: 'before' },
  { kind: 'price', put: 'under' },
  { kind: 'audience', put: 'for' },
];

export const goods: readonly CategoryRules[] = [
  {
    name: 'electronics',
    family: 'product',
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, sizePlan, batteryPlan, websitePlan],
  },
  {
    name: 'kitchen',
    family: 'product',
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, capacityPlan, powerPlan, originPlan],
  },
  {
    name: 'furniture',
    family: 'product',
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, sizePlan, assemblyPlan, loadPlan, originPlan, ofSeller(phonePlan)],
  },
];
