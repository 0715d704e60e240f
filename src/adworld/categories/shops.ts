/** Shops, restaurants and salons. */
import * as service from '../facts/service.js';
import * as shop from '../facts/shop.js';
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
import type { Category, Item } from '../scene.js';
import { count, stepped } from '../values.js';

/** "The Copper Lantern", "Thornquill & Sons": a shop's name that doesn't say what it sells. */
export const signboard: Category['subject'] = (random, namer) => {
  const form = random.below(4);
  const name =
    form < 2
      ? `The ${namer.emblem()}`
      : `${namer.surname()} ${random.pick(form === 2 ? ['& Sons', '& Daughters'] : ['Brothers', 'Sisters'])}`;
  return { name, brand: name };
};

const cakes = [
  'walnut sourdough bread',
  'plum cake',
  'almond croissants',
  'olive rolls',
  'honey buns',
  'rye bread',
  'cherry pie',
  'poppy seed strudel',
  'garlic bread',
  'carrot cake',
];
const food: readonly Item[] = [
  {
    noun: 'bakery',
    price: [2, 9],
    complements: ['cheese shop', 'toaster'],
    offers: cakes,
    unit: 'large loaf',
    users: ['early risers', 'families'],
  },
  {
    noun: 'cheese shop',
    price: [4, 28],
    complements: ['bakery', 'cutting board'],
    offers: [
      'goat cheese with herbs',
      'smoked sheep cheese',
      'mountain cheese',
      'blue cheese with figs',
      'soft cheese in ash',
      'truffle cheese',
    ],
    unit: 'cheese plate',
    users: ['families', 'wine lovers'],
  },
  {
    noun: 'tea shop',
    price: [3, 26],
    complements: ['kettle', 'bakery'],
    offers: [
      'smoked black tea',
      'jasmine tea',
      'white tea from the mountains',
      'ginger and lemon tea',
      'green tea with mint',
      'old oolong tea',
    ],
    unit: 'tin of tea',
    users: ['tea lovers', 'families'],
  },
  {
    noun: 'chocolate shop',
    price: [4, 36],
    complements: ['bakery'],
    offers: [
      'salted caramel',
      'pralines with hazelnuts',
      'dark chocolate with chili',
      'white chocolate with rose petals',
      'candied orange peel',
      'marzipan figures',
    ],
    unit: 'box of pralines',
    users: ['families', 'wine lovers'],
  },
  {
    noun: 'farm shop',
    price: [3, 24],
    complements: ['cookbook', 'frying pan'],
    offers: [
      'fresh goat milk',
      'old apple varieties',
      'eggs from free hens',
      'wild garlic sausages',
      'honey from our own bees',
      'pumpkin seed oil',
    ],
    unit: 'vegetable box',
    users: ['families', 'cooks'],
  },
  {
    noun: 'fish shop',
    price: [5, 32],
    complements: ['frying pan', 'cookbook'],
    offers: [
      'smoked trout',
      'herring in mustard',
      'fresh oysters',
      'crab salad',
      'grilled mackerel',
      'salmon with dill',
    ],
    unit: 'fish platter',
    users: ['families', 'cooks'],
  },
];

const retail: readonly Item[] = [
  {
    noun: 'bookshop',
    price: [5, 20],
    complements: ['novel', 'picture book'],
    offers: [
      'old maps',
      'rare travel books',
      'books for children',
      'comics from Japan',
      'books about trains',
      'signed novels',
    ],
    unit: 'surprise book',
  },
  {
    noun: 'flower shop',
    price: [8, 60],
    offers: [
      'wild peonies',
      'dried flowers',
      'wedding bouquets',
      'rare orchids',
      'herbs in clay pots',
      'long-stemmed roses',
    ],
    unit: 'bouquet of the week',
  },
  {
    noun: 'bicycle shop',
    price: [39, 120],
    complements: ['bicycle', 'bicycle helmet'],
    offers: [
      'repairs within a day',
      'folding bicycles',
      'hand-built wheels',
      'cargo bicycles',
      'leather saddles',
      'old racing bicycles',
    ],
    unit: 'spring check',
  },
  {
    noun: 'toy shop',
    price: [5, 40],
    complements: ['wooden train set', 'board game'],
    offers: ['wooden animals', 'hand puppets', 'kites', 'tin toys', 'model railways', 'marble runs'],
    unit: 'surprise bag',
  },
  {
    noun: 'garden center',
    price: [6, 45],
    complements: ['hammock'],
    offers: [
      'old rose varieties',
      'tomato seedlings',
      'fruit trees',
      'water lilies',
      'hardy palms',
      'lavender in every size',
    ],
    unit: 'balcony set',
  },
  {
    noun: 'antique shop',
    price: [15, 90],
    complements: ['armchair', 'bookcase'],
    offers: ['clocks', 'old lamps', 'porcelain', 'farm furniture', 'silver spoons', 'gilded mirrors'],
    unit: 'mystery crate',
  },
  {
    noun: 'music shop',
    price: [12, 60],
    complements: ['jazz concert', 'guitar course'],
    offers: ['used guitars', 'vinyl records', 'sheet music', 'violins for children', 'accordions', 'piano tuning'],
    unit: 'set of strings',
  },
];

