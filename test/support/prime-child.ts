/**
 * Another process that primes: `prime <folder> <count>` primes documents until they are done or it is killed, `fill <folder>` until the
 * disk is full. One line of JSON on standard output for everything that a test may hold it to.
 */
import { messageOf } from '../../src/base/errors.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { openStore } from '../../src/store/open.js';
import { made } from './made-documents.js';

const [mode, folder = '', count = '0'] = process.argv.slice(2);
const say = (line: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(line)}\n`);
const model = await loadModel(undefined, { batchTokens: 64 });
const store = await openStore(folder);
const put = store.putDocument.bind(store);
store.putDocument = async (id, ...args) => {
  const keys = await put(id, ...args);
  say({ stored: id });
  return keys;
};
try {
  const documents = mode === 'fill' ? made(Number.POSITIVE_INFINITY, 30) : made(Number(count));
  say({ started: true });
  const { primed, unchanged, encoded } = await prime(model, store, documents, {
    surrogates: [],
    onProgress: ({ unchanged, encoded, primed }) => say({ progress: { unchanged, encoded, primed } }),
  });
  say({ finished: { primed, unchanged, encoded } });
} catch (error) {
  say({ failed: error instanceof Error && 'code' in error ? error.code : messageOf(error) });
}
if (mode === 'fill') {
  const { documents } = await store.stats();
  say({ documents, damaged: (await store.verify()).damaged.length });
}
await store.close();
await model.close();
