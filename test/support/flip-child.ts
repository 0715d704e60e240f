/**
 * Another process, for a store whose file has one bit flipped: `<folder> <from> <count>` makes a store and, for each of so many bits,
 * reads a copy with that bit flipped, lets `verify` take out what is damaged, and puts everything again. A line of JSON for each.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DkvError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { recordOf } from './records.js';

const DOCUMENTS = 20;
const SHAPE = { rows: 20, width: 64 };
const [folder = '', from = '0', count = '0'] = process.argv.slice(2);

async function fill(store: Store): Promise<void> {
  for (let at = 0; at < DOCUMENTS; at++) {
    await store.putDocument(`ad ${at}`, { bare: recordOf(at, SHAPE) }, { metadata: { at } });
  }
}

/** How many documents are read as they were put, and how many otherwise; what is damaged or missing is neither. */
async function read(store: Store): Promise<{ right: number; wrong: number }> {
  const counts = { right: 0, wrong: 0 };
  for (let at = 0; at < DOCUMENTS; at++) {
    const found = await store.getDocument(`ad ${at}`, 'bare').catch((error) => {
      if (!(error instanceof DkvError) || error.code !== 'STORE_DAMAGED') throw error;
    });
    if (!found) continue;
    const { states, tokenIds, text } = recordOf(at, SHAPE);
    const isRight =
      found.metadata.at === at &&
      found.record.text === text &&
      Buffer.from(found.record.tokenIds.buffer).equals(Buffer.from(tokenIds.buffer)) &&
      Buffer.from(found.record.states.data.buffer).equals(Buffer.from(states.data.buffer));
    counts[isRight ? 'right' : 'wrong']++;
  }
  return counts;
}

if (!existsSync(folder)) {
  const whole = await openStore(folder);
  await fill(whole);
  await whole.close();
}
const bytes = await readFile(path.join(folder, 'data.mdb'));
for (let round = Number(from); round < Number(count); round++) {
  const random = new Random('flips', round);
  const copy = await mkdtemp(path.join(os.tmpdir(), 'dkv-flip-'));
  await cp(folder, copy, { recursive: true });
  const at = random.below(bytes.length);
  await writeFile(path.join(copy, 'data.mdb'), bytes.with(at, bytes[at]! ^ (1 << random.below(8))));
  let first = { right: 0, wrong: 0 };
  let mended = { right: 0, wrong: 0 };
  let failed: string | undefined;
  try {
    const store = await openStore(copy, { mustExist: true });
    try {
      first = await read(store);
      await store.verify({ remove: true });
      await fill(store);
      mended = await read(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    failed = error instanceof DkvError ? error.code : String(error);
  }
  console.log(JSON.stringify({ at, first, mended, failed: failed ?? null }));
  await rm(copy, { recursive: true, force: true });
}
