/**
 * What priming costs and what it saves: AdWorld's advertisements through the built-in model into an embedded store, alone and behind
 * their keywords, in each precision of the states. Then reading documents, how far the NLLs of their queries are from those of states
 * that were never rounded, and scoring queries from the store against scoring them from the texts, in turn in the same run. One process,
 * everything in the page cache. Leaves out networks, loading the model, and the encoder's speed on other hardware: the larger
 * the model, the more a stored document saves.
 *
 *     npx tsx bench/prime.ts [documents]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateAd } from '../src/adworld/adworld.js';
import { scoreTexts } from '../src/scoring/inputs.js';
import { loadModel, type Model } from '../src/scoring/load-model.js';
import { prime } from '../src/serving/prime.js';
import { BARE } from '../src/serving/variants.js';
import { openStore } from '../src/store/open.js';
import { memoryOf } from '../src/store/records/identity.js';
import { STATES_PRECISIONS, type StatesPrecision, type Store } from '../src/store/store.js';

const COUNT = Number(process.argv[2] ?? 200);
const CANDIDATES = 50;
const ROUNDS = 4;

const ads = Array.from({ length: COUNT }, (_, index) => generateAd({ split: 'test', index }));
const queryOf = (at: number) => ads[at % COUNT]!.questions[0]!.query;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

async function storedNlls(model: Model, store: Store, candidates: readonly string[], query: string): Promise<number[]> {
  const documents = await Promise.all(candidates.map((id) => store.getDocument(id, BARE, model.fingerprint)));
  const target = model.tokenizer.encode(query);
  const nlls = await model.engine.score(
    documents.map((found) => ({ memory: memoryOf(found!.record), prompt: new Int32Array(0), target })),
  );
  return nlls.map(mean);
}

async function textNlls(model: Model, candidates: readonly string[], target: string): Promise<number[]> {
  const documents = new Map(ads.map(({ id, text }) => [id, text]));
  const items = candidates.map((id) => ({ document: documents.get(id)!, target }));
  const scores = await scoreTexts(model, items, { maxTokens: 2048 });
  return scores.map((score) => ('nll' in score ? score.nll : Number.NaN));
}

async function measure(model: Model, statesPrecision: StatesPrecision) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-bench-'));
  const store = await openStore(folder);
  const documents = ads.map(({ id, text, title }) => ({ id, text, title }));
  const primed = await prime(model, store, documents, { statesPrecision, surrogates: ['doc_kw'] });
  const gets: number[] = [];
  for (let at = 0; at < 4 * COUNT; at++) {
    const start = performance.now();
    await store.getDocument(ads[(at * 7919) % COUNT]!.id, at % 2 ? BARE : 'doc_kw', model.fingerprint);
    gets.push(performance.now() - start);
  }
  const differences: number[] = [];
  const seconds = { store: 0, text: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const candidates = Array.from({ length: CANDIDATES }, (_, at) => ads[(round * CANDIDATES + at) % COUNT]!.id);
    const query = queryOf(round * 31);
    let start = performance.now();
    const fromStore = await storedNlls(model, store, candidates, query);
    seconds.store += (performance.now() - start) / 1000;
    start = performance.now();
    const fromText = await textNlls(model, candidates, query);
    seconds.text += (performance.now() - start) / 1000;
    differences.push(...fromStore.map((nll, at) => Math.abs(nll - fromText[at]!)));
  }
  await store.close();
  await rm(folder, { recursive: true, force: true });
  return {
    states: statesPrecision,
    documentsPerSecond: Number(primed.documentsPerSecond.toFixed(1)),
    tokensPerSecond: Math.round(primed.tokensPerSecond),
    bytesPerDocument: Math.round(primed.bytesPerDocument!),
    getP50Ms: Number(quantile(gets, 0.5).toFixed(3)),
    getP99Ms: Number(quantile(gets, 0.99).toFixed(3)),
    driftMeanNats: Number(mean(differences).toPrecision(2)),
    driftMaxNats: Number(Math.max(...differences).toPrecision(2)),
    scoredFromStorePerSecond: Math.round((ROUNDS * CANDIDATES) / seconds.store),
    scoredFromTextPerSecond: Math.round((ROUNDS * CANDIDATES) / seconds.text),
    ratio: Number((seconds.text / seconds.store).toFixed(2)),
  };
}

const model = await loadModel();
// Graphs are loaded when they are first needed: not part of what is measured.
await textNlls(model, [ads[0]!.id], queryOf(0));
const rows = [];
for (const precision of STATES_PRECISIONS) rows.push(await measure(model, precision));
await model.close();
console.table(rows);
console.log(
  JSON.stringify({
    machine: `${os.cpus()[0]?.model}, ${os.cpus().length} cores, Node ${process.version}`,
    model: model.name,
    documents: COUNT,
    rows,
  }),
);
