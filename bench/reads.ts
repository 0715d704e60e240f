/**
 * What reading candidates for a ranking costs the thread that serves: 100 documents of 128 x 640 states from an LMDB store, read together,
 * the checksums' part taken off, and how long the event loop waits meanwhile. With `--against` another checkout of this repository does
 * the same in turn, in a process of its own, on the same folder, as it reads candidates: `getDocuments` where it has it, otherwise a look
 * for each whether it is missing and then one document after the other. Everything in the page cache; leaves out cold disks.
 *
 *     npx tsx bench/reads.ts [--rounds 40] [--against ../another-checkout]
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openStore } from '../src/store/open.js';
import { STATES_PRECISIONS, type StatesPrecision, type Store } from '../src/store/store.js';
import { randomStates, recordOf } from './records.js';
import { table } from './sections.js';

const [COUNT, ROWS, WIDTH] = [100, 128, 640];
const IDS = Array.from({ length: COUNT }, (_, at) => `ad ${at}`);
const TEXT = 'Running shoes for wide feet, light, with a sole that lasts. '.repeat(10);
const METADATA = { fields: { title: 'Running shoes', price: 89.5, sizes: [41, 42, 43] }, priors: { bare: 3.25 } };

/** Of one round. */
interface Measured {
  readonly wallMs: number;
  /** Of the processor, all threads of the process together: other work on the machine counts less than on a clock. */
  readonly allMs: number;
  readonly sha256Ms: number;
  readonly delaysMs: { readonly p99: number; readonly largest: number };
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    against: { type: 'string' },
    reader: { type: 'string' },
    folder: { type: 'string', default: '' },
  },
});
if (values.reader === undefined) await compare();
else await answer(values.reader, values.folder);

/** A checkout's process: reads when it is told to. */
async function answer(checkout: string, folder: string): Promise<void> {
  const { openStore: open } = (await import(path.join(checkout, 'src/store/open.ts'))) as {
    openStore: typeof openStore;
  };
  const store = await open(folder);
  const read = await readingOf(store, checkout);
  const bodies: Uint8Array[] = [];
  for (const id of IDS) bodies.push((await store.getBytes((await store.entry(id))!.variants.bare!))!);
  const timeOf = async (work: () => unknown) => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  process.on('message', async () => {
    const sha256Ms = await timeOf(() => {
      for (const bytes of bodies) createHash('sha256').update(bytes.subarray(0, -32)).digest();
    });
    await setTimeout(20);
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    await setTimeout(5);
    const start = performance.now();
    const allMs = await timeOf(read);
    const wallMs = performance.now() - start;
    await setTimeout(5);
    delays.disable();
    const delaysMs = { p99: delays.percentile(99) / 1e6, largest: delays.max / 1e6 };
    process.send!({ wallMs, allMs, sha256Ms, delaysMs } satisfies Measured);
  });
  process.send!('ready');
}

async function readingOf(store: Store, checkout: string): Promise<() => Promise<unknown>> {
  if ('getDocuments' in store) return () => store.getDocuments(IDS, 'bare');
  const { missingDocuments } = await import(path.join(checkout, 'src/serving/missing.ts'));
  return async () => {
    await missingDocuments(store, IDS, 'bare');
    const found: unknown[] = [];
    for (const id of IDS) found.push(await (store as Store).getDocument(id, 'bare'));
    return found;
  };
}

async function compare(): Promise<void> {
  const here = path.resolve(import.meta.dirname, '..');
  const checkouts = [['this checkout', here], ...(values.against ? [['the other', path.resolve(values.against)]] : [])];
  const results = [];
  for (const precision of STATES_PRECISIONS) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-reads-'));
    await fill(folder, precision);
    const readers = checkouts.map(([name, checkout]) => {
      const process = fork(import.meta.filename, ['--reader', checkout!, '--folder', folder]);
      return { name: name!, process, measured: [] as Measured[] };
    });
    await Promise.all(readers.map(({ process }) => once(process, 'message')));
    for (let round = -5; round < Number(values.rounds); round++) {
      for (const { process, measured } of readers) {
        process.send('read');
        const [own] = (await once(process, 'message')) as [Measured];
        if (round >= 0) measured.push(own);
      }
    }
    for (const { name, process, measured } of readers) {
      process.kill();
      const wallMs = median(measured.map(({ wallMs }) => wallMs));
      const allMs = median(measured.map(({ allMs }) => allMs));
      const sha256Ms = median(measured.map(({ sha256Ms }) => sha256Ms));
      const outsideMs = median(measured.map(({ allMs, sha256Ms }) => allMs - sha256Ms));
      const p99Ms = median(measured.map(({ delaysMs }) => delaysMs.p99));
      const largestMs = Math.max(...measured.map(({ delaysMs }) => delaysMs.largest));
      results.push({ precision, reader: name, wallMs, allMs, sha256Ms, outsideMs, p99Ms, largestMs });
    }
    await rm(folder, { recursive: true, force: true });
  }
  const lines = table(
    [
      'states',
      'reader',
      '100 records',
      'processor',
      'SHA-256',
      'outside it',
      'loop delay, p99',
      'largest of all rounds',
    ],
    results.map(({ precision, reader, ...times }) => [
      precision,
      reader,
      ...Object.values(times).map((ms) => `${ms.toFixed(1)} ms`),
    ]),
  );
  console.log(lines.join('\n'));
  const machine = `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}`;
  console.log(JSON.stringify({ machine, results }));
}

async function fill(folder: string, precision: StatesPrecision): Promise<void> {
  const store = await openStore(folder);
  for (const [at, id] of IDS.entries()) {
    const record = { ...recordOf(randomStates(ROWS, WIDTH, at), precision, at), text: TEXT };
    await store.putDocument(id, { bare: record }, { metadata: METADATA });
  }
  await store.close();
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}
