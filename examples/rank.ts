// Documents are encoded once; afterwards a query costs the decoder only. Which advertisement fits best?
import { candidatesFrom, loadModel, openPools, openStore, prime, rank } from 'directed-kvcache';

const model = await loadModel();
const store = await openStore(process.argv[2] ?? 'results/example-store');
const { pools } = await openPools('adworld', { seed: 42, count: 3 });
const documents = pools.flatMap((pool) => pool.candidates.map(({ id, document }) => ({ id, text: document })));
await prime(model, store, documents);
const queries = pools.map(({ id, query }) => ({ id, text: query }));
const candidates = await candidatesFrom('bm25:5', store, queries);
const asked = queries.map((query) => ({ ...query, candidates: candidates.get(query.id)! }));
for await (const { id, documents } of rank(model, store, asked)) console.log(id, documents[0]!.id, documents[0]!.score);
await store.close();
await model.close();
