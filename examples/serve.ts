// One engine for many callers: it lives in a process that opens the store itself, callers share batches, and bulk work waits for them.
import { BUILT_IN_MODEL, loadModel, openDataset, openPools, openStore, prime, rank, score } from 'directed-kvcache';

const model = await loadModel(BUILT_IN_MODEL, { host: 'process', batchMs: 50, queueItems: 10_000 });
const store = await openStore(process.argv[2] ?? 'results/example-serving');
const { pools } = await openPools('adworld', { seed: 42, count: 2 });
const documents = pools.flatMap((pool) => pool.candidates.map(({ id, document }) => ({ id, text: document })));
await prime(model, store, documents, { surrogates: [] });

// Priming is bulk work: it goes on whenever nobody asks.
const { samples } = await openDataset('adworld', { seed: 42, count: 8 });
const later = samples.map(({ id, document }) => ({ id, text: document }));
const priming = prime(model, store, later, { surrogates: [] });

// A caller that gives up after thirty seconds is dropped from the queue (DEADLINE_PASSED); a full queue refuses at once (ENGINE_BUSY).
const callers = pools.map(async ({ query: text, candidates: [first, ...others] }) => {
  const [found] = await score(model, store, [{ id: first!.id, target: text }], { deadlineMs: 30_000 });
  const candidates = [first!, ...others].map(({ id }) => ({ id }));
  for await (const { documents } of rank(model, store, [{ id: text, text, candidates }], { deadlineMs: 30_000 })) {
    return `${text} -> ${documents[0]!.id}, nll of ${first!.id} ${found && 'nll' in found ? found.nll : found?.message}`;
  }
  return `${text} -> nothing`;
});
for (const line of await Promise.all(callers)) console.log(line);
console.log((await priming).primed, 'documents primed beside them');
const { waitingItems, runningBatches, phases } = await model.engine.load();
console.log(waitingItems.interactive + waitingItems.bulk, 'items wait,', runningBatches, 'batches run');
console.log('milliseconds of decoding:', Math.round(phases.decoding));
await store.close();
await model.close();
