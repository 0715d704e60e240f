/** How numbers are written in tables. A dash stands for what is undefined. */
import type { GainRecord } from '../../runs/schema/gains.js';
import type { Estimate } from '../../stats/gains.js';
import type { RatioShape } from '../../stats/ratio.js';

const NONE = '–';
const MINUS = '−';

export function fixed(value: number | null, digits: number): string {
  return value === null ? NONE : value.toFixed(digits).replace('-', MINUS);
}

export function signed(value: number | null, digits: number): string {
  if (value === null) return NONE;
  return value > 0 ? `+${value.toFixed(digits)}` : fixed(value, digits);
}

export function percent(share: number | null, digits = 0): string {
  return share === null ? NONE : fixed(share * 100, digits);
}

/** A value with its interval: `+0.21 [+0.10, +0.33]`. */
export function withInterval({ value, low, high }: Estimate, format: (value: number | null) => string): string {
  if (value === null) return NONE;
  return low === null ? format(value) : `${format(value)} [${format(low)}, ${format(high)}]`;
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
