/** The looks of series, one colour and mark for a name. It draws nothing. */

/**
 * Okabe and Ito's colours, distinguishable without colour vision. Their yellow is too pale for white paper, and grey stands for their black, which a dark page
 * would swallow.
 */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f'];

/** The colour of what is about no single prefix. */
export const NEUTRAL_COLOUR = '#7f7f7f';

/** The symbols, one fewer than colours, so that the pairs repeat only after 42 series. */
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross'] as const;
const DASHES = ['none', '6,3', '2,2', '8,3,2,3', '12,4'];

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly symbol: (typeof SYMBOLS)[number];
  readonly dash: string;
}

/** Every series its own colour and mark; the first seven differ in colour, the rest in mark and dashes as well. */
export function seriesOf(names: readonly string[]): Series[] {
  return [...new Set(names)].map((name, i) => ({
    name,
    colour: COLOURS[i % COLOURS.length]!,
    symbol: SYMBOLS[i % SYMBOLS.length]!,
    dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length]!,
  }));
}

/**
 * The series of a figure with the colours and marks that they have in all figures of a run.
 * @param all names of the run, in one order
 * @param shown names of the figure
 */
export function seriesAmong(all: readonly string[], shown: readonly string[]): Series[] {
  const wanted = new Set(shown);
  return seriesOf([...all, ...shown]).filter(({ name }) => wanted.has(name));
}

/** The scales that give a channel `series` its colours and marks. */
export function scalesOf(series: readonly Series[]) {
  const domain = series.map(({ name }) => name);
  return {
    color: { domain, range: series.map(({ colour }) => colour) },
    symbol: { domain, range: series.map(({ symbol }) => symbol) },
  };
}

/** The colour of the series that a field names. It says its scale: Plot would take a series called like a colour, such as `none`, for that colour. */
export const colourOf = (field: string) => ({ value: field, scale: 'color' }) as unknown as string;

/** The mark of the series that a field names; it says its scale for the same reason. */
export const symbolOf = (field: string) => ({ value: field, scale: 'symbol' }) as unknown as string;
