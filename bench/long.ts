/**
 * What one long document costs a model of google/flan-t5-base's shape: seconds and peak memory of encoding it, and of encoding it and scoring 8 tokens on
 * it, in a process that does nothing else. Beside it the same for a batch of documents of 128 tokens.
 *
 *     npx tsx bench/long.ts [--tokens 2048] [--precisions float32,int8] [--rounds 3]
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/stats/describe.js';
import { flanT5Checkpoint, WORK } from './checkpoint.js';
import { Contestant, ours } from './contestants.js';
import { table } from './sections.js';
import { makeWorkloads, type WorkloadName } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    tokens: { type: 'string', default: '2048' },
    precisions: { type: 'string', default: 'float32,int8' },
    rounds: { type: 'string', default: '3' },
  },
});

const checkpoint = await flanT5Checkpoint();
const cache = path.join(WORK, 'long-cache');
await mkdir(WORK, { recursive: true });
const lines: string[][] = [];
try {
  for (const tokens of [Number(options.tokens), 128]) {
    const work = makeWorkloads(1, 32_000);
    const ofLength = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        Array.from({ length: tokens }, (_, j) => work.long[(i + j) % 64]![j % 1024]!),
      );
    const documents = ofLength(tokens > 1024 ? 1 : 9);
    const file = path.join(WORK, `long-${tokens}.json`);
    await writeFile(file, JSON.stringify({ ...work, documents: ofLength(2), long: documents, of512: documents }));
    for (const precision of options.precisions.split(',')) {
      const { contestant } = await Contestant.start({
        command: ours(precision, checkpoint, file, ['--cache', cache]),
      });
      for (const workload of ['encode-long', 'score-text-512'] satisfies WorkloadName[]) {
        const answers = [];
        for (let round = 0; round < Number(options.rounds); round++) answers.push(await contestant.run(workload));
        const seconds = median(answers.map((answer) => answer.seconds));
        const peak = Math.max(...answers.map(({ peakBytes }) => peakBytes));
        const what = workload === 'encode-long' ? 'encode' : 'encode and score';
        lines.push([
          `${precision}, ${documents.length} x ${tokens}: ${what}`,
          seconds.toFixed(2),
          (peak / 1e9).toFixed(2),
        ]);
        console.error(lines.at(-1)!.join('  '), answers.at(-1)!.check);
      }
      await contestant.stop();
    }
  }
} finally {
  await rm(cache, { recursive: true, force: true });
}
console.log(table(['tokens', 'seconds', 'peak memory, GB'], lines).join('\n'));
