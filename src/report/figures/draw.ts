/** From marks to SVG text, without a browser: one look for all figures, their legend inside, several panels in one figure. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { grouped } from '../../base/groups.js';
import { printable } from '../../base/printable.js';
import { colourOf, type Series, scalesOf, symbolOf } from './series.js';

/** A drawing that can stand alone. */
export interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** The room that a figure is drawn for: its width, and how many panels stand side by side. */
export interface Frame {
  readonly width: number;
  readonly columns: 1 | 2;
}

/** For a page, a print and a picture. */
export const WIDE: Frame = { width: 860, columns: 2 };

/** For a small screen, where letters of a wide figure could not be read. */
export const NARROW: Frame = { width: 440, columns: 1 };

export const panelWidth = ({ width, columns }: Frame): number => width / columns;

/** Fonts of the usual systems: a picture must not depend on a browser's own. */
const FONTS = "'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif";

/** The room for axis labels at this font size. */
const AXIS = { marginBottom: 46, marginTop: 12 };
export const Y_MARGIN = 72;
export const Y_LABEL = { labelOffset: 64, grid: true, nice: true, labelArrow: 'none', labelAnchor: 'center' } as const;
export const X_LABEL = { labelOffset: 40, nice: true, labelArrow: 'none', labelAnchor: 'center' } as const;

/** The number of rows from which a figure has its horizontal axis above as well, as the one below them would be out of sight. */
const TALL_FROM = 16;

/** What a figure of so many rows has for its horizontal axis. */
export function rowsAxis(rows: number): { readonly axis?: 'both' } {
  return rows >= TALL_FROM ? { axis: 'both' } : {};
}

export function draw(options: Plot.PlotOptions & { readonly width: number }): Drawing {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({ ...withUpperAxis(withWholeLabel({ ...AXIS, ...options })), document } as Plot.PlotOptions);
  const svg = figure.tagName.toLowerCase() === 'svg' ? figure : figure.querySelector('svg')!;
  svg.setAttribute('xmlns', SVG);
  svg.setAttribute('font-family', FONTS);
  svg.setAttribute('font-size', '12');
  svg.setAttribute('overflow', 'visible');
  // Rules for a page; the figure stands alone.
  svg.querySelector('style')?.remove();
  svg.removeAttribute('class');
  return {
    svg: short(rounded(asXml(svg.outerHTML))),
    width: Number(svg.getAttribute('width')),
    height: Number(svg.getAttribute('height')),
  };
}

const SVG = 'http://www.w3.org/2000/svg';

/** The room for the numbers of an axis above. */
const UPPER_AXIS = 20;

function withUpperAxis(options: Plot.PlotOptions): Plot.PlotOptions {
  const { x, height = 0, marginTop = 0 } = options;
  if (x?.axis !== 'both') return options;
  return { ...options, height: height + UPPER_AXIS, marginTop: marginTop + UPPER_AXIS };
}

/** Breaks the label of the horizontal axis into as many lines as it takes, each of which makes the drawing taller. */
function withWholeLabel(options: Plot.PlotOptions & { readonly width: number }): Plot.PlotOptions {
  const { x, width, height = 0, marginLeft = 0, marginRight = 20, marginBottom = 0 } = options;
  if (typeof x?.label !== 'string') return options;
  const lines = brokenInto(x.label, width - marginLeft - marginRight);
  const more = (lines.length - 1) * LINE_HEIGHT;
  return {
    ...options,
    height: height + more,
    marginBottom: marginBottom + more,
    x: { ...x, label: lines.join('\n'), labelOffset: (x.labelOffset ?? 0) + more },
  };
}

export const LINE_HEIGHT = 14;

/** Breaks a text where its words, or the parts of a name, end. A part that is wider than the room stays whole. */
export function brokenInto(text: string, room: number, size?: number): string[] {
  const lines = [''];
  for (const part of text.match(/[^\s_]+(_+|\s+|$)|[\s_]+/g) ?? []) {
    const line = lines.at(-1)!;
    if (line === '' || textWidth((line + part).trimEnd(), size) <= room) lines[lines.length - 1] = line + part;
    else lines.push(part);
  }
  return lines.map((line) => line.trimEnd());
}

/**
 * Makes HTML well-formed XML: a figure stands in files of its own, where HTML's names of characters and some characters themselves make it
 * unreadable.
 */
function asXml(html: string): string {
  return printable(html).replaceAll('&nbsp;', '&#160;');
}

/** Rounds coordinates to a hundredth of a pixel and leaves text alone. */
function rounded(svg: string): string {
  return svg.replace(/<[^>]+>/g, (tag) =>
    tag.replace(/-?\d+\.\d{3,}/g, (value) => String(Number(Number(value).toFixed(2)))),
  );
}

