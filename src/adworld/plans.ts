/**
 * Plans for facts that several categories share: which values a kind of fact takes and what stands beside it as a distractor.
 * Knows scenes and kinds, no category.
 */
import type { Random } from '../base/random.js';
import type { FactName } from './banks/facts.js';
import { type ValueList, valuesOf } from './banks/values.js';
import type { FactPlan, FactValues, Scene } from './scene.js';
import { listing } from './template.js';
import { count, decimal, earlierPrice, priceBetween, stepped, timeRange, WEEKDAYS, weightText } from './values.js';

export const plan = (fact: FactName, make: FactPlan['make'], always = false): FactPlan => ({ fact, make, always });

/** The fact takes one of the values, another one is the distractor. */
export const oneOf = (fact: FactName, values: ValueList | readonly string[], always = false): FactPlan =>
  plan(fact, ({ random }) => pair(random, typeof values === 'string' ? valuesOf(values) : values), always);

export function pair(random: Random, values: readonly string[]): FactValues {
  const [value, other] = random.sample(values, 2);
  if (value === undefined || other === undefined) throw new RangeError('pair: fewer than two values');
  return { value, other };
}

/** Two different numbers of a range with a unit, written in the ad's manner. */
export const counted = (
  fact: FactName,
  [low, high, step]: readonly [number, number, number],
  one: string,
  many?: string,
  always = false,
): FactPlan =>
  plan(
    fact,
    ({ random, manner }) => {
      const value = stepped(random, low, high, step);
      let other = stepped(random, low, high, step);
      while (other === value) other = stepped(random, low, high, step);
      return { value: count(manner, value, one, many), other: count(manner, other, one, many) };
    },
    always,
  );

function moneyPair({ random, manner }: Scene, low: number, high: number): FactValues {
  const price = priceBetween(random, low, high);
  return { value: manner.money(price), other: manner.money(earlierPrice(random, price)) };
}

export const pricePlan = (thing?: string): FactPlan =>
  plan('price', (scene) => ({ ...moneyPair(scene, ...scene.item.price), thing: thing ?? scene.item.noun }), true);

export const feePlan = (fact: FactName, low: number, high: number, always = false): FactPlan =>
  plan(fact, (scene) => moneyPair(scene, low, high), always);

export const colorPlan = oneOf('color', 'colors');

export const weightPlan = plan('weight', ({ random, item }) => {
  const [low, high] = item.grams ?? [500, 5000];
  const grams = random.between(low, high);
  return { value: weightText(grams), other: weightText(grams * (1.15 + 0.5 * random.float()) + 20) };
});

export const sizePlan = plan('size', ({ random, item }) => {
  const sides = (item.centimeters ?? [[10, 30]]).map(([low, high]) => random.between(low, high));
  const boxed = sides.map((side) => side + random.between(3, 12));
  const written = (numbers: readonly number[]): string => `${numbers.join(' x ')} cm`;
  return { value: written(sides), other: written(boxed) };
});

export const materialPlan = plan('material', ({ random, item }) => pair(random, item.materials ?? []));
export const audiencePlan = plan('audience', ({ random, item }) => pair(random, item.users ?? []));

export const warrantyPlan = plan('warranty', ({ random, manner }) => {
  const years = random.between(2, 10);
  const value = random.chance(0.7) ? count(manner, years, 'year') : `${years * 12} months`;
  return { value, other: count(manner, random.pick([3, 6, 9]), 'month') };
});

export const deliveryPlan = plan('delivery', ({ random, manner }) => {
  const low = random.between(1, 4);
  const unit = random.pick(['working day', 'day']);
  const value = random.chance(0.5) ? `${low} to ${low + random.between(1, 2)} ${unit}s` : count(manner, low + 1, unit);
  const weeks = random.between(1, 3);
  return { value, other: count(manner, weeks, 'week') };
});

export const ratingPlan = plan('rating', ({ random }) => {
  const tenths = random.between(36, 50);
  const scale = random.pick([' out of 5', ' out of 5 stars', ' of 5 points']);
  const before = tenths - random.between(2, 9);
  return { value: decimal(tenths / 10) + scale, other: decimal(before / 10) + scale };
});

export const includedPlan = plan('included', ({ random, item }) => {
  const parts = random.shuffle(item.parts ?? []);
  const taken = random.between(1, Math.min(3, parts.length - 1));
  return { value: listing(parts.slice(0, taken)), other: parts[taken]! };
});

export const makerPlan = plan('maker', ({ brand, namer }) => ({ value: brand, other: namer.brand() }));

