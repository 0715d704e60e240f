/** Writes docs/formats.md anew, and the table of metrics in docs/on-call.md: `npm run formats`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { metricsMarkdown } from '../../src/server/metric-table.js';
import { formatsMarkdown } from './document.js';

const DOCS = path.resolve(import.meta.dirname, '../../docs');

writeFileSync(path.join(DOCS, 'formats.md'), formatsMarkdown());
const onCall = path.join(DOCS, 'on-call.md');
const parts = readFileSync(onCall, 'utf8').split(/(?<=<!-- metrics -->\n)[\s\S]*?(?=<!-- end of metrics -->)/);
writeFileSync(onCall, parts.join(`\n${metricsMarkdown()}\n\n`));
