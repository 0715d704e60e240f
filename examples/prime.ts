// Encode documents once, and score queries later from what the store kept: only the decoder runs.
import { loadModel, openStore, prime, score } from 'directed-kvcache';

const model = await loadModel();
const store = await openStore(process.argv[2] ?? 'memory:'); // or a folder, redis://..., s3://...
const text = 'The Corvane desk lamp costs 24 euros and comes in green.';
const { primed, bytesPerDocument } = await prime(model, store, [{ id: 'lamp', text, fields: { url: '/lamp' } }], {
  surrogates: ['doc_kw'], // beside the document alone
});
console.log(primed, 'document primed,', bytesPerDocument, 'bytes');

const variants = ['bare', 'doc_kw'];
const scores = await score(
  model,
  store,
  variants.map((variant) => ({ id: 'lamp', variant, target: 'green lamp' })),
);
for (const [i, found] of scores.entries()) console.log(variants[i], 'nll' in found ? found.nll : found.message);
await store.close();
await model.close();