export const returnsPlan = plan('returns', ({ random, manner }) => ({
  value: count(manner, random.between(13, 50) * 2, 'day'),
  other: count(manner, random.between(5, 24), 'day'),
}));

export const originPlan = oneOf('origin', 'countries of origin');

export const codePlan = plan('code', ({ namer }) => ({ value: namer.code(), other: namer.code() }));
export const shippingPlan = plan('shipping', ({ random, manner }) => {
  const fee = random.between(2, 9) + random.pick([0, 0.5, 0.9, 0.95]);
  return { value: manner.money(fee), other: manner.money(Math.ceil(fee) + random.between(4, 12)) };
});

export const discountPlan = plan('discount', ({ random }) => {
  const group = pair(random, valuesOf('groups with a discount'));
  const percent = pair(random, [5, 8, 10, 12, 15, 20, 25, 30].map(String));
  return { value: `${percent.value}%`, other: `${percent.other}%`, group: group.value, rival: group.other! };
});

export const placePlan = plan('place', ({ namer }) => ({
  value: `${namer.street()}, ${namer.town()}`,
  other: `${namer.street()}, ${namer.town()}`,
}));

/** Makes a plan about whoever offers the item instead of the item itself: the seller of a car, a plumber's business. */
const about =
  (subject: Readonly<Record<string, string>>) =>
  (own: FactPlan): FactPlan => ({
    ...own,
    make: (scene) => {
      const values = own.make(scene);
      return values && { ...values, ...subject };
    },
  });
export const ofSeller = about({ name: 'the seller', item: 'seller', thing: 'seller' });
export const ofBusiness = about({ item: 'business', thing: 'business' });

export const phonePlan = plan('phone', ({ namer }) => ({ value: namer.phone(), other: namer.phone() }));

/** A web address made of the name; domains under .example belong to nobody. */
function webAddress(name: string, ending = 'example'): string {
  const slug = name
    .toLowerCase()
    .replace(/^the /, '')
    .replace(/[^a-z0-9]+/g, '-');
  return `www.${slug}.${ending}`;
}

export const websitePlan = plan('website', ({ name, random, namer }) => ({
  value: webAddress(name),
  other: webAddress(random.chance(0.5) ? namer.brand() : namer.emblem()),
}));

export const hoursBetween = (open: readonly [number, number], close: readonly [number, number]): FactPlan => ({
  ...plan('hours', ({ random, manner }) => ({
    value: timeRange(random, manner, open, close),
    other: timeRange(random, manner, [10, 12], [13, 15]),
  })),
  excludes: 'closed',
});
export const hoursPlan = hoursBetween([7, 10], [16, 20]);
export const saturdayPlan = plan('saturday', ({ random, manner }) => ({
  value: timeRange(random, manner, [8, 11], [12, 17]),
}));
export const closedPlan: FactPlan = {
  ...oneOf(
    'closed',
    WEEKDAYS.slice(0, 4).map((day) => `${day}s`),
  ),
  excludes: 'hours',
};

export const foundedPlan = plan('founded', ({ random }) => {
  const year = random.between(1868, 2012);
  return { value: String(year), other: String(year + random.between(4, 12)) };
});

export const personPlan = (fact: FactName, always = false): FactPlan =>
  plan(fact, ({ namer }) => ({ value: namer.person(), other: namer.person() }), always);

/** The day itself plus `shift` days; the distractor lies `other` days from that. */
export const datePlan = (
  fact: FactName,
  shift: readonly [number, number],
  other: readonly [number, number],
  always = false,
): FactPlan =>
  plan(
    fact,
    ({ random, manner, day }) => {
      const value = day + random.between(...shift);
      return { value: manner.date(value), other: manner.date(value + random.between(...other)) };
    },
    always,
  );

export const parkingPlan = oneOf('parking', 'places to park');

export const paymentPlan = oneOf('payment', 'ways to pay');

export const groupPlan = counted('group', [4, 24, 1], 'person', 'people');

/** Ages from which something is open to people alone. */
export const agePlan = (low: number, high: number): FactPlan =>
  plan('age', ({ random }) => {
    const from = random.between(low, high);
    const people = from < 14 ? ['children', 'young people', 'visitors'] : ['people', 'visitors', 'guests'];
    const form = random.pick(['aged', 'from', 'ages']);
    const value =
      form === 'ages'
        ? `ages ${from} and up`
        : form === 'aged'
          ? `${random.pick(people)} aged ${from} and over`
          : `${random.pick(people)} from ${from}`;
    return { value, other: `${random.pick(['children', 'kids'])} of ${Math.max(2, from - random.between(2, 4))}` };
  });
