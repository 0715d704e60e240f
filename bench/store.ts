/**
 * What the store costs: reading records of 128 x 640 states in each precision, writing them, their checksum. Embedded and in memory,
 * one process, everything in the page cache; encoding, decoding and checksum included. Leaves out cold disks and networks.
 *
 *     npx tsx bench/store.ts [records]
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openStore } from '../src/store/open.js';
import { encodeRecord } from '../src/store/records/record.js';
import { STATES_PRECISIONS, type StatesPrecision, type Store } from '../src/store/store.js';
import { randomStates, recordOf } from './records.js';

const COUNT = Number(process.argv[2] ?? 300);
const [ROWS, WIDTH] = [128, 640];

async function timesOf(count: number, work: (at: number) => Promise<unknown> | unknown): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const start = performance.now();
    await work(at);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

async function measure(name: string, store: Store, precision: StatesPrecision) {
  const records = Array.from({ length: COUNT }, (_, seed) =>
    recordOf(randomStates(ROWS, WIDTH, seed), precision, seed),
  );
  const keys = records.map((record) => store.keyOf(record));
  const bytes = encodeRecord(keys[0]!, records[0]!).byteLength;
  const puts = await timesOf(COUNT, (at) => store.put(records[at]!));
  const gets = await timesOf(COUNT * 4, (at) => store.get(keys[(at * 7919) % COUNT]!));
  const putSeconds = puts.reduce((sum, time) => sum + time, 0) / 1000;
  return {
    store: name,
    precision,
    recordBytes: bytes,
    getP50Ms: Number(quantile(gets, 0.5).toFixed(3)),
    getP99Ms: Number(quantile(gets, 0.99).toFixed(3)),
    putP50Ms: Number(quantile(puts, 0.5).toFixed(3)),
    putMBPerSecond: Math.round((bytes * COUNT) / putSeconds / 1e6),
  };
}

const rows = [];
for (const precision of STATES_PRECISIONS) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-bench-'));
  for (const [name, location] of [
    ['memory', 'memory:'],
    ['lmdb', folder],
  ] as const) {
    const store = await openStore(location);
    rows.push(await measure(name, store, precision));
    await store.close();
  }
  await rm(folder, { recursive: true, force: true });
}
const checksums = [];
for (const precision of STATES_PRECISIONS) {
  const bytes = encodeRecord('0'.repeat(64), recordOf(randomStates(ROWS, WIDTH, 0), precision, 0));
  const times = await timesOf(COUNT, () => createHash('sha256').update(bytes).digest());
  checksums.push({ precision, checksumP50Ms: Number(quantile(times, 0.5).toFixed(3)) });
}
console.table(rows);
console.table(checksums);
console.log(
  JSON.stringify({
    machine: `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}`,
    rows,
    checksums,
  }),
);
