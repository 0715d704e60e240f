/**
 * Invented names, in two banks that share none: brands, shops, people, streets, towns, models, codes, phone numbers.
 *
 * Names are put together from parts, so many of them that a reader has to copy what stands in the text and cannot know them by
 * heart. What is told apart by bank is the whole head of a made-up word, the pair of words on a shop's sign, or the whole list.
 * Phone numbers come from the ranges that British and American regulators keep for fiction. Knows nothing about ads.
 */
import type { Random } from '../base/random.js';
import type { Bank } from './ad.js';

type Banked = Readonly<Record<Bank, readonly string[]>>;

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const joined = (heads: readonly string[], tails: readonly string[], between = ''): string[] =>
  heads.flatMap((head) => tails.map((tail) => head + between + tail));

/** Every first part with every second one, a fifth of the pairs for evaluation. */
function paired(firsts: readonly string[], seconds: readonly string[], between: string): Banked {
  const train: string[] = [];
  const evaluation: string[] = [];
  for (const [i, first] of firsts.entries()) {
    for (const [j, second] of seconds.entries()) {
      ((3 * i + j) % 5 === 0 ? evaluation : train).push(first + between + second);
    }
  }
  return { train, evaluation };
}

const eachBank = (banks: Banked, tails: readonly string[], between = ''): Banked => ({
  train: joined(banks.train, tails, between),
  evaluation: joined(banks.evaluation, tails, between),
});

/** Heads of made-up words, such as "Quilmo". */
const HEADS = paired(
  words(`Bal Bir Bram Cal Cor Cren Dal Dor Drim Dun Eld Fal Fen Fil Gal Gris Gul Hal Hesk Ild Ism Jal Jor Kel Kres Kul Lam
    Lind Lor Mip Mor Nal Nes Nor Olm Orv Pel Plin Quil Rav Ros Sab Sket Sor Tal Tib Trem Ulm Vas Vel Wex Wil Yar Yol Zan Zel`),
  words('ba be bo da do fa fi ga go ka ki la lo ma mo na ne nu pa pi ra ri ro sa so ta te to va vi'),
  '',
);

const FIRST_NAMES: Banked = {
  train:
    words(`Anna Ben Clara David Elena Felix Grace Hugo Ines Jonas Katya Leo Mira Noah Olga Paul Rosa Simon Tara Victor
    Wanda Yusuf Zoe Amir Bella Carlos Dina Erik Fatima George Hanna Ivan Julia Karim Lena Marco Nina Oscar Petra Rafael
    Adele Bruno Cora Daniel Esther Fabian Greta Harald Ida Jasper Kim Lukas Maya Nils Oda Pedro Ruth Samir Tessa Ugo Vito
    Walter Yara Agnes Basil Carmen Dennis Edith Flora Gregor Helga Igor Judith Konrad Lydia Miles Nora Omar Paula Quentin
    Rita Stefan Thea Urs Viola Wolf Xenia Abel Berta Cyril Doris Emil Freda Gerda Horst Iris Joel Klara Lars Mona`),
  evaluation:
    words(`Alma Boris Celia Dario Emma Frank Gita Henry Irma Jakob Kira Louis Marta Nadia Otto Pia Robert Sofia
    Tobias Vera Anton Bianca Conrad Dora Elias Fiona Gustav Heidi Ismael Jana Kurt Laura Max Naomi Olaf Priya Ralf Sonja`),
};
const STREET_WORDS: Banked = {
  train:
    words(`Lantern Weaver Alder Kestrel Mill Orchard Chapel Baker Juniper Harbor Cooper Station Linden Market Rose Castle
    Bridge Saffron Tanner Well Poplar Abbey Forge Heron Canal Quarry Saddler Plum Elder Sparrow Garden Tower`),
  evaluation: words(
    'Beacon Clover Dover Finch Granary Hazel Ivy Lock Meadow Nettle Parson Ropewalk Sundial Thistle Vine',
  ),
};
const STREET_TYPES = words('Street Lane Road Square Way Avenue');

