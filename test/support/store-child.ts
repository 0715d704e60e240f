/**
 * Another process on a store: `write <folder> <from>` replaces documents for ever, `fill <folder>` writes until the disk is full;
 * one line on standard output for each acknowledged write. `leave <folder> <ms>` exits after so long in the middle of writes,
 * `interrupt <folder> <share>` in the middle of writing a document of very many records: after that share of what it took the first time.
 * `close <folder>` closes while a use is being noted, with nothing else that keeps the program alive. `collect <location>` keeps ten
 * documents and collects what nobody needs, for ever, a line for each time. `look <folder>` reads all of it and tries to change it.
 */

import { messageOf } from '../../src/base/errors.js';
import { openStore } from '../../src/store/open.js';
import { recordOf } from './records.js';

const [mode, folder = '', from = '0'] = process.argv.slice(2);
const store = await openStore(folder);
if (mode === 'write') await write(Number(from));
else if (mode === 'collect') await collect();
else if (mode === 'look') await look();
else if (mode === 'leave') await leave(Number(from));
else if (mode === 'interrupt') await interrupt(Number(from));
else if (mode === 'close') await close();
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

async function leave(afterMs: number): Promise<void> {
  await store.put(recordOf(0));
  setTimeout(() => process.exit(7), afterMs);
  const lane = async (first: number) => {
    for (let at = first; ; at += 4) {
      await store.putDocument(`ad ${at}`, { bare: recordOf(at, { rows: 20, width: 80 }) });
      process.stdout.write(`${at}\n`);
    }
  };
  await Promise.all([1, 2, 3, 4].map(lane));
}

async function interrupt(share: number): Promise<void> {
  const records = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`v${at}`, recordOf(at)]));
  const begun = performance.now();
  await store.putDocument('large', records);
  setTimeout(() => process.exit(7), share * (performance.now() - begun));
  for (;;) await store.putDocument('large', records);
}

async function close(): Promise<void> {
  const key = await store.put(recordOf(0));
  await store.get(key);
  // A second is when the use of the record is noted; this timer is the next one.
  await new Promise((resolve) => setTimeout(resolve, 1001));
  await store.close();
  process.stdout.write('closed');
}

async function collect(): Promise<void> {
  for (let at = 0; at < 10; at++) await store.putDocument(`ad ${at}`, { bare: recordOf(at), twin: recordOf(-1 - at) });
  for (let round = 0; ; round++) {
    process.stdout.write(`${round}\n`);
    for (let at = 0; at < 30; at++) await store.put(recordOf(1000 + 30 * round + at));
    await store.putDocument('passing', { bare: recordOf(500) });
    await store.deleteDocument('passing');
    await store.gc({ minimumAgeMs: -2000 });
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

/** Says in one line of JSON what could be read, and with which codes changes were refused. */
async function look(): Promise<void> {
  const { isReadOnly } = store;
  const { records, documents, damaged } = await store.verify();
  const texts: (string | undefined)[] = [];
  let key = store.keyOf(recordOf(1));
  for await (const id of store.ids()) {
    const found = await store.getDocument(id, 'bare').catch(() => undefined);
    texts.push(found?.record.text);
    key = found?.key ?? key;
  }
  const changes = [
    () => store.put(recordOf(9)),
    () => store.putDocument('new', { bare: key }),
    () => store.deleteDocument('ad'),
    () => store.putNote('primed', {}),
    () => store.pin(key),
    () => store.gc({ minimumAgeMs: 0 }),
  ];
  const codes: string[] = [];
  for (const change of changes) {
    const done = change().then(() => 'done');
    codes.push(await done.catch((error) => error.code ?? messageOf(error)));
  }
  await store.close();
  console.log(JSON.stringify({ isReadOnly, texts, records, documents, damaged: damaged.length, codes }));
}
