/** Writes docs/formats.md anew, and the tables of metrics and settings in docs/on-call.md and docs/serving.md: `npm run formats`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { metricsMarkdown } from '../../src/server/metric-table.js';
import { formatsMarkdown } from './document.js';
import { settingsMarkdown } from './settings.js';

const DOCS = path.resolve(import.meta.dirname, '../../docs');

writeFileSync(path.join(DOCS, 'formats.md'), formatsMarkdown());
writePart('on-call.md', 'metrics', metricsMarkdown());
writePart('serving.md', 'settings', settingsMarkdown());

/** Puts a table between the two comments of a page that name it. */
function writePart(page: string, name: string, table: string): void {
  const file = path.join(DOCS, page);
  const parts = readFileSync(file, 'utf8').split(
    new RegExp(`(?<=<!-- ${name} -->\\n)[\\s\\S]*?(?=<!-- end of ${name} -->)`),
  );
  if (parts.length !== 2) throw new Error(`${file} has no place for the ${name}.`);
  writeFileSync(file, parts.join(`\n${table}\n\n`));
}
