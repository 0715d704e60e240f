/**
 * How documents a second depend on the rows of a batch, on the documents' length, and on how many documents the store holds: int8 weights of
 * the 270m-270m shape, alone in its process.
 *
 *     npx tsx bench/curves.ts [--records 1000,10000,100000] [--precision int8] [--write]
 *
 * With `--write` what was measured goes into docs/benchmarks.md.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/base/random.js';
import { allRows, type EncodeItem } from '../src/engine/engine.js';
import { Executor } from '../src/engine/executor.js';
import { QueuedEngine } from '../src/engine/queue.js';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import type { Precision } from '../src/model/graph/layout.js';
import { openStore } from '../src/store/open.js';
import { benchCheckpoint, WORK } from './checkpoint.js';
import { recordOf } from './records.js';
import { replaceSection, table } from './sections.js';
import { BATCH_TOKENS, makeWorkloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000,10000,100000' },
    precision: { type: 'string', default: 'int8' },
    write: { type: 'boolean', default: false },
  },
});

const BATCHES = [256, 512, 1024, 2048, 4096];
const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048];
/** Rows encoded at each length. */
const ROWS = 4096;
/** Documents read and scored at a time, and how many times. */
const [CANDIDATES, TURNS] = [64, 8];

const model = await compileModel(await openCheckpoint(await benchCheckpoint('270m')), {
  precision: options.precision as Precision,
  embeddingScale: 'exact',
  cacheDirectory: path.join(WORK, 'cache'),
});
const random = new Random('curves');
const itemOf = (ids: readonly number[]): EncodeItem => ({ tokenIds: Int32Array.from(ids) });
const documents = makeWorkloads(0.25).documents.map(itemOf);

/**
 * Seconds of each: the quickest of several turns, in which all come one after the other, since what else runs on a machine changes while it is
 * measured. A first turn loads what is needed.
 */
async function secondsOfEach(works: readonly (() => Promise<unknown>)[], turns = 3): Promise<number[]> {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn <= turns; turn++) {
    for (const [i, work] of works.entries()) {
      const start = performance.now();
      await work();
      if (turn > 0) best[i] = Math.min(best[i]!, (performance.now() - start) / 1000);
    }
  }
  return best;
}

async function againstBatches() {
  const engines = BATCHES.map((batchTokens) => new QueuedEngine([new Executor(model, { device: 'cpu', batchTokens })]));
  const took = await secondsOfEach(engines.map((engine) => () => engine.encode(documents)));
  await Promise.all(engines.map((engine) => engine.close()));
  return BATCHES.map((batchTokens, i) => ({ batchTokens, documentsASecond: documents.length / took[i]! }));
}

async function againstLengths(engine: QueuedEngine) {
  const items = LENGTHS.map((length) =>
    Array.from({ length: ROWS / length }, () => itemOf(Array.from({ length }, () => 3 + random.below(250_000)))),
  );
  const took = await secondsOfEach(items.map((of) => () => engine.encode(of)));
  return LENGTHS.map((length, i) => ({
    length,
    documentsASecond: ROWS / length / took[i]!,
    tokensASecond: ROWS / took[i]!,
  }));
}

/** Reading random documents of 73 rows from the store and scoring 8 tokens on each. */
async function againstStored(engine: QueuedEngine) {
  const [states] = await engine.encode([itemOf(Array.from({ length: 73 }, () => 3 + random.below(250_000)))]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-curves-'));
  const rows = [];
  try {
    const store = await openStore(folder);
    const keys: string[] = [];
    for (const count of options.records.split(',').map(Number)) {
      while (keys.length < count) keys.push(await store.put(recordOf(states!, 'int8', keys.length)));
      let reading = 0;
      const [took] = await secondsOfEach([
        async () => {
          reading = 0;
          for (let turn = 0; turn < TURNS; turn++) {
            const start = performance.now();
            const found = await Promise.all(
              Array.from({ length: CANDIDATES }, () => store.get(keys[random.below(keys.length)]!)),
            );
            reading += performance.now() - start;
            await engine.score(
              found.map((record) => ({
                memory: [allRows(record!.states)],
                prompt: new Int32Array(0),
                target: Int32Array.from({ length: 8 }, () => 3 + random.below(250_000)),
              })),
            );
          }
        },
      ]);
      const documentsASecond = (CANDIDATES * TURNS) / took!;
      rows.push({ count, documentsASecond, readingShare: reading / 1000 / took! });
    }
    await store.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

const batches = await againstBatches();
const engine = new QueuedEngine([new Executor(model, { device: 'cpu', batchTokens: BATCH_TOKENS })]);
const lengths = await againstLengths(engine);
const stored = await againstStored(engine);
await engine.close();
const machine = `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores; Node ${process.versions.node}`;
const report = [
  `${machine}; ${model.precision}.`,
  '',
  ...table(
    ['rows in a batch', ...batches.map(({ batchTokens }) => String(batchTokens))],
    [['documents a second', ...batches.map((of) => of.documentsASecond.toFixed(1))]],
  ),
  '',
  ...table(
    ['tokens of a document', ...lengths.map(({ length }) => String(length))],
    [
      ['documents a second', ...lengths.map((of) => of.documentsASecond.toFixed(1))],
      ['tokens a second', ...lengths.map((of) => of.tokensASecond.toFixed(0))],
    ],
  ),
  '',
  ...table(
    ['documents in the store', ...stored.map(({ count }) => count.toLocaleString('en'))],
    [
      ['read and scored a second', ...stored.map((of) => of.documentsASecond.toFixed(0))],
      ['share of reading', ...stored.map((of) => of.readingShare.toFixed(2))],
    ],
  ),
].join('\n');
console.log(report);
if (options.write) await replaceSection('benchmarks.md', 'curves', report);
console.log(JSON.stringify({ machine, precision: model.precision, batches, lengths, stored }));
