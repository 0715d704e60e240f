/** Things to wear, to take along, to play and to read. */
import * as service from '../facts/service.js';
import * as technical from '../facts/technical.js';
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
import type { Category, Item } from '../scene.js';
import { count, MONTHS, stepped } from '../values.js';
import { branded, capacityPlan, commonProductPlans, productFacets } from './goods.js';

const walkers = [
  'commuters',
  'hikers',
  'students',
  'cyclists',
  'people who travel a lot',
  'rainy days',
  'children',
  'beginners',
];

const clothing: readonly Item[] = [
  {
    noun: 'backpack',
    price: [35, 190],
    grams: [480, 1900],
    complements: ['laptop', 'raincoat', 'tent'],
    materials: ['leather', 'canvas', 'recycled nylon', 'waxed cotton', 'hemp'],
    parts: ['a rain cover', 'a hip belt', 'a bottle pocket', 'a laptop sleeve', 'a key ring'],
    users: walkers,
    amount: [12, 60],
  },
  {
    noun: 'raincoat',
    price: [39, 240],
    grams: [320, 980],
    complements: ['umbrella', 'backpack'],
    materials: ['recycled nylon', 'waxed cotton', 'rubber', 'soft shell fabric'],
    parts: ['a storage bag', 'a removable hood', 'a repair kit', 'two spare buttons'],
    users: walkers,
  },
  {
    noun: 'winter coat',
    price: [79, 420],
    grams: [780, 1900],
    complements: ['scarf', 'hat'],
    materials: ['wool', 'down', 'recycled nylon', 'corduroy'],
    parts: ['a removable hood', 'a belt', 'two spare buttons', 'a garment bag'],
    users: ['cold mornings', 'commuters', 'children', 'tall people', 'city walks'],
  },
  {
    noun: 'scarf',
    price: [15, 95],
    grams: [90, 360],
    complements: ['hat', 'winter coat'],
    materials: ['merino wool', 'silk', 'cotton', 'alpaca wool'],
    parts: ['a gift box', 'a wool comb', 'a pin'],
    users: ['cold mornings', 'cyclists', 'children', 'city walks'],
  },
  {
    noun: 'hat',
    price: [14, 85],
    grams: [70, 260],
    complements: ['scarf', 'winter coat'],
    materials: ['felt', 'straw', 'wool', 'cotton'],
    parts: ['a hat box', 'a chin strap', 'a ribbon'],
    users: ['gardeners', 'hikers', 'beach days', 'children'],
  },
  {
    noun: 'handbag',
    price: [45, 380],
    grams: [320, 1100],
    complements: ['scarf', 'umbrella'],
    materials: ['leather', 'canvas', 'cork', 'vegan leather'],
    parts: ['a shoulder strap', 'a dust bag', 'a small mirror', 'a purse'],
    users: ['commuters', 'long evenings', 'people who travel a lot', 'students'],
    amount: [4, 18],
  },
  {
    noun: 'umbrella',
    price: [12, 75],
    grams: [240, 720],
    complements: ['raincoat', 'handbag'],
    materials: ['recycled nylon', 'fiberglass', 'bamboo'],
    parts: ['a sleeve', 'a wrist strap', 'a shoulder strap'],
    users: ['commuters', 'rainy days', 'tall people', 'city walks'],
  },
];

