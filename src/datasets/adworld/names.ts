/**
 * Invented names, in two banks that share none: brands, shops, people, streets, towns, models, codes, phone numbers.
 *
 * Names are put together from parts. The leading parts of the two banks are disjoint, so a name of the evaluation bank is never
 * met in training, while there are enough training names that a reader has to copy them and cannot know them by heart.
 * Phone numbers come from the ranges that British and American regulators keep for fiction. Knows nothing about ads.
 */
import type { Random } from '../../random.js';
import type { Bank } from './ad.js';

interface Parts {
  readonly brandHeads: readonly string[];
  readonly compoundHeads: readonly string[];
  readonly surnameHeads: readonly string[];
  readonly firstNames: readonly string[];
  readonly townHeads: readonly string[];
  readonly streets: readonly string[];
  readonly adjectives: readonly string[];
  readonly nouns: readonly string[];
  readonly models: readonly string[];
  readonly modelLetters: readonly string[];
  readonly codeWords: readonly string[];
  readonly codeLetters: string;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const PARTS: Readonly<Record<Bank, Parts>> = {
  train: {
    brandHeads:
      words(`Vel Dor Kas Bri Ton Lun Fen Ost Quil Ner Sab Tre Zan Cor Pel Gar Jun Rav Tib Yor Alb Ber Cal Dun Eld Fal
      Gro Hul Isk Jal Kro Lam Mip Nol Orv Pra Rus Ske Tul Ulm Vask Wem Yel Zor`),
    compoundHeads:
      words(`Amber Copper Quiet North Silver Cedar Bramble Hollow Maple River Granite Ivory Lantern Meadow Otter Pebble
      Raven Saddle Thistle Willow Anchor Birch Clover Drift Ember Fox`),
    surnameHeads:
      words(`Thorn Haver Brack Lind Mather Oster Pell Quen Rath Sten Tarl Under Vor Wick Yar Ald Bex Crans Dell Ever
      Fenn Gart Hask Ives Jarr Kell Lomb Mork Nett Orr`),
    firstNames:
      words(`Anna Ben Clara David Elena Felix Grace Hugo Ines Jonas Katya Leo Mira Noah Olga Paul Rosa Simon Tara Victor
      Wanda Yusuf Zoe Amir Bella Carlos Dina Erik Fatima George Hanna Ivan Julia Karim Lena Marco Nina Oscar Petra Rafael`),
    townHeads:
      words(`Harlow Tans Brindle Quarn Fell Mossing Larks Ottle Penn Rushing Selk Tarn Uffing Wexl Yarn Askel Burl Corv Drax
      Elver Froth Gamb Hesk Ilming`),
    streets:
      words(`Lantern Weaver Alder Kestrel Mill Orchard Chapel Baker Juniper Harbor Cooper Station Linden Market Rose Castle
      Bridge Saffron Tanner Well Poplar Abbey Forge Heron Canal Quarry`),
    adjectives:
      words(`Copper Blue Hungry Golden Little Crooked Velvet Painted Merry Silent Wild Sunny Lucky Brass Old Gentle Salty
      Green Lazy Crimson`),
    nouns:
      words(`Lantern Anchor Spoon Fox Kettle Barrel Sparrow Wheel Garden Lion Harp Clock Table Swan Pear Bell Oak Candle Bridge
      Rabbit`),
    models:
      words(`Stride Breeze Orbit Nova Ridge Pulse Drift Comet Haven Spark Vista Loop Cove Ember Tide Flint Mosaic Canyon Rally
      Fjord Glide Arrow Basil Cloud`),
    modelLetters: words('KX MT BR TL CD GP DN VR KL BT GS DX PM TR'),
    codeWords:
      words(`SPRING HELLO SUNNY SMILE BONUS WELCOME PICNIC LUCKY FRIEND COZY MORNING TREAT GARDEN BREEZE HARVEST WINTER COOKIE
      PARADE`),
    codeLetters: 'ABCDEFGHJKLMN',
  },
  evaluation: {
    brandHeads: words('Mar Hal Wil Sol Jor Nid Pom Rel Sut Tav Vin Yus Bol Cred Dax Fib'),
    compoundHeads: words('Slate Heather Falcon Juniper Marble Cobalt Osprey Frost Orchid Tundra Pine Quartz'),
    surnameHeads: words('Ash Black Corr Dray Ell Fair Gold Hart Isen Jess Kirk Lang Mill Nor'),
    firstNames:
      words(`Alma Boris Celia Dario Emma Frank Gita Henry Irma Jakob Kira Louis Marta Nadia Otto Pia Robert Sofia Tobias
      Vera`),
    townHeads: words('Cald Thrup Nettle Sorrel Vale Wren Hazel Bord Glent Kinder Lod Mars'),
    streets: words(
      'Beacon Clover Dover Finch Granary Hazel Ivy Lock Meadow Nettle Parson Ropewalk Sundial Thistle Vine',
    ),
    adjectives: words('Silver Hidden Brave Dancing Purple Rusty Modest Happy Tall Northern'),
    nouns: words('Badger Piano Acorn Sailor Lemon Ladder Owl Thimble Compass Feather'),
    models: words('Plateau Zephyr Quill Summit Lagoon Meteor Prairie Sonnet Willow Echo Marlin Topaz'),
    modelLetters: words('ZF HW QS FN LZ WJ NQ'),
    codeWords: words('AUTUMN CHEERS ROCKET MELODY SUMMER PEBBLE LEMON KITTEN BAKERY OCEAN'),
    codeLetters: 'PQRSTUVWXYZ',
  },
};

const BRAND_MIDDLES = words('ta mo ri len do ni ke va su lo mi ra');
const BRAND_ENDS = words('quist wick ley del mont sen via ro tex no land ris');
const COMPOUND_TAILS = words('fold leaf pine forge works craft thread furrow spark loom gate fern');
const SURNAME_TAILS = words('quill shaw well berg man field low sworth by ridge ton wood ham kin er');
const TOWN_TAILS = words('mere ford bridge haven stead wick dale burn cross hollow');
const STREET_TYPES = words('Street Lane Road Square Way Avenue');
const CODE_DIGITS = '23456789';

const byBank = <T>(make: (parts: Parts) => readonly T[]): Readonly<Record<Bank, readonly T[]>> => ({
  train: make(PARTS.train),
  evaluation: make(PARTS.evaluation),
});
const joined = (heads: readonly string[], tails: readonly string[], between = ''): string[] =>
  heads.flatMap((head) => tails.map((tail) => head + between + tail));

/** Everything that a bank can give, for choosing from and for proving the banks disjoint. */
export const NAMES = {
  brand: byBank((parts) => [
    ...joined(parts.brandHeads, joined(BRAND_MIDDLES, BRAND_ENDS)),
    ...joined(parts.compoundHeads, COMPOUND_TAILS),
  ]),
  surname: byBank((parts) => joined(parts.surnameHeads, SURNAME_TAILS)),
  firstName: byBank((parts) => parts.firstNames),
  town: byBank((parts) => joined(parts.townHeads, TOWN_TAILS)),
  street: byBank((parts) => joined(parts.streets, STREET_TYPES, ' ')),
  emblem: byBank((parts) => joined(parts.adjectives, parts.nouns, ' ')),
  model: byBank((parts) => parts.models),
  modelLetters: byBank((parts) => parts.modelLetters),
  codeWord: byBank((parts) => parts.codeWords),
  codeLetter: byBank((parts) => [...parts.codeLetters]),
} as const;

/** Area codes with their drama numbers: the X's are free digits. */
const PHONE_RANGES =
  words(`01632_960XXX 020_7946_0XXX 0161_496_0XXX 0117_496_0XXX 0131_496_0XXX 029_2018_0XXX 07700_900XXX
  (212)_555-01XX (415)_555-01XX (617)_555-01XX (303)_555-01XX`).map((range) => range.replaceAll('_', ' '));

/** Phone numbers whose free digits make a multiple of four belong to evaluation. */
export function phoneBank(number: string): Bank {
  return Number(number.slice(-2)) % 4 === 0 ? 'evaluation' : 'train';
}

/** Hands out names of one bank, each at most once, and remembers them. */
export class Namer {
  readonly issued: string[] = [];
  readonly #random: Random;
  readonly #bank: Bank;

