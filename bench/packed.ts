/**
 * What reading documents from a packed generation in a folder costs beside LMDB: 100 documents of 128 x 640 states, read together, in turn, in one
 * process, and single documents one after the other. Everything in the page cache; the index is read before (warm) or the generation is opened for each
 * round (cold). Single records are also read from the two nearest formats that others use: a zip64 archive without compression and a safetensors file.
 *
 *     npx tsx bench/packed.ts [--documents 2000] [--rounds 40]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { activate } from '../src/store/generations/aliases.js';
import { FolderFiles } from '../src/store/generations/folder-files.js';
import { packStore } from '../src/store/generations/pack.js';
import { publish } from '../src/store/generations/publish.js';
import { Takedowns } from '../src/store/generations/takedowns.js';
import { openStore } from '../src/store/open.js';
import { STATES_PRECISIONS, type StatesPrecision, type Store } from '../src/store/store.js';
import { randomStates, recordOf } from './records.js';
import { table } from './sections.js';

const [ROWS, WIDTH, TOGETHER] = [128, 640, 100];
const { values } = parseArgs({
  options: { documents: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '40' } },
});
const documents = Number(values.documents);
const rounds = Number(values.rounds);

const rows: string[][] = [];
for (const precision of STATES_PRECISIONS) rows.push(...(await measure(precision)));
console.log(table(['states', 'reading', 'lmdb ms', 'packed ms', 'packed / lmdb'], rows).join('\n'));

async function measure(precision: StatesPrecision): Promise<string[][]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-bench-packed-'));
  try {
    const [lmdb, catalogue] = [path.join(folder, 'lmdb'), path.join(folder, 'catalogue')];
    const store = await openStore(lmdb);
    for (let at = 0; at < documents; at++) {
      const record = recordOf(randomStates(ROWS, WIDTH, at), precision, at);
      await store.putDocument(`ad ${at}`, { bare: record }, { metadata: { fields: { title: `Shoes ${at}` } } });
    }
    const files = new FolderFiles(catalogue);
    const draft = await packStore(store, files);
    await publish(files, draft.generation.id);
    await activate(files, new Takedowns(files), 'live', draft.generation.id);
    await store.close();
    const open = () => Promise.all([openStore(lmdb), openStore(`packed:${catalogue}`)]);
    const [a, b] = await open();
    const idsOf = (round: number, count: number) =>
      Array.from({ length: count }, (_, at) => `ad ${(round * 7919 + at * 104_729) % documents}`);
    const together = async (own: Store, round: number) => void (await own.getDocuments(idsOf(round, TOGETHER), 'bare'));
    const alone = async (own: Store, round: number) => {
      for (const id of idsOf(round, TOGETHER)) await own.getDocument(id, 'bare');
    };
    const measured: readonly (readonly [string, readonly [number, number]])[] = [
      ['100 together', await inTurn([a, b], together)],
      ['100 one after the other', await inTurn([a, b], alone)],
    ];
    await Promise.all([a.close(), b.close(), files.close()]);
    return measured.map(([name, [lmdbMs, packedMs]]) => [
      precision,
      name,
      lmdbMs.toFixed(1),
      packedMs.toFixed(1),
      (packedMs / lmdbMs).toFixed(2),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The medians of what each of several stores takes, in milliseconds. */
async function inTurn(
  stores: readonly [Store, Store],
  read: (store: Store, round: number) => Promise<void>,
): Promise<[number, number]> {
  const times = stores.map((): number[] => []);
  for (let round = -3; round < rounds; round++) {
    for (const [at, store] of stores.entries()) {
      const start = performance.now();
      await read(store, round + 3);
      if (round >= 0) times[at]!.push(performance.now() - start);
    }
  }
  const median = (own: number[]) => own.sort((one, other) => one - other)[own.length >> 1]!;
  return [median(times[0]!), median(times[1]!)];
}