const outdoor: readonly Item[] = [
  {
    noun: 'tent',
    price: [79, 620],
    grams: [1300, 8200],
    complements: ['sleeping bag', 'backpack', 'campsite'],
    materials: ['recycled nylon', 'canvas', 'polyester', 'waxed cotton'],
    parts: ['a ground sheet', 'twelve pegs', 'a repair kit', 'a lantern hook', 'a storage bag'],
    users: ['families', 'hikers', 'festivals', 'cyclists', 'beginners'],
    amount: [1, 5],
    unit: 'sleeper',
  },
  {
    noun: 'sleeping bag',
    price: [39, 320],
    grams: [600, 2300],
    complements: ['tent', 'campsite'],
    materials: ['down', 'recycled polyester', 'cotton', 'wool'],
    parts: ['a storage bag', 'a pillow', 'an inner sheet', 'a dry sack'],
    users: ['cold nights', 'children', 'hikers', 'tall people', 'festivals'],
  },
  {
    noun: 'bicycle',
    price: [190, 1700],
    grams: [8800, 18500],
    complements: ['bicycle helmet', 'raincoat'],
    materials: ['steel', 'aluminum', 'carbon', 'bamboo'],
    parts: ['a lock', 'a bell', 'a rear rack', 'a set of lights', 'a pump'],
    users: ['commuters', 'children', 'long tours', 'beginners', 'tall people'],
    amount: [100, 160],
  },
  {
    noun: 'bicycle helmet',
    price: [25, 160],
    grams: [210, 480],
    complements: ['bicycle'],
    materials: ['hard foam', 'recycled plastic', 'carbon'],
    parts: ['a rear light', 'a rain cover', 'spare pads', 'a storage bag'],
    users: ['commuters', 'children', 'cyclists', 'beginners'],
  },
  {
    noun: 'kayak',
    price: [240, 1300],
    grams: [9000, 28000],
    complements: ['sleeping bag', 'boat trip'],
    materials: ['polyethylene', 'fiberglass', 'plywood', 'canvas'],
    parts: ['a paddle', 'a dry bag', 'a seat cushion', 'a pump', 'a cart'],
    users: ['beginners', 'long tours', 'families', 'quiet lakes'],
    amount: [90, 220],
  },
  {
    noun: 'hammock',
    price: [25, 150],
    grams: [380, 2400],
    complements: ['novel', 'tent'],
    materials: ['cotton', 'recycled nylon', 'hemp'],
    parts: ['two ropes', 'a storage bag', 'a mosquito net', 'a pillow'],
    users: ['lazy afternoons', 'hikers', 'small gardens', 'children'],
    amount: [100, 240],
  },
  {
    noun: 'yoga mat',
    price: [18, 95],
    grams: [800, 3200],
    complements: ['yoga studio', 'sports bag'],
    materials: ['natural rubber', 'cork', 'cotton', 'hemp'],
    parts: ['a carrying strap', 'a cleaning spray', 'a block', 'an exercise poster'],
    users: ['beginners', 'people who travel a lot', 'older people', 'daily practice'],
  },
  {
    noun: 'sports bag',
    price: [22, 120],
    grams: [420, 1500],
    complements: ['gym', 'yoga mat'],
    materials: ['canvas', 'recycled nylon', 'leather'],
    parts: ['a shoe pocket', 'a shoulder strap', 'a laundry bag', 'a bottle pocket'],
    users: ['swimmers', 'athletes', 'commuters', 'weekend trips'],
    amount: [20, 70],
  },
];

const gamers = ['families', 'rainy days', 'long evenings', 'clever minds', 'beginners', 'trips by train', 'parties'];

const games: readonly Item[] = [
  {
    noun: 'board game',
    price: [18, 75],
    complements: ['card game'],
    materials: ['cardboard', 'wood', 'recycled plastic'],
    parts: ['a score pad', 'two dice', 'a rule book', 'a cloth bag', 'a sand timer'],
    users: gamers,
    amount: [60, 320],
  },
  {
    noun: 'card game',
    price: [8, 30],
    complements: ['board game'],
    materials: ['cardboard', 'linen paper', 'recycled paper'],
    parts: ['a tin box', 'a score pad', 'a rule book', 'a cloth bag'],
    users: gamers,
    amount: [50, 180],
  },
  {
    noun: 'jigsaw puzzle',
    price: [10, 45],
    complements: ['puzzle mat'],
    materials: ['cardboard', 'wood', 'recycled paper'],
    parts: ['a poster', 'a cloth bag', 'a sorting tray', 'a jar of glue'],
    users: gamers,
    amount: [100, 2000],
  },
  {
    noun: 'puzzle mat',
    price: [15, 50],
    complements: ['jigsaw puzzle'],
    materials: ['felt', 'cotton', 'cork'],
    parts: ['three straps', 'a sorting tray', 'a carrying bag'],
    users: gamers,
  },
  {
    noun: 'wooden train set',
    price: [25, 120],
    complements: ['picture book'],
    materials: ['beech wood', 'maple wood', 'bamboo'],
    parts: ['a bridge', 'two signals', 'a wooden station', 'a storage box'],
    users: ['toddlers', 'families', 'rainy days', 'little builders'],
    amount: [20, 140],
  },
  {
    noun: 'doll house',
    price: [45, 210],
    complements: ['picture book'],
    materials: ['beech wood', 'pine wood', 'cardboard'],
    parts: ['eight pieces of furniture', 'a family of dolls', 'a set of lights', 'a sticker sheet'],
    users: ['little builders', 'families', 'kindergartens', 'rainy days'],
    amount: [12, 60],
  },
];

const readers = ['beginners', 'people who travel a lot', 'bookworms', 'long evenings', 'busy parents', 'curious minds'];

