/**
 * How fast encoding, scoring and generation are, in this project and in what else runs the model on a CPU, as ratios in one run: every side
 * is a process, all do the same work on the same random weights of google/t5gemma-2-270m-270m's shape, in turn, several rounds.
 *
 *     npm run bench                                   ours alone, a part of the work
 *     bench/peers/run                                 all sides, all of the work; writes docs/benchmarks.md
 *
 *     npx tsx bench/speed.ts [--peers PYTHON] [--share 0.125] [--rounds 3] [--only encode,score-text] [--markdown FILE]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { benchCheckpoint, WORK } from './checkpoint.js';
import { limits } from './limit.js';
import { makeWorkloads, WORKLOADS, type WorkloadName, type Workloads } from './workloads.js';

const { values: options } = parseArgs({
  options: {
    peers: { type: 'string' },
    share: { type: 'string', default: '0.125' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: WORKLOADS.join(',') },
    markdown: { type: 'string' },
  },
});

interface Answer {
  readonly seconds: number;
  readonly check: number;
  readonly peakBytes: number;
}

interface Side {
  readonly name: string;
  readonly command: readonly string[];
  readonly peer: boolean;
}

const here = import.meta.dirname;
const checkpoint = await benchCheckpoint('270m');
const work = makeWorkloads(Number(options.share));
const file = path.join(WORK, 'workloads.json');
await mkdir(WORK, { recursive: true });
await writeFile(file, JSON.stringify(work));

const ours = (precision: string): Side => ({
  name: `ours ${precision}`,
  command: [process.execPath, '--import', 'tsx', path.join(here, 'contestant.ts'), precision, checkpoint, file],
  peer: false,
});
const transformers = (dtype: string, form: string): Side => ({
  name: `transformers ${dtype} ${form}`,
  command: [options.peers!, path.join(here, 'peers/transformers_peer.py'), dtype, form, checkpoint, file],
  peer: true,
});
const SIDES: Side[] = [ours('int8'), ours('float32')];
if (options.peers) {
  for (const dtype of ['bfloat16', 'float32'])
    for (const form of ['sdpa', 'eager']) SIDES.push(transformers(dtype, form));
}

/** A contestant's process: one line in, one line out. */
class Running {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ command: [program, ...args] }: Side) {
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process ended');
    return JSON.parse(value) as T;
  }

  run(workload: WorkloadName): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify({ workload })}\n`);
    return this.answer();
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** Operations of the encoder's matrix products over some documents: two a weight and row. */
const ENCODER_WEIGHTS = 18 * (640 * (1024 + 256 + 256) + 1024 * 640 + 3 * 640 * 2048);
const encoderFlop = (documents: Workloads['documents']) =>
  2 * ENCODER_WEIGHTS * documents.reduce((rows, ids) => rows + ids.length, 0);

const names = options.only.split(',') as WorkloadName[];
const rounds = Number(options.rounds);
const results = new Map<string, { seconds: number[]; check: number; peakBytes: number }>();
const key = (workload: string, side: Side) => `${workload}/${side.name}`;

const running = new Map<Side, Running>();
const start: Record<string, number> = {};
for (const side of SIDES) {
  const process = new Running(side);
  start[side.name] = (await process.answer<{ startSeconds: number }>()).startSeconds;
  running.set(side, process);
}
const limit = await limits();
const reached: Record<'float32' | 'int8', number[]> = { float32: [], int8: [] };
for (const workload of names) {
  for (let round = 0; round < rounds; round++) {
    for (const [side, process] of running) {
      if (workload === 'experiment-loop' && !side.peer) continue;
      const { seconds, check, peakBytes } = await process.run(workload);
      const before = results.get(key(workload, side));
      results.set(key(workload, side), { seconds: [...(before?.seconds ?? []), seconds], check, peakBytes });
      const line = `${workload.padEnd(18)} ${side.name.padEnd(42)} ${seconds.toFixed(3)} s  check ${check.toFixed(5)}`;
      console.error(`round ${round + 1}  ${line}`);
    }
    if (workload === 'encode') {
      for (const precision of ['float32', 'int8'] as const) reached[precision].push(await limit[precision]());
    }
  }
}
for (const process of running.values()) await process.stop();

const report = render();
console.log(report);
if (options.markdown) await writeFile(options.markdown, report);
console.log(
  JSON.stringify({
    machine: `${os.cpus()[0]?.model}, ${os.availableParallelism()} cores`,
    node: process.version,
    share: Number(options.share),
    limits: { float32: median(reached.float32), int8: median(reached.int8) },
    results: Object.fromEntries(results),
  }),
);

function render(): string {
  const sides = [...running.keys()];
  const cell = (workload: string, side: Side) => {
    const found = results.get(key(workload, side));
    if (!found) return '';
    const spread = `${Math.min(...found.seconds).toFixed(2)}-${Math.max(...found.seconds).toFixed(2)}`;
    return `${median(found.seconds).toFixed(2)} (${spread})`;
  };
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [
    row(['seconds, median (range)', ...sides.map(({ name }) => name)]),
    row(['---', ...sides.map(() => '---:')]),
    ...names.map((workload) => row([workload, ...sides.map((side) => cell(workload, side))])),
  ];
  const encode = results.get('encode/ours int8');
  const share = encode && encoderFlop(work.documents) / median(encode.seconds) / median(reached.int8);
  return `${table.join('\n')}${share ? `\n\nEncoding with int8 reaches ${(100 * share).toFixed(0)}% of the uint8 x int8 limit.` : ''}\n`;
}
