/** The files that AdWorld is made of, as they stand in `data/adworld`: all but the page that explains them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BANKS_FOLDER, digestOf, textOf } from '../../src/adworld/banks/file.js';

/** Digests by file name, in the order of names. */
export function digestsOfFiles(): Record<string, string> {
  const names = readdirSync(BANKS_FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => name.replaceAll(path.sep, '/'))
    .sort();
  return Object.fromEntries(names.map((name) => [name, digestOf(textOf(readFileSync(path.join(BANKS_FOLDER, name))))]));
}
