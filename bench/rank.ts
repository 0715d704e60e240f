/**
 * What a store saves: ranking queries over 20 stored candidates each against scoring the same pairs from their texts, in one run, with
 * the built-in model and a store on LMDB. Leaves out priming, loading the model and cold disks. The ratio is of one query at a time,
 * as a server has them; `store` has all queries at once, `reading` is what the store alone takes of either.
 *
 *     npx tsx bench/rank.ts [queries]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { adworldSamples } from '../src/adworld/adworld.js';
import { adworldPools } from '../src/adworld/pools.js';
import { Random } from '../src/base/random.js';
import { scoreTexts } from '../src/scoring/inputs.js';
import { loadModel } from '../src/scoring/load-model.js';
import { prime } from '../src/serving/prime.js';
import { rank } from '../src/serving/rank.js';
import { openStore } from '../src/store/open.js';

const QUERIES = Number(process.argv[2] ?? 50);
const [CANDIDATES, DOCUMENTS] = [20, 400];
const ROUNDS = 3;

const documents = adworldSamples({ split: 'test', count: DOCUMENTS }).map(({ id, document }) => ({
  id,
  text: document,
}));
const textOf = new Map(documents.map(({ id, text }) => [id, text]));
const random = new Random('bench', 'rank');
const queries = adworldPools({ split: 'test', count: QUERIES }).map(({ id, query }) => ({
  id,
  text: query,
  candidates: random.sample(documents, CANDIDATES).map(({ id }) => ({ id })),
}));
const pairs = QUERIES * CANDIDATES;

const model = await loadModel();
const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-bench-'));
const store = await openStore(folder);
await prime(model, store, documents, { surrogates: [] });

async function ranked(): Promise<void> {
  for await (const _ of rank(model, store, queries));
}

async function rankedOneByOne(): Promise<void> {
  for (const query of queries) for await (const _ of rank(model, store, [query]));
}

async function read(): Promise<void> {
  for (const { candidates } of queries) for (const { id } of candidates) await store.getDocument(id, 'bare');
}

async function scored(): Promise<void> {
  for (const { text, candidates } of queries) {
    await scoreTexts(
      model,
      candidates.map(({ id }) => ({ document: textOf.get(id)!, target: text })),
      { maxTokens: 2048 },
    );
  }
}

/** Seconds of the fastest round: other programs only slow it down. */
async function secondsOf(work: () => Promise<void>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  return fastest;
}

const seconds = {
  store: await secondsOf(ranked),
  storeOneByOne: await secondsOf(rankedOneByOne),
  reading: await secondsOf(read),
  textOneByOne: await secondsOf(scored),
};
await store.close();
await model.close();
await rm(folder, { recursive: true, force: true });

const rows = Object.entries(seconds).map(([what, time]) => ({
  what,
  'pairs/s': Math.round(pairs / time),
  'ms a pair': Number(((1000 * time) / pairs).toFixed(2)),
}));
console.table(rows);
console.log(
  JSON.stringify({
    machine: `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}`,
    model: model.name,
    queries: QUERIES,
    candidates: CANDIDATES,
    documents: DOCUMENTS,
    seconds,
    textOverStore: Number((seconds.textOneByOne / seconds.storeOneByOne).toFixed(2)),
    readingShare: Number((seconds.reading / seconds.store).toFixed(3)),
  }),
);
