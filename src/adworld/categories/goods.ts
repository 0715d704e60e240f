/** Things for the home and the desk: electronics, kitchen machines, furniture. */
import * as technical from '../facts/technical.js';
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
import type { Category, Item } from '../scene.js';
import { count, stepped } from '../values.js';

export const branded: Category['subject'] = (_random, namer) => {
  const brand = namer.brand();
  return { brand, name: `${brand} ${namer.model()}` };
};

export const capacityPlan = plan(technical.capacity, ({ random, manner, item }) => {
  if (item.amount === undefined) return undefined;
  const [low, high] = item.amount;
  const unit = item.unit ?? 'liter';
  const value = random.between(low, high) + 1;
  const other = value - random.between(1, Math.max(1, Math.floor(value / 3)));
  return { value: count(manner, value, unit), other: count(manner, other, unit) };
});

const workers = [
  'students',
  'people who travel a lot',
  'commuters',
  'home workers',
  'beginners',
  'musicians',
  'older people',
  'families',
];

const electronics: readonly Item[] = [
  {
    noun: 'headset',
    price: [29, 240],
    grams: [120, 420],
    centimeters: [
      [15, 22],
      [12, 20],
      [6, 11],
    ],
    complements: ['laptop', 'tablet'],
    materials: ['recycled plastic', 'aluminum', 'soft leather', 'bamboo'],
    parts: ['a charging cable', 'a travel case', 'a spare pair of ear pads', 'a microphone', 'a phone adapter'],
    users: workers,
  },
  {
    noun: 'speaker',
    price: [35, 320],
    grams: [400, 3800],
    centimeters: [
      [10, 35],
      [8, 22],
      [9, 40],
    ],
    complements: ['tablet', 'projector'],
    materials: ['walnut wood', 'aluminum', 'recycled plastic', 'woven fabric'],
    parts: ['a power cable', 'a wall mount', 'a carrying strap', 'a remote control', 'a dust bag'],
    users: ['small apartments', 'garden parties', 'music lovers', 'cafés', 'large rooms', 'families'],
  },
  {
    noun: 'tablet',
    price: [120, 720],
    grams: [280, 740],
    centimeters: [
      [17, 29],
      [12, 21],
      [1, 2],
    ],
    complements: ['headset', 'desk lamp'],
    materials: ['aluminum', 'magnesium', 'recycled plastic'],
    parts: ['a pen', 'a cover', 'a charging cable', 'a keyboard', 'a screen cloth'],
    users: workers,
  },
  {
    noun: 'e-reader',
    price: [79, 260],
    grams: [150, 300],
    centimeters: [
      [15, 19],
      [10, 14],
      [1, 2],
    ],
    complements: ['desk lamp', 'novel'],
    materials: ['recycled plastic', 'aluminum', 'bamboo'],
    parts: ['a sleeve', 'a charging cable', 'ten free books', 'a stand'],
    users: ['bookworms', 'people who travel a lot', 'older people', 'students', 'commuters'],
  },
  {
    noun: 'laptop',
    price: [390, 1900],
    grams: [980, 2400],
    centimeters: [
      [28, 38],
      [19, 26],
      [1, 3],
    ],
    complements: ['headset', 'backpack'],
    materials: ['aluminum', 'magnesium', 'recycled plastic'],
    parts: ['a charger', 'a mouse', 'a sleeve', 'a year of office programs', 'a docking station'],
    users: workers,
  },
  {
    noun: 'projector',
    price: [180, 980],
    grams: [900, 4200],
    centimeters: [
      [18, 36],
      [15, 28],
      [7, 14],
    ],
    complements: ['speaker', 'armchair'],
    materials: ['aluminum', 'recycled plastic', 'magnesium'],
    parts: ['a remote control', 'a screen', 'a carrying bag', 'a ceiling mount', 'a power cable'],
    users: ['movie nights', 'schools', 'small offices', 'garden parties', 'families'],
  },
  {
    noun: 'smartwatch',
    price: [69, 390],
    grams: [30, 90],
    centimeters: [
      [4, 5],
      [3, 4],
      [1, 2],
    ],
    complements: ['headset', 'bicycle'],
    materials: ['titanium', 'stainless steel', 'aluminum'],
    parts: ['a second strap', 'a charging cable', 'a screen cover', 'a gift box'],
    users: ['runners', 'swimmers', 'hikers', 'older people', 'beginners'],
  },
  {
    noun: 'desk lamp',
    price: [19, 160],
    grams: [600, 2600],
    centimeters: [
      [12, 22],
      [12, 22],
      [32, 58],
    ],
    complements: ['desk', 'e-reader'],
    materials: ['brass', 'bamboo', 'aluminum', 'frosted glass'],
    parts: ['a bulb', 'a table clamp', 'a dimmer', 'a charging port'],
    users: ['students', 'home workers', 'bookworms', 'artists'],
  },
];

