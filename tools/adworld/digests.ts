/**
 * Takes over the digests of `data/adworld` after an edit. If generated texts change with it, ADWORLD_VERSION has to be raised.
 *
 *   npx tsx tools/adworld/digests.ts
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestsOfFiles } from './files.js';

const HEAD = `/**
 * The texts that AdWorld's version (../version.ts) is made of: the SHA-256 of each file of \`data/adworld\`, with line feeds as line ends and without a byte
 * order mark. Written by tools/adworld/digests.ts.
 */
export const ADWORLD_DIGESTS: Readonly<Record<string, string>> = {
`;

const lines = Object.entries(digestsOfFiles()).map(([name, digest]) => `  '${name}': '${digest}',\n`);
writeFileSync(path.resolve(import.meta.dirname, '../../src/adworld/banks/digests.ts'), `${HEAD}${lines.join('')}};\n`);
