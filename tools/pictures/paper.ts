/** What the pictures of the documentation share: paper that is white in a dark page too, boxes, texts and arrows. */
import { escapeHtml } from '../../src/report/tables/table.js';

export const INK = '#1c1c1c';
export const PALE = '#555';
export const BLUE = '#0072b2';
export const ORANGE = '#d55e00';

const FONTS = "'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif";

export interface Styled {
  readonly size?: number;
  readonly fill?: string;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** @param title what the picture shows, for those who do not see it */
export function paper(width: number, height: number, title: string, parts: readonly string[]): string {
  const head =
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker>';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONTS}" color="${INK}">`,
    `<title>${escapeHtml(title)}</title><defs>${head}</defs>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6" fill="#fff" stroke="#ddd"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

export function words(
  text: string,
  x: number,
  y: number,
  { size = 13, fill = INK, bold = false, anchor = 'start' }: Styled = {},
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${bold ? ' font-weight="bold"' : ''}>${escapeHtml(text)}</text>`;
}

export function arrow(path: string): string {
  return `<path d="${path}" fill="none" stroke="${PALE}" stroke-width="1.5" marker-end="url(#head)"/>`;
}

/** A numbered mark that the key explains. */
export function badge(number: number, x: number, y: number): string {
  return `<circle cx="${x}" cy="${y}" r="9" fill="${INK}"/>${words(String(number), x, y + 4, { size: 11, fill: '#fff', bold: true, anchor: 'middle' })}`;
}