const kitchen: readonly Item[] = [
  {
    noun: 'kettle',
    price: [18, 130],
    grams: [700, 1900],
    complements: ['tea shop', 'toaster'],
    materials: ['stainless steel', 'borosilicate glass', 'enamel', 'copper'],
    parts: ['a tea filter', 'a power base', 'a cleaning brush', 'a descaling kit'],
    users: ['tea lovers', 'small kitchens', 'offices', 'students', 'large families'],
    amount: [1, 3],
    watts: [800, 2400],
  },
  {
    noun: 'blender',
    price: [29, 240],
    grams: [1200, 4200],
    complements: ['cookbook', 'cutting board'],
    materials: ['hardened glass', 'stainless steel', 'clear plastic'],
    parts: ['a recipe book', 'a spare lid', 'two drinking bottles', 'a cleaning brush'],
    users: ['athletes', 'busy parents', 'small kitchens', 'soup lovers'],
    amount: [1, 3],
    watts: [400, 1800],
  },
  {
    noun: 'toaster',
    price: [19, 120],
    grams: [900, 2800],
    complements: ['kettle', 'bakery'],
    materials: ['stainless steel', 'enamel', 'brushed aluminum'],
    parts: ['a bun rack', 'a crumb tray', 'a dust cover', 'a pair of wooden tongs'],
    users: ['early risers', 'large families', 'students', 'small kitchens'],
    amount: [2, 6],
    unit: 'slice',
    watts: [600, 1600],
  },
  {
    noun: 'coffee machine',
    price: [59, 690],
    grams: [2400, 9800],
    complements: ['coffee grinder', 'kettle'],
    materials: ['stainless steel', 'brushed aluminum', 'hardened glass'],
    parts: ['a milk jug', 'a bag of beans', 'a measuring spoon', 'two cups', 'a cleaning kit'],
    users: ['offices', 'coffee lovers', 'early risers', 'large families'],
    amount: [4, 12],
    unit: 'cup',
    watts: [700, 1900],
  },
  {
    noun: 'coffee grinder',
    price: [24, 210],
    grams: [500, 3200],
    complements: ['coffee machine'],
    materials: ['beech wood', 'stainless steel', 'ceramic'],
    parts: ['a brush', 'a storage jar', 'a bag of beans', 'a spare burr'],
    users: ['coffee lovers', 'campers', 'beginners', 'offices'],
    amount: [2, 10],
    unit: 'cup',
  },
  {
    noun: 'frying pan',
    price: [22, 140],
    grams: [800, 2900],
    complements: ['cutting board', 'cookbook'],
    materials: ['cast iron', 'carbon steel', 'copper', 'ceramic'],
    parts: ['a glass lid', 'a wooden spatula', 'a pan protector', 'a care oil'],
    users: ['steak lovers', 'campers', 'beginners', 'large families'],
    amount: [1, 4],
  },
  {
    noun: 'cutting board',
    price: [12, 80],
    grams: [600, 3400],
    complements: ['frying pan', 'blender'],
    materials: ['olive wood', 'bamboo', 'maple wood', 'slate'],
    parts: ['a bread knife', 'a juice tray', 'a care oil', 'a hanging loop'],
    users: ['bread lovers', 'beginners', 'small kitchens', 'busy parents'],
  },
];

const homes = [
  'small apartments',
  'large families',
  'home workers',
  'students',
  'book lovers',
  'older people',
  'families with children',
  'summer houses',
];
const woods = [
  'solid oak',
  'beech wood',
  'walnut wood',
  'bamboo',
  'pine wood',
  'powder-coated steel',
  'recycled wood',
  'ash wood',
];

