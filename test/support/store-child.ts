/**
 * Another process on a store: `write <folder> <from>` replaces documents for ever, `fill <folder>` writes until the disk is full.
 * One line on standard output for each acknowledged write.
 */

import { messageOf } from '../../src/errors.js';
import { openStore } from '../../src/store/open.js';
import { recordOf } from './records.js';

const [mode, folder = '', from = '0'] = process.argv.slice(2);
const store = await openStore(folder);
if (mode === 'write') await write(Number(from));
else await fill();

async function write(first: number): Promise<void> {
  for (let version = first; ; version++) {
    const record = recordOf(version, { rows: 40, width: 160, precision: 'float16' });
    await store.putDocument(
      `ad ${version % 10}`,
      { bare: record, twin: recordOf(-version) },
      { metadata: { version } },
    );
    process.stdout.write(`${version}\n`);
    if (version % 3 === 0) await store.put(recordOf(version + 0.5));
    if (version % 5 === 0) await store.gc({ minimumAgeMs: 0 });
  }
}

/** Says in one line of JSON what happened. */
async function fill(): Promise<void> {
  const codes: string[] = [];
  let stored = 0;
  for (let seed = 0; codes.length < 3; seed++) {
    try {
      await store.putDocument(`ad ${seed}`, { bare: recordOf(seed, { rows: 64, width: 640 }) });
      stored++;
    } catch (error) {
      codes.push(error instanceof Error && 'code' in error ? String(error.code) : messageOf(error));
    }
  }
  const { damaged, records } = await store.verify();
  await store.close();
  const again = await openStore(folder);
  const after = (await again.verify()).records;
  await again.close();
  console.log(JSON.stringify({ codes, stored, records, damaged: damaged.length, after }));
}
