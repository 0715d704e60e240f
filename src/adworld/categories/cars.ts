/** Used cars, sold by their owners. */
import { colorPlan, includedPlan, ofSeller, oneOf, phonePlan, placePlan, plan, pricePlan } from '../plans.js';
import type { CategoryRules } from '../scene.js';
import { stepped } from '../values.js';
import { branded } from './goods.js';

const yearPlan = plan(
  'year',
  ({ random }) => {
    const built = random.between(1998, 2019);
    return { value: String(built), other: String(built + random.between(2, 6)) };
  },
  true,
);

const thousands = (amount: number): string => String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
const mileagePlan = plan('mileage', ({ random }) => {
  const unit = random.pick(['km', 'kilometers']);
  const value = stepped(random, 28000, 240000, 1000);
  return {
    value: `${thousands(value)} ${unit}`,
    other: `${thousands(value - stepped(random, 2000, 18000, 1000))} ${unit}`,
  };
});

const powerPlan = plan('power', ({ random }) => {
  const value = random.between(60, 190);
  return { value: `${value} horsepower`, other: `${value - random.between(5, 20)} horsepower` };
});

const inspectionPlan = plan('inspection', ({ random }) => {
  const months = 'January March April May June July August September October November'.split(' ');
  const [value, other] = random.sample(months, 2);
  return { value: `${value} next year`, other: `${other} of last year` };
});

const ownersPlan = plan('owners', ({ random, manner }) => {
  const spelled = ['two', 'three', 'four'];
  const at = random.below(3);
  const years = random.between(2, 9);
  return {
    value: `${manner.spellsNumbers ? spelled[at] : at + 2} owners`,
    other: `${manner.spellsNumbers ? ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][years - 2] : years} years`,
  };
});

export const cars: readonly CategoryRules[] = [
  {
    name: 'cars',
    family: 'car',
    subject: branded,
    facets: [
      { kind: 'color', put: 'before' },
      { kind: 'price', put: 'under' },
    ],
    plans: [
      pricePlan(),
      yearPlan,
      mileagePlan,
      oneOf('fuel', 'fuels'),
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
