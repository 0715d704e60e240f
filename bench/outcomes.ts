/**
 * What the outcomes of a run cost beside its NLLs: 64 documents of 128 tokens with the 270m shape, 8 tokens scored on each, from token ids and from states that
 * are kept. `temperature` scores at ten inverse temperatures, `contrast` scores seven further targets from the same states. All sides take turns in one process;
 * the least of the rounds counts, in seconds and in the processor's seconds, which others on the machine disturb less.
 *
 *     npx tsx bench/outcomes.ts [--precision float32] [--share 1] [--rounds 5]
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { allRows, type Engine } from '../src/engine/engine.js';
import type { Precision } from '../src/model/graph/layout.js';
import { benchCheckpoint } from './checkpoint.js';
import { engineOf } from './engine-of.js';
import { BATCH_TOKENS, makeWorkloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    precision: { type: 'string', default: 'float32' },
    share: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
  },
});
const precision = options.precision as Precision;
const checkpoint = await benchCheckpoint('270m');
const engine = await engineOf({ checkpoint, precision, device: 'cpu', batchTokens: BATCH_TOKENS });
const { of128, targets } = makeWorkloads(Number(options.share));
const documents = of128.map((ids) => ({ tokenIds: Int32Array.from(ids) }));
const toScore = (states: Awaited<ReturnType<Engine['encode']>>) =>
  states.map((of, i) => ({
    memory: [allRows(of)],
    prompt: new Int32Array(0),
    target: Int32Array.from(targets[i]!),
  }));
const CANDIDATES = 8;
/** Each with targets of its neighbours besides, as wrong answers are other texts. */
const withWrong = (items: ReturnType<typeof toScore>) =>
  items.flatMap((item, i) =>
    Array.from({ length: CANDIDATES }, (_, at) => ({ ...item, target: items[(i + at) % items.length]!.target })),
  );
const kept = toScore(await engine.encode(documents));
const work = {
  'from text': async () => engine.score(toScore(await engine.encode(documents))),
  'from text, tempered': async () => engine.scoreTempered(toScore(await engine.encode(documents))),
  'from text, contrast': async () => engine.score(withWrong(toScore(await engine.encode(documents)))),
  'from states': () => engine.score(kept),
  'from states, tempered': () => engine.scoreTempered(kept),
  'from states, contrast': () => engine.score(withWrong(kept)),
};
type Work = keyof typeof work;
const least = new Map<Work, { readonly seconds: number; readonly processor: number }>();
for (let round = 0; round <= Number(options.rounds); round++) {
  for (const name of Object.keys(work) as Work[]) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    await work[name]();
    const { user, system } = process.cpuUsage(before);
    // The first round warms up.
    if (round === 0) continue;
    const [seconds, processor] = [(performance.now() - started) / 1e3, (user + system) / 1e6];
    const best = least.get(name) ?? { seconds, processor };
    least.set(name, { seconds: Math.min(best.seconds, seconds), processor: Math.min(best.processor, processor) });
  }
}
await engine.close();
const ratio = (name: 'from text' | 'from states', outcome: 'tempered' | 'contrast') => {
  const [plain, own] = [least.get(name)!, least.get(`${name}, ${outcome}`)!];
  return { seconds: own.seconds / plain.seconds, processor: own.processor / plain.processor };
};
for (const [name, { seconds, processor }] of least) {
  console.log(`${name.padEnd(24)} ${seconds.toFixed(3)} s, ${processor.toFixed(3)} s of the processor`);
}
const ratios = {
  tempered: { 'from text': ratio('from text', 'tempered'), 'from states': ratio('from states', 'tempered') },
  contrast: { 'from text': ratio('from text', 'contrast'), 'from states': ratio('from states', 'contrast') },
};
const machine = `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores`;
console.log(
  JSON.stringify({ machine, precision, documents: documents.length, results: Object.fromEntries(least), ratios }),
);
