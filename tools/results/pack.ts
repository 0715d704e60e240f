/**
 * Packs the trials of finished runs and compresses their samples and summaries, as `dkv run --compress` does when a run ends, and has `run.json` say which samples are its own
 * where the run is older than that. What is packed or bound already stays as it is.
 *
 *     npx tsx tools/results/pack.ts [FOLDER OF RUN FOLDERS, results/built-in when left out]
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { packRun } from '../../src/runs/run-folder.js';
import { RECORD_FILE } from '../../src/runs/schema/record.js';
import { bindSamples } from './bind.js';

const parent = process.argv[2] ?? path.resolve(import.meta.dirname, '../../results/built-in');
const folders = readdirSync(parent).map((name) => path.join(parent, name));
for (const folder of folders.filter((one) => existsSync(path.join(one, RECORD_FILE)))) {
  await packRun(folder);
  const isNew = await bindSamples(folder);
  process.stdout.write(`${folder}${isNew ? ': its samples are those of the data, and run.json says so now' : ''}\n`);
}
