/** Writes docs/formats.md anew: `npm run formats`. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatsMarkdown } from './document.js';

writeFileSync(path.resolve(import.meta.dirname, '../../docs/formats.md'), formatsMarkdown());
