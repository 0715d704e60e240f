/**
 * Values in words: money, weights, lengths, times, dates, spans of time, each in a style that one ad keeps throughout.
 * Knows how such things are written, not what they are values of.
 */
import type { Random } from '../base/random.js';

/** How one ad writes its values. */
export interface Manner {
  readonly money: (amount: number) => string;
  readonly clock: (minutes: number) => string;
  readonly range: (from: string, to: string) => string;
  /** @param day of the ad's year, from 0 */
  readonly date: (day: number) => string;
  /** True writes "three years", false "3 years". */
  readonly spellsNumbers: boolean;
}

export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
export const WEEKDAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');

function amountText(amount: number): string {
  const [whole, cents] = amount.toFixed(2).split('.');
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return cents === '00' ? grouped : `${grouped}.${cents}`;
}

const MONEY: readonly ((amount: number) => string)[] = [
  (amount) => `€${amountText(amount)}`,
  (amount) => `${amountText(amount)} euros`,
  (amount) => `EUR ${amountText(amount)}`,
  (amount) => `$${amountText(amount)}`,
  (amount) => `£${amountText(amount)}`,
];
/** The first so many money styles are in euros. */
const EURO_STYLES = 3;

function clock12(minutes: number): string {
  const hour = Math.floor(minutes / 60) % 24;
  const minute = minutes % 60;
  const shown = hour % 12 === 0 ? 12 : hour % 12;
  return `${shown}${minute === 0 ? '' : `:${String(minute).padStart(2, '0')}`} ${hour < 12 ? 'am' : 'pm'}`;
}

function clock24(minutes: number): string {
  return `${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, '0')}`;
}

const RANGES: readonly ((from: string, to: string) => string)[] = [
  (from, to) => `${from} to ${to}`,
  (from, to) => `${from} - ${to}`,
  (from, to) => `from ${from} until ${to}`,
];

type DateForm = (day: number, month: number, weekday: number) => string;
const DATES: readonly DateForm[] = [
  (day, month, weekday) => `${WEEKDAYS[weekday]}, ${day} ${MONTHS[month]}`,
  (day, month) => `${MONTHS[month]} ${day}`,
  (day, month) => `${day} ${MONTHS[month]}`,
  (day, month, weekday) => `${WEEKDAYS[weekday]}, ${MONTHS[month]} ${day}`,
];

export function randomManner(random: Random, options: { readonly euros?: boolean } = {}): Manner {
  const form = random.pick(DATES);
  // Which year it is decides only on which weekday a date falls.
  const firstYear = random.between(2021, 2023);
  return {
    money: random.pick(options.euros ? MONEY.slice(0, EURO_STYLES) : MONEY),
    clock: random.chance(0.6) ? clock12 : clock24,
    range: random.pick(RANGES),
    date: (day) => {
      const at = new Date(Date.UTC(firstYear, 0, 1 + day));
      return form(at.getUTCDate(), at.getUTCMonth(), (at.getUTCDay() + 6) % 7);
    },
    spellsNumbers: random.chance(0.5),
  };
}

/** A price between `low` and `high` with an ending that shops use. */
export function priceBetween(random: Random, low: number, high: number): number {
  const raw = random.between(low, high);
  if (raw >= 1000) return Math.round(raw / 50) * 50 - (random.chance(0.4) ? 1 : 0);
  if (raw >= 200) return Math.round(raw / 10) * 10 - (random.chance(0.5) ? 1 : 0);
  const cents = random.pick([0, 0, 0, 0.5, 0.9, 0.95, 0.99]);
  return raw < 100 ? raw + cents : raw;
}

/** A higher round price that something cost before. */
export function earlierPrice(random: Random, price: number): number {
  const raised = price * (1.12 + random.float() * 0.5) + 1;
  return raised >= 100 ? Math.ceil(raised / 5) * 5 : Math.ceil(raised);
}

export function count(manner: Manner, amount: number, one: string, many = `${one}s`): string {
  const written = manner.spellsNumbers && amount < NUMBER_WORDS.length ? NUMBER_WORDS[amount]! : String(amount);
  return `${written} ${amount === 1 ? one : many}`;
}

export function weightText(grams: number): string {
  return grams < 1000
    ? `${Math.round(grams / 10) * 10} g`
    : `${Number((grams / 1000).toFixed(grams < 20000 ? 1 : 0))} kg`;
}

export function decimal(value: number): string {
  return value.toFixed(1);
}

/** A multiple of `step` in [low, high]. */
export function stepped(random: Random, low: number, high: number, step: number): number {
  return low + step * random.below(Math.floor((high - low) / step) + 1);
}

export function timeRange(
  random: Random,
  manner: Manner,
  open: readonly [number, number],
  close: readonly [number, number],
): string {
  const from = stepped(random, open[0] * 60, open[1] * 60, 30);
  const to = stepped(random, close[0] * 60, close[1] * 60, 30);
  return manner.range(manner.clock(from), manner.clock(to));
}