/** An upright line as Plot writes it: its colour, its ends, and where it stands. */
const UPRIGHT = /<line stroke="([^"]*)" y2="([^"]*)" y1="([^"]*)" x2="([^"]*)" x1="\4" \/>/;
const ROW_OF_UPRIGHTS = new RegExp(
  `${UPRIGHT.source}(?:<line stroke="\\1" y2="\\2" y1="\\3" x2="([^"]*)" x1="\\5" />)+`,
  'g',
);

/** Says once what the ticks of a row share: a report has thousands of them, of a sample each, twice. Each stays a shape of its own, for they are transparent. */
function short(svg: string): string {
  return svg.replace(ROW_OF_UPRIGHTS, (lines, stroke, y2, y1) => {
    const places = [...lines.matchAll(new RegExp(UPRIGHT, 'g'))].map(([, , , , x]) => x);
    return `<g stroke="${stroke}">${places.map((x) => `<path d="M${x} ${y1}V${y2}" />`).join('')}</g>`;
  });
}

/** Panels in as many columns as the frame has, with a title above each if it has one, and one legend above all. */
export function arrange(
  panels: readonly { readonly title?: string; readonly drawing: Drawing }[],
  { width: room, columns }: Frame,
  legend: readonly Series[] = [],
): Drawing {
  const placed: string[] = [];
  let [y, width] = [0, 0];
  if (legend.length > 1) {
    const key = drawLegend(legend, room);
    placed.push(at(key, 0, 0));
    [y, width] = [key.height, key.width];
  }
  for (const row of grouped(panels, columns)) {
    // A title stands nearer to what it is of than to what is above it.
    const above = y > 0 ? 12 : 0;
    const titles = row.map(({ title, drawing }) =>
      title === undefined ? [] : headingLines(title, drawing.width - 12),
    );
    const most = Math.max(...titles.map(({ length }) => length));
    const titleHeight = most > 0 ? 20 + above + (most - 1) * HEADING_LINE : 0;
    let x = 0;
    for (const [place, { drawing }] of row.entries()) {
      // The last lines of titles beside each other stand at one height.
      const lines = titles[place]!;
      const top = y + above + 14 + (most - lines.length) * HEADING_LINE;
      for (const [l, line] of lines.entries()) placed.push(heading(line, x + 4, top + l * HEADING_LINE));
      placed.push(at(drawing, x, y + titleHeight));
      x += drawing.width;
    }
    width = Math.max(width, x);
    y += titleHeight + Math.max(...row.map(({ drawing }) => drawing.height));
  }
  return {
    svg: `<svg xmlns="${SVG}" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">${placed.join('')}</svg>`,
    width,
    height: y,
  };
}

function at({ svg }: Drawing, x: number, y: number): string {
  return svg.replace('<svg ', `<svg x="${x}" y="${y}" `);
}

const HEADING_SIZE = 13;
const HEADING_LINE = 16;

function headingLines(title: string, width: number): string[] {
  return brokenInto(title, width, HEADING_SIZE);
}

function heading(line: string, x: number, y: number): string {
  const escaped = printable(line).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" font-family="${FONTS}" font-size="${HEADING_SIZE}" font-weight="bold" fill="currentColor">${escaped}</text>`;
}

/** Draws marks with their names, in as many lines as they take. */
function drawLegend(series: readonly Series[], width: number): Drawing {
  const [lineHeight, markWidth, gap] = [20, 34, 16];
  let [x, y] = [4, lineHeight / 2 + 2];
  const items = series.map((entry) => {
    const length = markWidth + textWidth(entry.name);
    if (x > 4 && x + length > width) [x, y] = [4, y + lineHeight];
    const item = { ...entry, x, y };
    x += length + gap;
    return item;
  });
  const height = y + lineHeight / 2 + 4;
  return draw({
    width,
    height,
    margin: 0,
    x: { axis: null, domain: [0, width], range: [0, width] },
    y: { axis: null, domain: [0, height], range: [0, height] },
    ...scalesOf(series),
    marks: [
      ...items.map((item) =>
        Plot.ruleY([item], {
          x1: item.x,
          x2: item.x + 24,
          y: 'y',
          stroke: item.colour,
          strokeWidth: 2,
          strokeDasharray: item.dash,
        }),
      ),
      Plot.dot(items, { x: (item) => item.x + 12, y: 'y', fill: colourOf('name'), symbol: symbolOf('name'), r: 4.5 }),
      Plot.text(items, { x: (item) => item.x + 29, y: 'y', text: 'name', textAnchor: 'start' }),
    ],
  });
}

/** The approximate width of a text in the figure's size. */
function textWidth(text: string, size = 12): number {
  return [...text].length * size * 0.58;
}

/** The margin for the names of rows; longer names are broken by `rowAxis`. */
export function rowMargin(names: readonly string[], { width }: Pick<Frame, 'width'>): number {
  return Math.min(
    width * (width < WIDE.width ? 0.5 : 0.42),
    Math.max(80, ...names.map((name) => textWidth(name) + 14)),
  );
}

/** The room left beside the label of a neighbouring panel's last tick. */
const APART = 28;

/**
 * How two panels of the same rows divide a frame: where they stand side by side the second needs no names of rows, one below the other both have them.
 * @returns their left margins and the width of what each has beside its margin
 */
export function besideEachOther(names: readonly string[], frame: Frame) {
  const marginLeft = rowMargin(names, frame);
  const marginBeside = frame.columns === 2 ? APART : marginLeft;
  const room = frame.columns === 2 ? (frame.width - marginLeft - marginBeside) / 2 : frame.width - marginLeft;
  return { marginLeft, marginBeside, room };
}

/** The vertical axis of rows that are named beside it, in two lines where the margin is too small for one. */
export function rowAxis(names: readonly string[], margin: number) {
  return {
    label: null,
    domain: names,
    tickFormat: (name: string) => brokenInto(name, margin - 10).join('\n'),
  };
}

/** The domain from the lowest to the highest end of all intervals and 0, for panels that are compared. */
export function commonDomain(
  rows: readonly { readonly value: number | null; readonly low: number | null; readonly high: number | null }[],
): [number, number] {
  const ends = rows.flatMap(({ value, low, high }) => [value, low, high]).filter((end) => end !== null);
  return [Math.min(0, ...ends), Math.max(0, ...ends)];
}
