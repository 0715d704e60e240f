/**
 * Two compiled forms of one model side by side: how long encoding, scoring from states and generation take with each, in turn, the least of
 * many rounds, on one thread, which other work on the machine disturbs least. For changes of graphs or layouts that must not cost time.
 *
 *     npx tsx bench/forms.ts CHECKPOINT FOLDER_A FOLDER_B [ROUNDS]
 */

import { Random } from '../src/base/random.js';
import { allRows } from '../src/engine/engine.js';
import { Executor } from '../src/engine/executor.js';
import { QueuedEngine } from '../src/engine/queue.js';
import { readManifest } from '../src/model/compiled-folder.js';
import { readConfig } from '../src/model/families/families.js';

const [checkpoint, a, b, rounds = '12'] = process.argv.slice(2) as [string, string, string, string | undefined];
const config = await readConfig(checkpoint);
const random = new Random('forms');
const tokens = (count: number) => Int32Array.from({ length: count }, () => 3 + random.below(250_000));
const documents = Array.from({ length: 8 }, () => ({ tokenIds: tokens(128) }));
const targets = documents.map(() => tokens(8));
const prompt = new Int32Array(0);

const sides = await Promise.all(
  [a, b].map(async (folder) => {
    const model = (await readManifest(folder))!;
    const engine = new QueuedEngine([
      new Executor({ ...model, config, directory: folder }, { device: 'cpu', batchTokens: 1024, threads: 1 }),
    ]);
    const states = await engine.encode(documents);
    const work = {
      encode: () => engine.encode(documents),
      score: () => engine.score(states.map((of, i) => ({ memory: [allRows(of)], prompt, target: targets[i]! }))),
      generate: () => engine.generate([{ memory: [allRows(states[0]!)], prompt, maxTokens: 16 }]),
    };
    return { engine, work, least: { encode: Infinity, score: Infinity, generate: Infinity } };
  }),
);
const names = ['encode', 'score', 'generate'] as const;
for (let round = 0; round < Number(rounds); round++) {
  for (const name of names) {
    for (const { work, least } of round % 2 ? [...sides].reverse() : sides) {
      const started = performance.now();
      await work[name]();
      least[name] = Math.min(least[name], performance.now() - started);
    }
  }
}
for (const name of names) {
  const [first, second] = sides.map(({ least }) => least[name]) as [number, number];
  console.log(
    `${name.padEnd(9)} ${first.toFixed(1)} ms, ${second.toFixed(1)} ms, ratio ${(second / first).toFixed(3)}`,
  );
}
for (const { engine } of sides) await engine.close();
