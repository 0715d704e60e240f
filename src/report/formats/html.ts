/** A run as `report.html`: one file, nothing loaded from anywhere. */

import type { FinishedRun } from '../../runs/schema/run.js';
import type { Block, Section } from '../content/block.js';
import { escapeHtml, renderHtml } from '../tables/table.js';
import { warnings } from '../words/notes.js';
import { STYLE } from './html-style.js';
import type { ReportLinks } from './links.js';
import { readerPart } from './sample-reader.js';
import { TABLE_SCRIPT } from './table-script.js';

export interface HtmlOptions {
  /** Leave out the samples' texts. */
  readonly noText: boolean;
  readonly links?: ReportLinks | undefined;
}

export function htmlReport(run: FinishedRun, sections: readonly Section[], options: HtmlOptions): string {
  const { experiment } = run.summary.configuration;
  const title = escapeHtml(`${experiment.id}: ${experiment.title}`);
  const reader = run.trials.length > 0 ? readerPart(run, options) : undefined;
  const titles = [...sections.map((section) => section.title), ...(reader ? ['Samples'] : [])];
  const links = titles.map((name) => `<a href="#${anchorOf(name)}">${escapeHtml(name)}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${options.links ? linkLine(options.links) : ''}<h1>${title}</h1>
<p class="question">${escapeHtml(experiment.question)}</p>
${warnings(run.summary)
  .map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`)
  .join('\n')}
<nav>${links.join(' ')}</nav>
${sections.map(renderSection).join('\n')}
${reader ? `<h2 id="${anchorOf('Samples')}">Samples</h2>\n${reader}` : ''}
<script>${TABLE_SCRIPT}</script>
</main>
</body>
</html>
`;
}

function linkLine({ index, before, after }: ReportLinks): string {
  const link = (title: string, href: string) => `<a href="${escapeHtml(href)}">${escapeHtml(title)}</a>`;
  const parts = [
    link('All runs', index),
    ...(before ? [link(`← ${before.title}`, before.href)] : []),
    ...(after ? [link(`${after.title} →`, after.href)] : []),
  ];
  return `<nav>${parts.join(' ')}</nav>\n`;
}

function anchorOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z]+/g, '-');
}

function renderSection({ title, blocks }: Section): string {
  return `<h2 id="${anchorOf(title)}">${escapeHtml(title)}</h2>\n${blocks.map(renderBlock).join('\n')}`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p${block.note ? ' class="note"' : ''}>${escapeHtml(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('\n')}</ul>`;
    case 'table': {
      const table = `<div class="wide ${escapeHtml(block.name)}">${renderHtml(block.table)}</div>`;
      const title = escapeHtml(block.title);
      return block.folded ? `<details><summary>${title}</summary>${table}</details>` : `<h3>${title}</h3>\n${table}`;
    }
    case 'figure':
      return `<figure><div class="broad">${block.drawing.svg}</div><div class="narrow">${block.narrow().svg}</div><figcaption>${escapeHtml(block.caption)}</figcaption></figure>`;
  }
}
