/** The engine without HTTP: a process that asks the library what serve.ts asks the server, on the core that it is started on. */
import { Random } from '../../src/base/random.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { rank } from '../../src/serving/rank.js';
import { score } from '../../src/serving/score.js';
import { openStore } from '../../src/store/open.js';
import { closedLoop } from './loops.js';
import { type Call, drawn } from './requests.js';

export interface DirectStart {
  readonly model: string;
  readonly precision: 'float32' | 'int8';
  readonly store: string;
  readonly batchMs: number;
  readonly ids: readonly string[];
}

export interface DirectAsked {
  readonly call: Call;
  readonly callers: number;
  readonly seconds: number;
  readonly seed: number;
}

const { model: name, precision, store: location, batchMs, ids } = JSON.parse(process.argv[2]!) as DirectStart;
const model = await loadModel(name, { host: 'process', precision, batchMs, threads: 1, ignoreDrift: true });
const store = await openStore(location);

async function once(call: Call, random: Random): Promise<void> {
  const { query, ids: own } = drawn(call, random, ids, ['']);
  if (call.kind === 'score') {
    const [answer] = await score(model, store, [{ id: own[0]!, target: query }]);
    if (answer instanceof Error) throw answer;
    return;
  }
  for await (const ranked of rank(model, store, [{ id: 'q', text: query, candidates: own.map((id) => ({ id })) }])) {
    if (ranked.documents.length < own.length)
      throw new Error(`${ranked.documents.length} of ${own.length} were ranked`);
  }
}

process.on('message', async ({ call, callers, seconds, seed }: DirectAsked) => {
  const random = new Random('bench serve', seed);
  process.send!(await closedLoop(callers, seconds, () => once(call, random)));
});
process.on('disconnect', async () => {
  await store.close();
  await model.close();
});
process.send!('ready');
