/** Used cars, sold by their owners. */
import * as technical from '../facts/technical.js';
import { COLORS, colorPlan, includedPlan, ofSeller, oneOf, phonePlan, placePlan, plan, pricePlan } from '../plans.js';
import type { Category, Item } from '../scene.js';
import { stepped } from '../values.js';
import { branded } from './goods.js';

const extras = [
  'a set of winter tires',
  'a roof rack',
  'a spare key',
  'a phone holder',
  'floor mats',
  'a tow bar',
  'a child seat',
];
const item = (noun: string, price: readonly [number, number]): Item => ({
  noun,
  price,
  parts: extras,
  materials: COLORS,
});

const items: readonly Item[] = [
  item('station wagon', [2400, 16900]),
  item('hatchback', [1500, 12500]),
  item('van', [3200, 21000]),
  item('convertible', [3900, 24000]),
  item('sedan', [2200, 18500]),
  item('camper van', [6900, 38000]),
];

const yearPlan = plan(
  technical.year,
  ({ random }) => {
    const built = random.between(1998, 2019);
    return { value: String(built), other: String(built + random.between(2, 6)) };
  },
  true,
);

const thousands = (amount: number): string => String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
const mileagePlan = plan(technical.mileage, ({ random }) => {
  const unit = random.pick(['km', 'kilometers']);
  const value = stepped(random, 28000, 240000, 1000);
  return {
    value: `${thousands(value)} ${unit}`,
    other: `${thousands(value - stepped(random, 2000, 18000, 1000))} ${unit}`,
  };
});

const powerPlan = plan(technical.power, ({ random }) => {
  const value = random.between(60, 190);
  return { value: `${value} horsepower`, other: `${value - random.between(5, 20)} horsepower` };
});

const inspectionPlan = plan(technical.inspection, ({ random }) => {
  const months = 'January March April May June July August September October November'.split(' ');
  const [value, other] = random.sample(months, 2);
  return { value: `${value} next year`, other: `${other} of last year` };
});

const ownersPlan = plan(technical.owners, ({ random, manner }) => {
  const spelled = ['two', 'three', 'four'];
  const at = random.below(3);
  const years = random.between(2, 9);
  return {
    value: `${manner.spellsNumbers ? spelled[at] : at + 2} owners`,
    other: `${manner.spellsNumbers ? ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][years - 2] : years} years`,
  };
});

export const cars: readonly Category[] = [
  {
    name: 'cars',
    family: 'car',
    items,
    subject: branded,
    facets: [
      { kind: 'color', put: 'before' },
      { kind: 'price', put: 'under' },
    ],
    plans: [
      pricePlan(),
      yearPlan,
      mileagePlan,
      oneOf(technical.fuel, ['gasoline', 'diesel', 'hydrogen', 'natural gas', 'bioethanol']),
      colorPlan,
      powerPlan,
      inspectionPlan,
      ownersPlan,
      includedPlan,
      ofSeller(phonePlan),
      ofSeller(placePlan),
    ],
  },
];
