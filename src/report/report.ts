/** Writes the reports of a run folder. Works from records alone: no model is run. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish } from '../base/files.js';
import { readRecord } from '../runs/record.js';
import { withTrials } from '../runs/run-folder.js';
import type { FinishedRun } from '../runs/schema/run.js';
import type { Summary } from '../runs/schema/summary.js';
import { type HtmlOptions, htmlReport } from './formats/html.js';
import { markOf, printPng, printSvg } from './formats/images.js';
import { latexTable } from './formats/latex.js';
import type { ReportLinks } from './formats/links.js';
import { markdownReport } from './formats/markdown.js';
import { notebook, notebookFiles } from './formats/notebook.js';
import { warnings } from './words/notes.js';

export type ReportFormat = 'html' | 'md' | 'ipynb' | 'tex' | 'svg' | 'png';

export interface ReportOptions {
  /** The formats to write; `md` and `html` by default. */
  readonly formats?: readonly ReportFormat[];
  /** Keep the samples' texts out of the reports. */
  readonly noText?: boolean;
  /** What report.html leads to: an index and the runs beside it; nothing by default, so that the page can stand anywhere. */
  readonly links?: ReportLinks | undefined;
}

/**
 * Writes the reports of a finished run into its folder.
 * @returns the files written
 * @throws DkvError RUN_DAMAGED
 */
export async function writeReports(
  directory: string,
  summary: Summary,
  { formats = ['md', 'html'], noText = false, links }: ReportOptions = {},
): Promise<string[]> {
  const record = await readRecord(directory);
  if (!record) throw new DkvError('RUN_DAMAGED', `${directory}: has no run.json.`);
  const run = await withTrials(directory, record, summary);
  const files = await filesOf(run, formats, { noText, links });
  const written: string[] = [];
  for (const [name, content] of files) {
    const file = path.join(directory, name);
    await publish(file, content);
    written.push(file);
  }
  return written;
}

async function filesOf(
  run: FinishedRun,
  formats: readonly ReportFormat[],
  { noText, links }: HtmlOptions,
): Promise<Map<string, string | Uint8Array>> {
  // What draws figures takes longer to load than all else of this package, and most who import that write no report.
  const { contentOf } = await import('./content/content.js');
  const sections = contentOf(run, { noText });
  const wants = (format: ReportFormat) => formats.includes(format);
  const files = new Map<string, string | Uint8Array>();
  const mark = markOf(run.summary);
  const extension = wants('svg') || wants('ipynb') ? 'svg' : wants('png') ? 'png' : undefined;
  if (wants('md')) {
    files.set('report.md', markdownReport(run, sections, extension && ((name) => `figures/${name}.${extension}`)));
  }
  if (wants('html')) files.set('report.html', htmlReport(run, sections, { noText, links }));
  if (wants('ipynb')) {
    files.set('notebook.ipynb', notebook(run, sections));
    for (const [name, content] of notebookFiles(sections, mark)) files.set(name, content);
  }
  const remark = warnings(run.summary).join(' ');
  for (const block of sections.flatMap(({ blocks }) => blocks)) {
    if (block.kind === 'table' && wants('tex')) files.set(`tables/${block.name}.tex`, latexTable(block, remark));
    if (block.kind !== 'figure') continue;
    if (wants('svg')) files.set(`figures/${block.name}.svg`, printSvg(block.drawing, mark));
    if (wants('png')) files.set(`figures/${block.name}.png`, await printPng(block.drawing, mark));
  }
  return files;
}
