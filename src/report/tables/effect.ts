/** The columns that every table of gains has: the mean beside what a few outliers cannot carry. */
import type { GainRecord } from '../../runs/schema/gains.js';
import { percent, pOf, pValue, signed, withInterval } from '../words/format.js';
import { type Column, number } from './table.js';

/** A column of a gain, where the summary has it. */
interface EffectColumn {
  readonly title: string;
  of(gain: GainRecord): string;
  /** Tells whether a gain has the column. Summaries of older versions, and tables of measures, lack some. */
  has(gain: GainRecord): boolean;
}

const always = () => true;

const EFFECT: readonly EffectColumn[] = [
  { title: 'mean, nats [95%]', of: ({ mean }) => withInterval(mean, (x) => signed(x, 3)), has: always },
  {
    title: 'trimmed mean [95%]',
    of: ({ trimmed_mean }) => withInterval(trimmed_mean, (x) => signed(x, 3)),
    has: always,
  },
  { title: 'median', of: ({ median }) => signed(Number.isNaN(median) ? null : median, 3), has: always },
  {
    title: 'capped mean [95%]',
    of: ({ capped }) => (capped ? withInterval(capped, (x) => signed(x, 3)) : '–'),
    has: ({ capped }) => capped !== undefined,
  },
  {
    title: 'robust d [95%]',
    of: ({ robust_d }) => (robust_d ? withInterval(robust_d, (x) => signed(x, 2)) : '–'),
    has: ({ robust_d }) => robust_d !== undefined,
  },
  { title: 'd, nominal', of: ({ d }) => signed(d.value, 2), has: always },
  { title: 'win %', of: ({ win }) => percent(win.value), has: always },
  {
    title: 'ties %',
    of: ({ ties }) => percent(ties === undefined || Number.isNaN(ties) ? null : ties),
    has: ({ ties }) => ties !== undefined,
  },
  {
    title: 'above ln V %',
    of: ({ above_cap }) => percent(above_cap ?? null),
    has: ({ above_cap }) => above_cap !== undefined,
  },
  {
    title: '25 largest %',
    of: ({ top_share }) => shareOfFew(top_share ?? null),
    has: ({ top_share }) => top_share !== undefined && top_share !== null,
  },
  { title: 'p', of: (gain) => pValue(pOf(gain)), has: always },
];

/** More than all where the other samples lose together, and less than nothing where these few go against the whole. */
function shareOfFew(share: number | null): string {
  if (share === null || (share >= 0 && share <= 1)) return percent(share);
  return share > 1 ? '> 100' : '< 0';
}

export interface EffectColumns {
  readonly columns: readonly Column[];
  cells(gain: GainRecord): string[];
}

/**
 * @param gains all of a table: a column that none of them has is left out
 * @param unit of the values, where it is not nats
 */
export function effectColumns(gains: readonly GainRecord[], unit?: string): EffectColumns {
  const shown = EFFECT.filter(({ has }) => gains.some(has));
  return {
    columns: shown.map(({ title }) => number(unit === undefined ? title : title.replace('mean, nats', unit))),
    cells: (gain) => shown.map(({ of }) => of(gain)),
  };
}
