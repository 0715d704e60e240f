/**
 * Writes the training and validation files for the built-in model: AdWorld's JSON lines and nothing else.
 * Usage: npx tsx tools/train-tiny/data.ts FOLDER [TRAIN_COUNT] [VALIDATION_COUNT] [SEED]
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeAdworldLines } from '../../src/datasets/adworld/lines.js';

const [folder, train = '80000', validation = '2000', seed = '0'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: npx tsx tools/train-tiny/data.ts FOLDER [TRAIN] [VALIDATION] [SEED]');
mkdirSync(folder, { recursive: true });
const counts = { train: Number(train), validation: Number(validation) } as const;
for (const split of ['train', 'validation'] as const) {
  await writeAdworldLines({ split, seed: Number(seed), count: counts[split] }, join(folder, `${split}.jsonl`));
}
