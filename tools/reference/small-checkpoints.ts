/**
 * Writes the small random checkpoints of the tests where Python finds them, a folder each.
 *
 *     npx tsx tools/reference/small-checkpoints.ts FOLDER
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { KINDS, writeSmallCheckpoint } from '../../test/support/small-checkpoints.js';

const [target] = process.argv.slice(2);
if (!target) throw new Error('usage: npx tsx tools/reference/small-checkpoints.ts FOLDER');
for (const [name, kind] of Object.entries(KINDS)) {
  const folder = path.join(target, name);
  await mkdir(folder, { recursive: true });
  await writeSmallCheckpoint(kind, folder);
}