const EMBLEMS = paired(
  words(`Copper Blue Hungry Golden Little Crooked Velvet Painted Merry Silent Wild Sunny Lucky Brass Gentle Salty Green Lazy
    Crimson Silver Hidden Brave Dancing Purple Rusty Modest Happy Tall Northern Marble Paper Wooden Sleepy Curious Humming
    Striped Amber Frosty Noble Wandering Quiet Scarlet Foggy Polished`),
  words(`Lantern Spoon Kettle Barrel Sparrow Wheel Harp Clock Table Pear Candle Rabbit Piano Acorn Sailor Lemon Ladder Owl
    Thimble Compass Feather Teapot Button Marmot Pickle Walnut Trombone Pillow Basket Otter Saddle Whistle Mitten Turnip
    Beetle Pretzel Bucket Badger Cymbal Radish Slipper Walrus Pumpkin Anvil`),
  ' ',
);

const MODELS: Banked = {
  train:
    words(`Stride Breeze Orbit Nova Ridge Pulse Drift Comet Haven Spark Vista Loop Cove Ember Tide Flint Mosaic Canyon Rally
    Fjord Glide Arrow Basil Cloud Tempo Dune Prism Sable Crest Lotus Rapid Mirage Gusto Polar Verve Tango Cinder Ripple Solace
    Tundra Bramble Cascade Dapper Ferry Galley Halo Impulse Jigsaw`),
  evaluation: words(
    'Plateau Zephyr Quill Summit Lagoon Meteor Prairie Sonnet Willow Echo Marlin Topaz Boulder Cricket Delta',
  ),
};
const CONSONANTS = [...'BCDFGHJKLMNPQRSTVWXZ'];

const CODE_WORDS: Banked = {
  train:
    words(`SPRING HELLO SUNNY SMILE BONUS WELCOME PICNIC LUCKY FRIEND COZY MORNING TREAT GARDEN BREEZE HARVEST WINTER COOKIE
    PARADE BUTTON CHERRY DRUM FEAST GIFT HONEY ISLAND JOLLY LANTERN MANGO NUTMEG ORANGE PARTY QUICK RAINBOW SPARK TULIP
    UMBRELLA VANILLA WALTZ YELLOW ZEBRA ALMOND BALLOON CARROT DAISY EAGLE FIESTA GINGER HAMMOCK`),
  evaluation:
    words(`AUTUMN CHEERS ROCKET MELODY SUMMER PEBBLE LEMON KITTEN BAKERY OCEAN PLANET RIBBON SAILOR TURTLE VIOLIN WAFFLE
    CANDLE MUFFIN`),
};
const CODE_LETTERS: Banked = { train: [...'ABCDEFGHJKLMN'], evaluation: [...'PQRSTUVWXYZ'] };
const CODE_DIGITS = '23456789';

/** Everything that a bank can give, for choosing from and for proving the banks disjoint. */
export const NAMES = {
  brand: eachBank(HEADS, words('quist wick ley del mont sen via tex land ris')),
  surname: eachBank(HEADS, words('quill shaw well berg man field low by ton wood')),
  town: eachBank(HEADS, words('mere ford bridge haven stead wick dale burn cross')),
  firstName: FIRST_NAMES,
  street: {
    train: joined([...STREET_WORDS.train, ...HEADS.train], STREET_TYPES, ' '),
    evaluation: joined([...STREET_WORDS.evaluation, ...HEADS.evaluation], STREET_TYPES, ' '),
  },
  emblem: EMBLEMS,
  model: MODELS,
  modelLetters: paired(CONSONANTS, CONSONANTS, ''),
  codeWord: CODE_WORDS,
  codeLetter: CODE_LETTERS,
} as const satisfies Readonly<Record<string, Banked>>;

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