const dishes: Readonly<Record<string, readonly string[]>> = {
  Thai: [
    'green curry with prawns',
    'papaya salad',
    'noodle soup with basil',
    'mango with sticky rice',
    'duck in red curry',
  ],
  Italian: [
    'ravioli with pumpkin',
    'pizza with wild mushrooms',
    'risotto with saffron',
    'veal with lemon sauce',
    'lasagna with spinach',
  ],
  Vietnamese: [
    'beef noodle soup',
    'summer rolls with tofu',
    'grilled pork with rice',
    'fish in banana leaf',
    'lemongrass chicken',
  ],
  Indian: [
    'lentils with cumin',
    'lamb in almond sauce',
    'spinach with fresh cheese',
    'chicken from the clay oven',
    'chickpea curry',
  ],
  Greek: ['grilled octopus', 'lamb with oregano', 'baked feta with honey', 'stuffed peppers', 'moussaka'],
  Mexican: [
    'corn tortillas with beans',
    'chicken in chocolate sauce',
    'fish tacos',
    'avocado soup',
    'pork with pineapple',
  ],
  vegan: ['beetroot burger', 'cashew cheesecake', 'mushroom goulash', 'pumpkin curry', 'walnut lasagna'],
};
const comforts = [
  'a shady garden',
  'a roof terrace',
  'an open fire',
  'live piano music',
  'a play corner for children',
  'a view of the harbor',
  'a wine cellar',
  'tables by the river',
  'a winter garden',
  'a private dining room',
];
const restaurants: readonly Item[] = Object.entries(dishes).map(([cuisine, offers]) => ({
  noun: `${cuisine} restaurant`,
  price: [9, 28],
  complements: ['jazz concert', 'comedy night', 'hotel'],
  offers,
}));

const treatments: readonly Item[] = [
  {
    noun: 'hair salon',
    price: [19, 75],
    complements: ['massage practice'],
    offers: ['curly hair', 'beard care', 'natural colors', 'bridal styles', 'short cuts', 'braids'],
    unit: 'haircut',
  },
  {
    noun: 'massage practice',
    price: [35, 110],
    complements: ['yoga studio', 'hair salon'],
    offers: ['back massage', 'hot stones', 'foot massage', 'Thai massage', 'head massage', 'sports massage'],
    unit: 'first session',
  },
  {
    noun: 'dog salon',
    price: [25, 85],
    complements: ['veterinary practice'],
    offers: ['poodles', 'long-haired dogs', 'nervous puppies', 'gentle baths', 'claw care', 'very large dogs'],
    unit: 'full wash',
  },
  {
    noun: 'veterinary practice',
    price: [30, 90],
    complements: ['dog salon'],
    offers: ['cats', 'horses', 'parrots', 'small rodents', 'old dogs', 'farm animals'],
    unit: 'check-up',
  },
  {
    noun: 'nail studio',
    price: [18, 65],
    complements: ['hair salon'],
    offers: ['hand-painted nails', 'natural nail care', 'foot care', 'gel nails', 'nail repair', 'bridal nails'],
    unit: 'manicure',
  },
];

const specialtyPlan = plan(shop.specialty, ({ random, item }) => pair(random, item.offers ?? []));
const expertisePlan = plan(service.expertise, ({ random, item }) => pair(random, item.offers ?? []));
const unitPricePlan = plan(pricePlan().fact, (scene) => {
  const values = pricePlan().make(scene);
  return values && { ...values, thing: scene.item.unit ?? 'lunch menu' };
});

export const featurePlan = (features: readonly string[]): Category['plans'][number] =>
  plan(shop.feature, ({ random }) => {
    const { value, other } = pair(random, features);
    return { value, other: other!.replace(/^(?:an?|the) /, '') };
  });

const seatsPlan = plan(shop.seats, ({ random }) => {
  const value = stepped(random, 22, 90, 2);
  return { value: `${value} guests`, other: `${stepped(random, 8, 20, 2)} guests` };
});

const sessionPlan = plan(service.duration, ({ random, manner, item }) => {
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
  personPlan(shop.owner),
  websitePlan,
  discountPlan,
];
const corners = [
  'a reading corner',
  'a small café',
  'a workshop',
  'a garden at the back',
  'a play corner for children',
  'a repair bench',
  'a gallery upstairs',
  'a tasting table',
];
const featureFacets: Category['facets'] = [{ kind: 'feature', put: 'with' }];

export const shops: readonly Category[] = [
  {
    name: 'food-shop',
    family: 'shop',
    items: food,
    subject: signboard,
    facets: featureFacets,
    plans: [...shopPlans, featurePlan(corners)],
  },
  {
    name: 'retail',
    family: 'shop',
    items: retail,
    subject: signboard,
    facets: featureFacets,
    plans: [...shopPlans, featurePlan(corners)],
  },
  {
    name: 'restaurant',
    family: 'shop',
    items: restaurants,
    subject: signboard,
    facets: featureFacets,
    plans: [
      ...shopPlans.filter(({ fact }) => fact !== shop.owner && fact !== shop.hours),
      hoursBetween([10, 12], [20, 23]),
      personPlan(shop.chef),
      featurePlan(comforts),
      seatsPlan,
      ratingPlan,
    ],
  },
  {
    name: 'salon',
    family: 'shop',
    items: treatments,
    subject: signboard,
    facets: [],
    plans: [...shopPlans.filter(({ fact }) => fact !== shop.specialty), expertisePlan, sessionPlan, ratingPlan],
  },
];
