// One document on its whole way through the program, with what comes out of every step. docs/walkthrough.md explains the output.
import { buildInput, loadModel, openStore, prime, score, scoreTexts, surrogate, visibleRanges } from 'directed-kvcache';

const document =
  'At Villa Calbeman, a houseboat with a library, the holidays begin. The normal minimum is three nights, the one in high season ten nights. For a night you pay $181, before it was $280. The check-in time is from 4:30 pm.';
const query = 'What is the minimum stay at Villa Calbeman?';
const answer = 'three nights';

const model = await loadModel();
const { tokenizer, engine } = model;

const sample = { id: 'houseboat', document, query, answer };
const prefix = surrogate('doc_kw').make(sample, { index: 0, samples: [sample], seed: 42 });
console.log('1. surrogate:', prefix);

const input = buildInput(tokenizer, { prefix, document }, 'segments', { maxTokens: 2048 });
const pieces = (ids: Int32Array) => [...ids].map((id) => tokenizer.decode(Int32Array.of(id))).join('|');
console.log('2. tokens of the surrogate:', pieces(tokenizer.encode(prefix)));
for (const [segment, { start, end }] of Object.entries(input.spans)) {
  console.log(`   rows ${start} to ${end - 1}: ${segment}`);
}

const [states] = await engine.encode([input]);
console.log(`3. states: ${states!.rows} rows of ${states!.width} numbers`);

const visible = visibleRanges(input, 'exact');
const kept = visible.reduce((sum, { start, end }) => sum + end - start, 0);
console.log(`4. kept: ${kept} rows, ${visible.map(({ start, end }) => `${start} to ${end - 1}`).join(' and ')}`);

const texts = [
  { name: 'bare, the document alone', visibility: 'exact' },
  { name: 'doc_kw, hidden', prefix, visibility: 'exact' },
  { name: 'the real query, hidden', prefix: query, visibility: 'exact' },
  { name: 'the real query, in view', prefix: query, visibility: 'full' },
] as const;
const scores = await scoreTexts(
  model,
  texts.map((text) => ({ ...text, document, target: answer })),
  { maxTokens: 2048 },
);
console.log('5. NLL of the answer, in nats per token, and token by token:');
for (const [i, found] of scores.entries()) {
  if (!('nll' in found)) throw found;
  const tokens = [...found.tokenNlls].map((nll) => nll.toFixed(2)).join(' ');
  console.log(`   ${found.nll.toFixed(3)}  ${texts[i]!.name}: ${tokens}`);
}
console.log('   tokens of the answer:', pieces(tokenizer.encode(answer)));

const store = await openStore('memory:');
await prime(model, store, [{ id: 'houseboat', text: document }], { surrogates: ['doc_kw'] });
const { variants } = (await store.entry('houseboat'))!;
for (const [variant, key] of Object.entries(variants)) {
  const bytes = await store.getBytes(key);
  console.log(`6. record of ${variant}: ${bytes!.byteLength} bytes`);
}

const stored = await score(
  model,
  store,
  ['bare', 'doc_kw'].map((variant) => ({ id: 'houseboat', variant, target: answer })),
);
for (const [i, found] of stored.entries()) {
  if (!('nll' in found)) throw found;
  console.log(`7. from the store, ${['bare', 'doc_kw'][i]}: ${found.nll.toFixed(3)} nats per token`);
}
await store.close();
await model.close();
