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
import { Executor } from '../src/engine/executor.js';
import { allRows, type EncodeItem } from '../src/engine.js';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import type { Precision } from '../src/model/layout.js';
import { Random } from '../src/random.js';
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
const ROWS = 8192;
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

/** Seconds of the quicker of two runs, after one that loads what it needs. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  await work();
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 2; turn++) {
    const start = performance.now();
    await work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

async function againstBatches() {
  const rows = [];
  for (const batchTokens of BATCHES) {
    const engine = new Executor(model, { device: 'cpu', batchTokens });
    const took = await seconds(() => engine.encode(documents));
    rows.push({ batchTokens, documentsASecond: documents.length / took });
    await engine.close();
  }
  return rows;
}

async function againstLengths(engine: Executor) {
  const rows = [];
  for (const length of LENGTHS) {
    const items = Array.from({ length: ROWS / length }, () =>
      itemOf(Array.from({ length }, () => 3 + random.below(250_000))),
    );
    const took = await seconds(() => engine.encode(items));
    rows.push({ length, documentsASecond: items.length / took, tokensASecond: ROWS / took });
  }
  return rows;
}

/** Reading random documents of 73 rows from the store and scoring 8 tokens on each. */
async function againstStored(engine: Executor) {
  const [states] = await engine.encode([itemOf(Array.from({ length: 73 }, () => 3 + random.below(250_000)))]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-curves-'));
  const rows = [];
  try {
    const store = await openStore(folder);
    const keys: string[] = [];
    for (const count of options.records.split(',').map(Number)) {
      while (keys.length < count) keys.push(await store.put(recordOf(states!, 'int8', keys.length)));
      let reading = 0;
      const took = await seconds(async () => {
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
      });
      const documentsASecond = (CANDIDATES * TURNS) / took;
      rows.push({ count, documentsASecond, readingShare: reading / 1000 / took });
    }
    await store.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

const batches = await againstBatches();
const engine = new Executor(model, { device: 'cpu', batchTokens: BATCH_TOKENS });
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
