/** Figures as files for print: SVG and PNG on white, with fonts that exist where they are opened. */
import { DkvError } from '../../base/errors.js';
import type { Drawing } from '../figures/draw.js';

/** Pixels for each unit: 860 units make 2,580 pixels, 300 an inch over 8.6 inches. */
const SCALE = 3;

/** The largest number of pixels. Tall figures get fewer for each unit, so that a picture stays below what image programs take. */
const MOST_PIXELS = 24e6;

export function printSvg({ svg, width, height }: Drawing): string {
  const paper = `<rect width="${width}" height="${height}" fill="#fff"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace(/^<svg [^>]*>/, (tag) => tag + paper)}\n`;
}

/** @throws DkvError INPUT_INVALID where the machine has no font: the picture would be without any text */
export async function printPng(drawing: Drawing): Promise<Uint8Array> {
  // Loading the renderer takes a moment that only pictures need.
  const { Resvg } = await import('@resvg/resvg-js');
  const font = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };
  const probe = new Resvg('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">M</text></svg>', {
    font,
  });
  if (!probe.getBBox()) {
    throw new DkvError(
      'INPUT_INVALID',
      'PNG figures need a font, and this machine has none: install one (for example the package fonts-dejavu), or leave png out of --format.',
    );
  }
  const scale = Math.min(SCALE, Math.sqrt(MOST_PIXELS / (drawing.width * drawing.height)));
  const options = { font, background: '#fff', fitTo: { mode: 'zoom', value: scale } as const };
  return new Resvg(printSvg(drawing), options).render().asPng();
}
