/**
 * Invented names, in two banks that share none: brands, shops, people, streets, towns, models, codes, phone numbers.
 *
 * Names are put together from parts, so many of them that a reader has to copy what stands in the text and cannot know them by
 * heart. What is told apart by bank is the whole head of a made-up word, the pair of words on a shop's sign, or the whole list.
 * Phone numbers come from the ranges that British and American regulators keep for fiction. Knows nothing about ads.
 */
import type { Random } from '../base/random.js';
import type { Bank } from './ad.js';
import { once } from './banks/bank.js';
import { nameParts } from './banks/names.js';

type Banked = Readonly<Record<Bank, readonly string[]>>;

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

const eachBank = (banks: Banked, tails: readonly string[]): Banked => ({
  train: joined(banks.train, tails),
  evaluation: joined(banks.evaluation, tails),
});

const CONSONANTS = [...'BCDFGHJKLMNPQRSTVWXZ'];
const CODE_LETTERS: Banked = { train: [...'ABCDEFGHJKLMN'], evaluation: [...'PQRSTUVWXYZ'] };
const CODE_DIGITS = [...'23456789'];

/** Everything that a bank can give, for choosing from and for proving the banks disjoint. */
export const names = once(() => {
  const parts = nameParts();
  /** Made-up words without their ending, such as "Quilmo". */
  const heads = paired(parts['beginnings of made-up words'], parts['middles of made-up words'], '');
  const streets = (bank: Bank) => joined([...parts.streets[bank], ...heads[bank]], parts['kinds of street'], ' ');
  return {
    brand: eachBank(heads, parts['endings of brands']),
    surname: eachBank(heads, parts['endings of surnames']),
    town: eachBank(heads, parts['endings of towns']),
    firstName: parts['first names'],
    street: { train: streets('train'), evaluation: streets('evaluation') },
    emblem: paired(parts['first words of emblems'], parts['second words of emblems'], ' '),
    model: parts.models,
    modelLetters: paired(CONSONANTS, CONSONANTS, ''),
    codeWord: parts['words of codes'],
    codeLetter: CODE_LETTERS,
  } satisfies Readonly<Record<string, Banked>>;
});

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

  #pick(pool: keyof ReturnType<typeof names>): string {
    return this.#random.pick<string>(names()[pool][this.#bank]);
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
      if (form === 2) return `${this.#pick('model')} ${random.pick(nameParts()['suffixes of models'])}`;
      return `${this.#pick('model')} ${random.between(2, 9)}`;
    });
  }

  code(): string {
    const random = this.#random;
    return this.#fresh(() => {
      if (random.chance(0.6)) return `${this.#pick('codeWord')}${random.pick([5, 10, 15, 20, 25, 30, 40, 50])}`;
      const letters = names().codeLetter[this.#bank];
      const digit = (): string => random.pick(CODE_DIGITS);
      return random.pick(letters) + digit() + random.pick(letters) + digit() + random.pick(letters);
    });
  }

  phone(): string {
    const random = this.#random;
    return this.#fresh(() => {
      for (;;) {
        const number = random.pick(nameParts()['phone numbers']).replaceAll('X', () => String(random.below(10)));
        if (phoneBank(number) === this.#bank) return number;
      }
    });
  }
}