const books: readonly Item[] = [
  {
    noun: 'novel',
    price: [9, 32],
    complements: ['desk lamp', 'armchair'],
    materials: ['cloth', 'cardboard', 'recycled paper'],
    parts: ['a bookmark', 'a map', 'a signed card', 'a tote bag'],
    users: readers,
    amount: [180, 720],
  },
  {
    noun: 'cookbook',
    price: [14, 48],
    complements: ['frying pan', 'blender'],
    materials: ['cloth', 'coated paper', 'recycled paper'],
    parts: ['a bookmark', 'a shopping list pad', 'a spice sample', 'a wall chart'],
    users: ['busy parents', 'beginners', 'large families', 'small kitchens'],
    amount: [96, 380],
  },
  {
    noun: 'travel guide',
    price: [11, 34],
    complements: ['backpack', 'hotel'],
    materials: ['coated paper', 'recycled paper', 'cloth'],
    parts: ['a folding map', 'a phrase list', 'a bookmark', 'a note pad'],
    users: ['hikers', 'families', 'people who travel a lot', 'weekend trips'],
    amount: [120, 460],
  },
  {
    noun: 'picture book',
    price: [8, 26],
    complements: ['wooden train set'],
    materials: ['cardboard', 'cloth', 'recycled paper'],
    parts: ['a sticker sheet', 'a poster', 'a finger puppet', 'a song card'],
    users: ['toddlers', 'bedtime', 'grandparents', 'kindergartens'],
    amount: [16, 64],
  },
  {
    noun: 'phrasebook',
    price: [7, 22],
    complements: ['Spanish course', 'Italian course'],
    materials: ['coated paper', 'recycled paper', 'cardboard'],
    parts: ['an audio download', 'a folding map', 'a set of cards', 'a bookmark'],
    users: ['beginners', 'people who travel a lot', 'students', 'weekend trips'],
    amount: [80, 260],
  },
];

const piecesPlan = plan(technical.pieces, ({ random, item }) => {
  if (item.amount === undefined) return undefined;
  const value = stepped(random, ...item.amount, 4);
  const unit = item.noun === 'card game' ? 'cards' : 'pieces';
  return { value: `${value} ${unit}`, other: `${Math.max(4, Math.round(value * 0.4))} ${unit}` };
});

const playersPlan = plan(technical.players, ({ random, item }) => {
  if (!item.noun.endsWith('game')) return undefined;
  const most = random.between(4, 6);
  const low = random.between(2, 3);
  return { value: `${low} to ${most} players`, other: `up to ${most + random.between(2, 4)} players` };
});

const playingTimePlan = plan(service.duration, ({ random, item, manner }) => {
  if (!item.noun.endsWith('game')) return undefined;
  const value = stepped(random, 15, 75, 5);
  return { value: `${value} minutes`, other: count(manner, random.between(2, 4), 'hour'), thing: item.noun };
});

const pagesPlan = plan(technical.pages, ({ random, item }) => {
  const value = stepped(random, ...(item.amount ?? [64, 256]), 4);
  return { value: `${value} pages`, other: `${Math.max(12, Math.round(value * (0.5 + random.float() * 0.4)))} pages` };
});

const publishedPlan = plan(technical.published, ({ random, manner, day }) => ({
  value: manner.date(day),
  other: `${random.pick(MONTHS)} ${random.between(1994, 2019)}`,
}));

const titled =
  (...leads: readonly string[]): Category['subject'] =>
  (random, namer) => ({ brand: namer.brand(), name: random.pick(leads) + namer.emblem() });

const loadPlan = plan(technical.load, ({ random, item }) => {
  if (item.amount === undefined || item.amount[0] < 90) return undefined;
  const value = stepped(random, ...item.amount, 5);
  return { value: `${value} kg`, other: `${value - stepped(random, 10, 30, 5)} kg` };
});
const carried = plan(technical.capacity, (scene) =>
  scene.item.amount === undefined || scene.item.amount[0] >= 90 ? undefined : capacityPlan.make(scene),
);

export const leisure: readonly Category[] = [
  {
    name: 'clothing',
    family: 'product',
    items: clothing,
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, originPlan, carried],
  },
  {
    name: 'outdoor',
    family: 'product',
    items: outdoor,
    subject: branded,
    facets: productFacets,
    plans: [...commonProductPlans, loadPlan, carried, originPlan],
  },
  {
    name: 'games',
    family: 'product',
    items: games,
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
    items: books,
    subject: titled('', 'The ', 'My '),
    facets: productFacets.filter(({ kind }) => kind === 'price' || kind === 'audience'),
    plans: [
      pricePlan(),
      personPlan(technical.author),
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
