/** How numbers are written in tables. A dash stands for what is undefined. */
import type { GainRecord } from '../../runs/schema/gains.js';
import type { Estimate } from '../../stats/gains.js';
import type { RatioShape } from '../../stats/ratio.js';

const NONE = '–';
const MINUS = '−';

export function fixed(value: number | null, digits: number): string {
  if (value === null) return NONE;
  const shown = value.toFixed(digits);
  // A small negative number is written as the zero that it is rounded to.
  return isZero(shown) ? shown.replace('-', '') : shown.replace('-', MINUS);
}

function isZero(shown: string): boolean {
  return !/[1-9]/u.test(shown);
}

export function signed(value: number | null, digits: number): string {
  if (value === null) return NONE;
  const shown = fixed(value, digits);
  return value > 0 && !isZero(shown) ? `+${shown}` : shown;
}

/** Nats, or their difference, as all tables and figures write them. */
export const nats = (value: number | null): string => signed(value, 3);

export function percent(share: number | null, digits = 0): string {
  return share === null ? NONE : fixed(share * 100, digits);
}

/** A value with its interval: `+0.21 [+0.10, +0.33]`; where all of it would be written as zeros and is not, `4.2e−8 [1.1e−8, 7.3e−8]`; where all is 0, `0.000 [–]`. */
export function withInterval({ value, low, high }: Estimate, format: (value: number | null) => string): string {
  if (value === null) return NONE;
  // Where all differences are 0 an interval of no width says nothing of how far the effect may be from 0.
  if (value === 0 && low === 0 && high === 0) return `${format(0)} [${NONE}]`;
  const numbers = low === null || high === null ? [value] : [value, low, high];
  const formatted = numbers.map(format);
  const isLost = formatted.every(isZero) && numbers.some((number) => number !== 0);
  const [shown, ...ends] = isLost ? numbers.map((number) => small(number, format)) : formatted;
  return ends.length === 0 ? shown! : `${shown} [${ends.join(', ')}]`;
}

/** A number with an exponent, in the unit and with the signs of a format. */
function small(number: number, format: (value: number | null) => string): string {
  if (number === 0) return '0';
  const one = format(1);
  const shown = (number * Number(one)).toExponential(1).replaceAll('-', MINUS);
  return one.startsWith('+') && number > 0 ? `+${shown}` : shown;
}

/** A share with its interval: `87 [61, 112]`; with a set that is not bounded `87 [≤ −20 or ≥ 45]` or `87 [any]`. */
export function ratio(
  { shape = 'interval', ...share }: Estimate & { readonly shape?: RatioShape | undefined },
  format: (value: number | null) => string = (x) => percent(x),
): string {
  if (share.value === null || shape === 'interval') return withInterval(share, format);
  const set = shape === 'all' ? 'any' : `≤ ${format(share.low)} or ≥ ${format(share.high)}`;
  return `${format(share.value)} [${set}]`;
}

/** Tells whether an interval does not hold 0. */
export function isTold({ low, high }: Estimate): boolean {
  return low !== null && high !== null && (low > 0 || high < 0);
}

/** The p-value of a gain's mean; in summaries of older versions the t-test's. */
export function pOf({ p }: GainRecord): number | null {
  return p.mean === undefined ? p.t : p.mean;
}

/** A p-value in two significant digits. The tail of the t distribution is not worth more than `< 1e-15`. */
export function pValue(p: number | null): string {
  if (p === null) return NONE;
  if (p < 1e-15) return '< 1e-15';
  return p < 0.001 ? p.toExponential(1).replace('-', MINUS) : p.toFixed(3);
}

/** A title in the form of names of files and anchors. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