const furniture: readonly Item[] = [
  {
    noun: 'desk',
    price: [90, 780],
    grams: [12000, 46000],
    centimeters: [
      [90, 180],
      [55, 85],
      [70, 76],
    ],
    complements: ['desk lamp', 'office chair'],
    materials: woods,
    parts: ['a cable tray', 'a drawer', 'a set of screws', 'a desk pad'],
    users: homes,
    amount: [20, 90],
  },
  {
    noun: 'office chair',
    price: [70, 540],
    grams: [9000, 22000],
    centimeters: [
      [55, 70],
      [55, 70],
      [95, 130],
    ],
    complements: ['desk', 'desk lamp'],
    materials: ['mesh fabric', 'soft leather', 'recycled plastic', 'wool felt'],
    parts: ['a headrest', 'a foot rest', 'a seat cushion', 'soft wheels'],
    users: ['home workers', 'tall people', 'students', 'small offices'],
    amount: [90, 160],
  },
  {
    noun: 'bookcase',
    price: [60, 620],
    grams: [14000, 62000],
    centimeters: [
      [60, 160],
      [24, 40],
      [120, 220],
    ],
    complements: ['armchair', 'desk lamp'],
    materials: woods,
    parts: ['a wall bracket', 'two glass doors', 'a ladder', 'a set of screws'],
    users: homes,
    amount: [40, 200],
  },
  {
    noun: 'armchair',
    price: [120, 890],
    grams: [11000, 34000],
    centimeters: [
      [65, 95],
      [70, 95],
      [75, 110],
    ],
    complements: ['bookcase', 'desk lamp'],
    materials: ['soft leather', 'velvet', 'woven linen', 'corduroy', 'wool felt'],
    parts: ['a footstool', 'a cushion', 'a fabric cleaner', 'a set of wooden legs'],
    users: ['long evenings', 'bookworms', 'small apartments', 'tall people', 'older people'],
    amount: [110, 190],
  },
  {
    noun: 'dining table',
    price: [150, 1400],
    grams: [22000, 78000],
    centimeters: [
      [120, 240],
      [75, 100],
      [72, 78],
    ],
    complements: ['cutting board', 'armchair'],
    materials: woods,
    parts: ['an extension leaf', 'a care oil', 'a set of felt pads', 'a bench'],
    users: homes,
    amount: [60, 180],
  },
  {
    noun: 'bed frame',
    price: [130, 1100],
    grams: [26000, 88000],
    centimeters: [
      [95, 190],
      [205, 220],
      [32, 60],
    ],
    complements: ['wardrobe', 'desk lamp'],
    materials: woods,
    parts: ['a slatted base', 'two drawers', 'a headboard', 'a set of screws'],
    users: ['guest rooms', 'tall people', 'small apartments', 'children', 'summer houses'],
    amount: [150, 350],
  },
  {
    noun: 'wardrobe',
    price: [160, 1300],
    grams: [38000, 120000],
    centimeters: [
      [80, 240],
      [50, 65],
      [180, 230],
    ],
    complements: ['bed frame', 'raincoat'],
    materials: woods,
    parts: ['a mirror', 'a clothes rail', 'two drawers', 'a tie rack'],
    users: homes,
    amount: [30, 120],
  },
];

const batteryPlan = plan(technical.battery, ({ random, manner, item }) => {
  const days = item.noun === 'smartwatch' || item.noun === 'e-reader';
  const value = days ? random.between(4, 40) : random.between(6, 48);
  const other = Math.max(2, Math.round(value * (0.5 + 0.35 * random.float())));
  const unit = days ? 'day' : 'hour';
  return { value: count(manner, value, unit), other: count(manner, other === value ? other - 1 : other, unit) };
});

const powerPlan = plan(technical.power, ({ random, item }) => {
  if (item.watts === undefined) return undefined;
  const value = stepped(random, ...item.watts, 50);
  return { value: `${value} watts`, other: `${value - stepped(random, 50, 350, 50)} watts` };
});

const assemblyPlan = plan(technical.assembly, ({ random, manner }) => {
  const minutes = stepped(random, 15, 75, 5);
  return { value: `${minutes} minutes`, other: count(manner, random.between(2, 4), 'hour') };
});

const loadPlan = plan(technical.load, ({ random, item }) => {
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

export const productFacets: Category['facets'] = [
  { kind: 'color', put: 'before' },
  { kind: 'material', put: 'before' },
  { kind: 'price', put: 'under' },
  { kind: 'audience', put: 'for' },
];

export const goods: readonly Category[] = [
  {
    name: 'electronics',
    family: 'product',
    items: electronics,
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, sizePlan, batteryPlan, websitePlan],
  },
  {
    name: 'kitchen',
    family: 'product',
    items: kitchen,
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, capacityPlan, powerPlan, originPlan],
  },
  {
    name: 'furniture',
    family: 'product',
    items: furniture,
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, sizePlan, assemblyPlan, loadPlan, originPlan, ofSeller(phonePlan)],
  },
];