  constructor(random: Random, bank: Bank) {
    this.#random = random;
    this.#bank = bank;
  }

  #fresh(make: () => string): string {
    for (let attempt = 0; attempt < 100; attempt++) {
      const name = make();
      const clashes = this.issued.some((other) => other.includes(name) || name.includes(other));
      if (!clashes) {
        this.issued.push(name);
        return name;
      }
    }
    throw new RangeError('Namer: the bank is exhausted');
  }

  #pick(pool: keyof typeof NAMES): string {
    return this.#random.pick<string>(NAMES[pool][this.#bank]);
  }

  brand(): string {
    return this.#fresh(() => this.#pick('brand'));
  }

  person(): string {
    return this.#fresh(() => `${this.#pick('firstName')} ${this.#pick('surname')}`);
  }

  town(): string {
    return this.#fresh(() => this.#pick('town'));
  }

  /** An adjective and a noun, "Copper Lantern": for shops, bands, halls, festivals. */
  emblem(): string {
    return this.#fresh(() => this.#pick('emblem'));
  }

  surname(): string {
    return this.#fresh(() => this.#pick('surname'));
  }

  /** Street and house number without a town. */
  street(): string {
    return this.#fresh(() => `${this.#random.between(1, 160)} ${this.#pick('street')}`);
  }

  model(): string {
    const random = this.#random;
    return this.#fresh(() => {
      const form = random.below(4);
      if (form === 0) return `${this.#pick('model')} ${random.between(2, 9) * 10}`;
      if (form === 1) return `${this.#pick('modelLetters')}-${random.between(10, 99)}0`;
      if (form === 2) return `${this.#pick('model')} ${random.pick(['Plus', 'Mini', 'Max', 'Air', 'Pro', 'Classic'])}`;
      return `${this.#pick('model')} ${random.between(2, 9)}`;
    });
  }

  code(): string {
    const random = this.#random;
    return this.#fresh(() => {
      if (random.chance(0.6)) return `${this.#pick('codeWord')}${random.pick([5, 10, 15, 20, 25, 30, 40, 50])}`;
      const letters = NAMES.codeLetter[this.#bank];
      const digit = (): string => random.pick([...CODE_DIGITS]);
      return random.pick(letters) + digit() + random.pick(letters) + digit() + random.pick(letters);
    });
  }

  phone(): string {
    const random = this.#random;
    return this.#fresh(() => {
      for (;;) {
        const number = random.pick(PHONE_RANGES).replaceAll('X', () => String(random.below(10)));
        if (phoneBank(number) === this.#bank) return number;
      }
    });
  }
}
