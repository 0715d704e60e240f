// Encode documents once, and score a query later from what the store kept: only the decoder runs.
import { loadModel, memoryOf, openStore, prime } from 'directed-kvcache';

const model = await loadModel();
const store = await openStore(process.argv[2] ?? 'memory:'); // or a folder, redis://..., s3://...
const text = 'The Corvane desk lamp costs 24 euros and comes in green.';
const { primed, bytesPerDocument } = await prime(model, store, [{ id: 'lamp', text, fields: { url: '/lamp' } }]);
console.log(primed, 'document primed,', bytesPerDocument, 'bytes');

const { record, metadata } = (await store.getDocument('lamp', 'doc_kw', model.fingerprint))!;
const item = { memory: memoryOf(record), prompt: new Int32Array(0), target: model.tokenizer.encode('green lamp') };
const [nlls] = await model.engine.score([item]);
console.log(metadata.fields, (nlls!.reduce((a, b) => a + b) / nlls!.length).toFixed(3), 'nats per token');
await store.close();
await model.close();
