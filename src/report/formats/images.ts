/** Figures as files for print: SVG and PNG on white, with fonts that exist where they are opened. */
import { DkvError } from '../../base/errors.js';
import type { Summary } from '../../runs/schema/summary.js';
import type { Drawing } from '../figures/draw.js';
import { escapeHtml } from '../tables/table.js';

/** Pixels for each unit: 860 units make 2,580 pixels, 300 an inch over 8.6 inches. */
const SCALE = 3;

/** The largest number of pixels. Tall figures get fewer for each unit, so that a picture stays below what image programs take. */
const MOST_PIXELS = 24e6;

/** The height of the line below a figure that says what nobody may overlook. */
const MARK_HEIGHT = 22;

/** What has to stand on a figure that leaves its report: that it is of a smoke run, of the built-in model, or imported. Empty where there is nothing. */
export function markOf({ smoke_run, configuration: { model, imported, experiment } }: Summary): string {
  const said = [
    ...(smoke_run ? ['smoke run, no conclusions'] : []),
    ...(model.built_in ? ['the built-in model on generated texts, nothing about T5Gemma 2'] : []),
    ...(imported ? ['numbers imported, not computed here'] : []),
  ];
  return said.length > 0 ? `${experiment.id}: ${said.join('; ')}.` : '';
}

/** @param mark a line to stand below the figure; none when empty */
export function printSvg(drawing: Drawing, mark = ''): string {
  const { svg, width, height } = marked(drawing, mark);
  const paper = `<rect width="${width}" height="${height}" fill="#fff"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace(/^<svg [^>]*>/, (tag) => tag + paper)}\n`;
}

function marked({ svg, width, height }: Drawing, mark: string): Drawing {
  if (mark === '') return { svg, width, height };
  const taller = height + MARK_HEIGHT;
  const line = `<text x="4" y="${height + 14}" font-family="'Liberation Sans', Arial, Helvetica, 'DejaVu Sans', sans-serif" font-size="11" fill="#a84900">${escapeHtml(mark)}</text>`;
  const opened = svg.replace(/^<svg [^>]*>/, (tag) =>
    tag
      .replace(`height="${height}"`, `height="${taller}"`)
      .replace(/viewBox="[^"]*"/, `viewBox="0 0 ${width} ${taller}"`),
  );
  return { svg: opened.replace(/<\/svg>$/, `${line}</svg>`), width, height: taller };
}

/**
 * @param mark as of `printSvg`
 * @throws DkvError INPUT_INVALID where the machine has no font: the picture would be without any text
 */
export async function printPng(drawing: Drawing, mark = ''): Promise<Uint8Array> {
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
  return new Resvg(printSvg(drawing, mark), options).render().asPng();
}
